//! Prints diagnostics.
#![forbid(unsafe_code)]
