//! Words with the variables in them.

use std::cell::OnceCell;
use std::ops::Range;

use dockerfile_source::TextRange;
use dockerfile_syntax::ast::{self, AstNode as _};
use smol_str::SmolStr;

use super::Lowering;
use crate::expansion::{self, Environment, Expander, ExpansionErrorKind};
use crate::word::{Pieces, WordError, text_of};
use crate::{InstructionId, JsonString, Model, Resolution, StageId, VariableUse, Word};

/// What all the words of a file together may grow and cost by expansion.
///
/// `ENV B=$A`, a thousand times with a long `A`, asks for a thousand times that text; every word within its own limit.
/// What comes behind the limit is not known, as if a variable without a value stood in it.
#[derive(Clone, Copy)]
pub(super) struct Budget {
    growth: usize,
    work: usize,
}

impl Budget {
    /// Returns what a file of this length gets: far more than what an image can hold, which is 128 KiB a variable.
    pub(super) fn new(len: usize) -> Budget {
        Budget {
            growth: (4 << 20) + len.saturating_mul(4),
            work: (64 << 20) + len.saturating_mul(4),
        }
    }
}

/// The variables that an instruction sees.
struct Scope<'m> {
    model: &'m Model,
    at: InstructionId,
    stage: Option<StageId>,
}

impl Environment for Scope<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.model.resolve_value(name, self.at, self.stage);
        value.map(SmolStr::as_str)
    }
}

impl Lowering<'_> {
    /// Lowers a word that the builder expands with the variables of the stage.
    pub(super) fn word(&self, word: ast::Word<'_>) -> Word {
        self.written_word(word, self.stage)
    }

    /// Lowers a word that the builder expands with global variables: FROM.
    pub(super) fn global_word(&self, word: ast::Word<'_>) -> Word {
        self.written_word(word, None)
    }

    /// Lowers an element of a JSON array that the builder expands.
    pub(super) fn json_word(&self, string: JsonString) -> Word {
        let JsonString { value, range } = string;
        // Where the string is written without escapes, its characters stand one behind the quote.
        let is_plain = usize::from(range.len()) == value.len() + 2;
        let start = usize::from(range.start()) + 1;
        self.expand(&value, range, self.stage, |part| {
            if is_plain {
                TextRange::new(
                    ((start + part.start) as u32).into(),
                    ((start + part.end) as u32).into(),
                )
            } else {
                range
            }
        })
    }

    fn written_word(&self, word: ast::Word<'_>, stage: Option<StageId>) -> Word {
        if let Some(text) = word.plain_text() {
            return Word::literal(SmolStr::new(text), word.range());
        }
        let pieces = OnceCell::new();
        self.expand(&text_of(word), word.range(), stage, |part| {
            let pieces = pieces.get_or_init(|| Pieces::new(word.syntax()));
            pieces.file_range(part)
        })
    }

    /// Expands a text; `place` says where a part of it stands in the file.
    fn expand(
        &self,
        text: &SmolStr,
        range: TextRange,
        stage: Option<StageId>,
        place: impl Fn(Range<usize>) -> TextRange,
    ) -> Word {
        let scope = Scope {
            model: &self.model,
            at: self.current,
            stage,
        };
        let in_file = |part: TextRange| place(usize::from(part.start())..usize::from(part.end()));
        let mut word = Word {
            text: text.clone(),
            range,
            value: None,
            uses: Vec::new(),
            error: None,
        };
        let mut expander = Expander::new(self.model.escape, &scope);
        let budget = self.budget.get();
        expander.growth_limit = expander.growth_limit.min(budget.growth);
        expander.work_limit = expander.work_limit.min(budget.work);
        let (result, work) = expander.expand_word_with_work(text);
        let growth = result.as_ref().map_or(0, |expanded| {
            expanded.value.len().saturating_sub(text.len())
        });
        self.budget.set(Budget {
            growth: budget.growth - growth.min(budget.growth),
            work: budget.work - work.min(budget.work),
        });
        match result {
            Ok(expanded) => {
                let mut is_known = true;
                for used in &expanded.variables {
                    let resolution = self.model.resolve(&used.name, self.current, stage);
                    is_known &= used.is_set || is_known_unset(used, resolution);
                    word.uses.push(VariableUse {
                        name: SmolStr::new(&used.name),
                        range: in_file(used.range),
                        resolution,
                        handles_unset: used.handles_unset(),
                    });
                }
                word.value = is_known.then(|| SmolStr::new(expanded.value));
            }
            Err(error)
                if error.kind.is_syntax_error()
                    || matches!(error.kind, ExpansionErrorKind::InvalidPattern { .. }) =>
            {
                word.error = Some(Box::new(WordError {
                    message: error.kind.to_string(),
                    range: in_file(error.range),
                }));
            }
            // A variable that must be set may be set in the build; what is too large is not known, but it is used.
            Err(_) => {
                for used in &expander.uses(text) {
                    word.uses.push(VariableUse {
                        name: SmolStr::new(&used.name),
                        range: in_file(used.range),
                        resolution: self.model.resolve(&used.name, self.current, stage),
                        handles_unset: used.handles_unset(),
                    });
                }
            }
        }
        word
    }
}

/// Returns whether a variable that is not set stands for something known all the same.
fn is_known_unset(used: &expansion::VariableUse, resolution: Resolution) -> bool {
    match resolution {
        // Nothing can set it.
        Resolution::Undeclared | Resolution::GlobalOnly(_) => true,
        // Declared without a value: only a default makes it known.
        Resolution::Declared(_) => used.handles_unset(),
        Resolution::Predefined | Resolution::BaseImage | Resolution::MaybeBaseImage => false,
    }
}
