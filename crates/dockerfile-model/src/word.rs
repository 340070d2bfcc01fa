//! A word of an instruction, as it is written and as it is read.

use dockerfile_source::{TextRange, TextSize};
use dockerfile_syntax::ast::{self, AstNode as _};
use smol_str::SmolStr;

use crate::VariableUse;

/// A word of an instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The word as it is written, quotes and escapes included, continuations left out.
    pub text: SmolStr,
    pub range: TextRange,
    /// The word as the builder reads it: quotes and escapes taken off, variables replaced. None when a variable without
    /// a known value stands in it, or when it cannot be expanded at all.
    pub value: Option<SmolStr>,
    /// The variables that stand in the word, where the builder expands it.
    pub uses: Vec<VariableUse>,
    /// Why the word cannot be expanded.
    pub error: Option<WordError>,
}

/// Why a word cannot be expanded, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WordError {
    pub message: String,
    pub range: TextRange,
}

impl Word {
    /// Returns a word that is read as it is written.
    pub(crate) fn literal(text: SmolStr, range: TextRange) -> Word {
        Word {
            value: Some(text.clone()),
            text,
            range,
            uses: Vec::new(),
            error: None,
        }
    }

    /// Returns a word that is not expanded.
    pub(crate) fn unexpanded(word: ast::Word<'_>) -> Word {
        Word::literal(text_of(word), word.range())
    }

    /// Returns the value where it is known, else the text.
    pub fn value_or_text(&self) -> &str {
        self.value.as_deref().unwrap_or(&self.text)
    }

    /// Returns whether a variable stands in the word.
    pub fn has_variables(&self) -> bool {
        !self.uses.is_empty()
    }
}

pub(crate) fn text_of(word: ast::Word<'_>) -> SmolStr {
    match word.plain_text() {
        Some(text) => SmolStr::new(text),
        None => SmolStr::new(word.text()),
    }
}

/// Returns where a range of the joined text of a node stands in the file.
pub(crate) fn file_range(
    node: dockerfile_syntax::Node<'_>,
    logical: std::ops::Range<usize>,
) -> TextRange {
    let whole = node.range();
    let len = usize::from(whole.len());
    // Most words, and it must not take a walk over all tokens for each part of a word that has thousands.
    if node.is_on_one_line() && logical.start < logical.end && logical.end <= len {
        let at = |offset: usize| whole.start() + TextSize::new(offset as u32);
        return TextRange::new(at(logical.start), at(logical.end));
    }
    let mut position = 0_usize;
    let mut start = None;
    let mut end = None;
    node.for_each_token(&mut |token| {
        if token.kind().is_line_joint() {
            return;
        }
        let len = token.text().len();
        let at = |offset: usize| token.range().start() + TextSize::new((offset - position) as u32);
        if start.is_none() && (position..position + len).contains(&logical.start) {
            start = Some(at(logical.start));
        }
        if end.is_none() && position < logical.end && logical.end <= position + len {
            end = Some(at(logical.end));
        }
        position += len;
    });
    let start = start.unwrap_or(whole.start());
    TextRange::new(start, end.unwrap_or(whole.end()).max(start))
}

/// Returns where a range of the joined text of a word stands in the file.
pub(crate) fn word_range(word: ast::Word<'_>, logical: std::ops::Range<usize>) -> TextRange {
    file_range(word.syntax(), logical)
}
