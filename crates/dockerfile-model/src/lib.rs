//! What a Dockerfile means.

#![forbid(unsafe_code)]

pub mod expansion;
