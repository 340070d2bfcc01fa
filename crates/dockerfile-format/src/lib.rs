//! A tidy layout for Dockerfiles, as proven edits.
//!
//! Invariants:
//! - Formatting never fails and never loses text: what is not understood stays as it is written.
//! - The result is parsed again. An instruction that reads differently afterwards keeps its original text.
//! - Formatting a formatted file changes nothing.
//! - Under `RunStyle::Keep` the command text of every instruction stays what it was, byte for byte.

#![forbid(unsafe_code)]

mod format;
mod options;

mod comment;
mod file;
mod instruction;
mod json;
mod legacy;
mod line_ending;
mod on_type;
mod parts;
mod printer;
mod proof;
mod shell;

pub use format::{Formatted, Formatter, Kept, KeptReason, format, format_range};
pub use on_type::format_on_enter;
pub use options::{BlankLines, HeredocStyle, Indent, KeywordCase, LineEnding, Options, RunStyle};
