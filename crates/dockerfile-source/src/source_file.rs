//! A named text.

use std::sync::OnceLock;

use text_size::TextRange;

use crate::{LineColumn, LineIndex};

/// A text with the name that messages call it by. The line index is made when it is first needed.
#[derive(Debug)]
pub struct SourceFile {
    name: String,
    text: String,
    line_index: OnceLock<LineIndex>,
}

impl SourceFile {
    /// Returns a file; `name` is what a person knows it by, usually the path as it was given.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> SourceFile {
        SourceFile {
            name: name.into(),
            text: text.into(),
            line_index: OnceLock::new(),
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn line_index(&self) -> &LineIndex {
        self.line_index.get_or_init(|| LineIndex::new(&self.text))
    }

    /// Returns the text of a range, or an empty text when the range lies outside.
    pub fn slice(&self, range: TextRange) -> &str {
        self.text
            .get(usize::from(range.start())..usize::from(range.end()))
            .unwrap_or("")
    }

    /// Returns start and end of a range with columns in code points, both 0-based.
    pub fn line_columns(&self, range: TextRange) -> (LineColumn, LineColumn) {
        let index = self.line_index();
        (
            index.line_column_utf32(&self.text, range.start()),
            index.line_column_utf32(&self.text, range.end()),
        )
    }
}
