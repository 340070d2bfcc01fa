//! Text to tree: one function per production.

mod arguments;
mod directives;
mod file;
pub(crate) mod flags;
mod healthcheck;
pub(crate) mod heredoc;
mod heredoc_ends;
pub(crate) mod instruction;
pub(crate) mod json;
pub(crate) mod shell;
mod shell_tracker;
mod word;

pub(crate) use file::parse_file;
