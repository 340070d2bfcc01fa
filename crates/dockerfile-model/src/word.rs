//! A word of an instruction, as it is written and as it is read.

use dockerfile_source::{TextRange, TextSize};
use dockerfile_syntax::Node;
use dockerfile_syntax::ast;
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
    /// Why the word cannot be expanded; boxed, for hardly any word has one.
    pub error: Option<Box<WordError>>,
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

/// Where the pieces of the joined text of a node stand in the file.
pub(crate) struct Pieces {
    whole: TextRange,
    /// Start in the joined text, start in the file, length; neighbours in both are one piece.
    pieces: Vec<(usize, TextSize, usize)>,
}

impl Pieces {
    pub(crate) fn new(node: Node<'_>) -> Pieces {
        let mut pieces: Vec<(usize, TextSize, usize)> = Vec::new();
        let mut position = 0_usize;
        node.for_each_token(&mut |token| {
            if token.kind().is_line_joint() {
                return;
            }
            let (start, len) = (token.range().start(), token.text().len());
            match pieces.last_mut() {
                Some((_, before, before_len))
                    if usize::from(*before) + *before_len == usize::from(start) =>
                {
                    *before_len += len;
                }
                _ => pieces.push((position, start, len)),
            }
            position += len;
        });
        Pieces {
            whole: node.range(),
            pieces,
        }
    }

    /// Returns where a range of the joined text stands in the file.
    pub(crate) fn file_range(&self, logical: std::ops::Range<usize>) -> TextRange {
        let (whole, pieces) = (self.whole, &self.pieces);
        let at = |idx: Option<usize>, offset: usize| {
            let (position, start, len) = *pieces.get(idx?)?;
            (offset <= position + len).then(|| start + TextSize::new((offset - position) as u32))
        };
        let first = pieces.partition_point(|(position, _, _)| *position <= logical.start);
        let last = pieces.partition_point(|(position, _, _)| *position < logical.end);
        let start = at(first.checked_sub(1), logical.start).unwrap_or(whole.start());
        let end = at(last.checked_sub(1), logical.end).unwrap_or(whole.end());
        TextRange::new(start, end.max(start))
    }
}
