//! Editor features over a Dockerfile, as plain data in byte offsets.

#![forbid(unsafe_code)]
