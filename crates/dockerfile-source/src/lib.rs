//! A text file and what can be said about it: positions, edits, diagnostics and fixes, all as plain data.
//!
//! Invariants:
//! - No I/O: a `SourceFile` is made from a text that somebody else has read.
//! - Every position is a byte offset (`TextSize`); lines and columns exist only at the edge, through `LineIndex`.

#![forbid(unsafe_code)]

mod diagnostic;
mod edit_distance;
mod fix;
mod line_index;
mod source_file;
mod text_edit;

pub use diagnostic::{Diagnostic, Label, Severity};
pub use edit_distance::{closest_match, edit_distance};
pub use fix::{Applicability, Fix};
pub use line_index::{LineColumn, LineIndex};
pub use source_file::SourceFile;
pub use text_edit::{Indel, OverlappingEdits, TextEdit, TextEditBuilder};
pub use text_size::{TextLen, TextRange, TextSize};
