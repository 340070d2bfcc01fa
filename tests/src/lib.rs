//! Tests that ask a question of several crates at once, or of thousands of files.
//!
//! `README.md` in this folder says where a test goes.

#![forbid(unsafe_code)]

pub mod lossless;
pub mod plain_shell;
