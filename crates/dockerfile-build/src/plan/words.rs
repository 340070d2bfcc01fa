//! Words with their variables replaced.

use dockerfile_model::Word;
use dockerfile_model::expansion::Expander;
use dockerfile_source::TextRange;

use super::environment::Variables;
use crate::error::{BuildError, Failure};

/// Expands words, and says where one cannot be.
pub(super) struct Words {
    escape: char,
    place: Option<TextRange>,
}

impl Words {
    pub(super) fn new(escape: char, place: Option<TextRange>) -> Words {
        Words { escape, place }
    }

    pub(super) fn expand(&self, word: &Word, variables: &Variables) -> Result<String, BuildError> {
        self.expand_at(&word.text, word.range, variables)
    }

    pub(super) fn expand_at(
        &self,
        text: &str,
        range: TextRange,
        variables: &Variables,
    ) -> Result<String, BuildError> {
        let expansion = Expander::new(self.escape, variables).expand_word(text);
        expansion
            .map(|expansion| expansion.value.into_owned())
            .map_err(|error| {
                let is_written_so = usize::from(range.len()) == text.len();
                let place = match self.place {
                    Some(place) => place,
                    None if is_written_so => error.range + range.start(),
                    None => range,
                };
                BuildError::new(Failure::Dockerfile, error.kind.to_string()).at(place, "")
            })
    }
}
