//! The lossless tree of a Dockerfile, with the shell commands inside of it.
//!
//! Invariants:
//! - The text of the tree is the text that was parsed, byte for byte, for every text there is.
//! - Parsing never fails and never panics; it returns a tree and a list of errors, in linear time.
//! - Nothing outside of this crate names `rowan` or `logos`.
//! - A grammar reads logical text; continuations and the lines that do not count are put in by the emitter.

#![forbid(unsafe_code)]

mod syntax_kind;

pub mod ast;

mod emitter;
mod go_duration;
mod grammar;
mod lexer;
mod logical_line;
mod node;
mod parse;
mod syntax_error;
mod tree;

pub use go_duration::{DurationError, parse_go_duration};
pub use grammar::flags::{FlagType, known_flags, unquote_flag};
pub use grammar::heredoc::{HeredocOpener, find_openers};
pub use grammar::instruction::{KEYWORDS, keyword_kind};
pub use grammar::json::decode_json_string;
pub use node::{Element, Node, Token};
pub use parse::{Parse, Parser, SyntaxElement, SyntaxNode, SyntaxToken, parse};
pub use syntax_error::{SyntaxError, SyntaxErrorKind};
pub use syntax_kind::SyntaxKind;
