//! Layout: of the file, of a selection, and while typing.

use dockerfile_source::{TextEdit, TextRange, TextSize};

use crate::Analysis;

/// Returns what formatting the file changes.
pub fn format_document(analysis: &Analysis) -> TextEdit {
    dockerfile_format::format(analysis.parse(), &analysis.outside().format).edit
}

/// Returns what formatting the instructions that a range touches changes.
pub fn format_selection(analysis: &Analysis, range: TextRange) -> TextEdit {
    dockerfile_format::format_range(analysis.parse(), &analysis.outside().format, range).edit
}

/// Returns what changes behind a line end that was just typed.
pub fn format_on_type(analysis: &Analysis, offset: TextSize, typed: &str) -> Option<TextEdit> {
    if typed != "\n" {
        return None;
    }
    dockerfile_format::format_on_enter(analysis.parse(), offset, &analysis.outside().format)
}
