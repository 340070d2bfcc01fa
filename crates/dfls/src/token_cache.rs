//! The semantic tokens that were sent last, so that the next answer can be the difference.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tower_lsp::ls_types::{SemanticToken, SemanticTokensEdit};

/// The last answer for each document.
#[derive(Debug, Default)]
pub(crate) struct TokenCache {
    answers: Mutex<HashMap<String, Answer>>,
}

#[derive(Debug)]
struct Answer {
    id: u64,
    tokens: Vec<SemanticToken>,
}

impl TokenCache {
    /// Keeps an answer and returns its id.
    pub(crate) fn keep(&self, uri: &str, tokens: Vec<SemanticToken>) -> String {
        let mut answers = self.lock();
        let id = answers.get(uri).map_or(1, |last| last.id + 1);
        answers.insert(uri.to_owned(), Answer { id, tokens });
        id.to_string()
    }

    /// Returns the edits from the answer with an id to another, which is kept; none where that answer is not known.
    pub(crate) fn difference(
        &self,
        uri: &str,
        id: &str,
        tokens: &[SemanticToken],
    ) -> Option<(String, Vec<SemanticTokensEdit>)> {
        let mut answers = self.lock();
        let last = answers
            .get_mut(uri)
            .filter(|last| last.id.to_string() == id)?;
        let edits = difference(&last.tokens, tokens);
        last.id += 1;
        last.tokens = tokens.to_vec();
        Some((last.id.to_string(), edits))
    }

    pub(crate) fn forget(&self, uri: &str) {
        self.lock().remove(uri);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Answer>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns one edit: what both begin and end with stays. Positions are relative, so that is all but the edited lines.
fn difference(old: &[SemanticToken], new: &[SemanticToken]) -> Vec<SemanticTokensEdit> {
    let prefix = old
        .iter()
        .zip(new)
        .take_while(|(left, right)| left == right)
        .count();
    let (old_rest, new_rest) = (
        old.get(prefix..).unwrap_or_default(),
        new.get(prefix..).unwrap_or_default(),
    );
    let suffix = old_rest
        .iter()
        .rev()
        .zip(new_rest.iter().rev())
        .take_while(|(left, right)| left == right)
        .count();
    let deleted = old_rest.len() - suffix;
    let inserted = new_rest.get(..new_rest.len() - suffix).unwrap_or_default();
    if deleted == 0 && inserted.is_empty() {
        return Vec::new();
    }
    // Each token is five numbers.
    vec![SemanticTokensEdit {
        start: (prefix * 5) as u32,
        delete_count: (deleted * 5) as u32,
        data: Some(inserted.to_vec()),
    }]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(delta_line: u32) -> SemanticToken {
        SemanticToken {
            delta_line,
            ..SemanticToken::default()
        }
    }

    #[test]
    fn sends_only_what_is_different() {
        let cache = TokenCache::default();
        let id = cache.keep("a", vec![token(1), token(2), token(3)]);
        let new = [token(1), token(9), token(3)];
        let (next, edits) = cache.difference("a", &id, &new).expect("it is known");
        assert_eq!(next, "2");
        assert_eq!(edits.len(), 1);
        assert_eq!(
            edits.first().map(|edit| (edit.start, edit.delete_count)),
            Some((5, 5))
        );
        assert!(cache.difference("a", &id, &new).is_none());
        assert_eq!(
            cache
                .difference("a", &next, &new)
                .map(|(_, edits)| edits.len()),
            Some(0)
        );
    }
}
