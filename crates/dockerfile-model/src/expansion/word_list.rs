//! Splitting an expanded word at the blanks that were not quoted.

/// Collects the words of a text that arrives in pieces.
#[derive(Debug, Default)]
pub(super) struct WordList {
    words: Vec<String>,
    current: String,
}

impl WordList {
    /// Adds text that is split at its blanks.
    pub(super) fn push_splitting(&mut self, text: &str) {
        for ch in text.chars() {
            if ch.is_whitespace() {
                self.end_word();
            } else {
                self.current.push(ch);
            }
        }
    }

    /// Adds text whose blanks belong to the word.
    pub(super) fn push_whole(&mut self, text: &str) {
        self.current.push_str(text);
    }

    /// Forgets the word under construction.
    pub(super) fn drop_current(&mut self) {
        self.current.clear();
    }

    pub(super) fn finish(mut self) -> Vec<String> {
        self.end_word();
        self.words
    }

    fn end_word(&mut self) {
        // An empty word is never kept, not even a quoted one.
        if !self.current.is_empty() {
            self.words.push(std::mem::take(&mut self.current));
        }
    }
}
