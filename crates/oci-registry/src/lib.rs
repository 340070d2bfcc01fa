//! Pull and push over the distribution protocol.

#![forbid(unsafe_code)]
