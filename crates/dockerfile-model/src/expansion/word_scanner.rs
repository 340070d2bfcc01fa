//! The scan of one word: shellWord in BuildKit's frontend/dockerfile/shell/lex.go.

use std::ops::Range;

use dockerfile_source::{TextRange, TextSize};

use super::budget::Budget;
use super::error::{ExpansionError, ExpansionErrorKind};
use super::word_list::WordList;
use super::{Escapes, Expander, Quotes, VariableUse, without_byte_order_mark};

pub(super) type Scan<T> = Result<T, ExpansionError>;

pub(super) struct WordScanner<'w, 'x> {
    pub(super) expander: &'x Expander<'x>,
    pub(super) word: &'w str,
    pub(super) position: usize,
    pub(super) depth: usize,
    pub(super) keeps_escapes: bool,
    size_limit: usize,
    pub(super) budget: Budget,
    pub(super) variables: Vec<VariableUse>,
    /// Only there when the caller asked for words.
    pub(super) words: Option<WordList>,
}

/// A `${` that is being scanned.
#[derive(Clone, Copy)]
pub(super) struct Opening {
    pub(super) start: usize,
}

impl<'w, 'x> WordScanner<'w, 'x> {
    pub(super) fn new(expander: &'x Expander<'x>, word: &'w str, splits: bool) -> Self {
        WordScanner {
            expander,
            word,
            position: word.len() - without_byte_order_mark(word).len(),
            depth: 0,
            keeps_escapes: expander.escapes == Escapes::Keep,
            size_limit: word.len().saturating_add(expander.growth_limit),
            budget: Budget::new(
                word.len()
                    .saturating_mul(4)
                    .saturating_add(expander.work_limit),
            ),
            variables: Vec::new(),
            words: splits.then(WordList::default),
        }
    }

    pub(super) fn scan_word(&mut self) -> Scan<String> {
        self.scan_until(None)
    }

    pub(super) fn finish(mut self) -> (Vec<String>, Vec<VariableUse>) {
        // A variable is noted when it is complete: the inner ones come before the outer one.
        self.variables.sort_by_key(|found| found.range.start());
        let words = self.words.map(WordList::finish).unwrap_or_default();
        (words, self.variables)
    }

    /// Scans up to the end of the word, or over the character that closes a part of `${...}`.
    pub(super) fn scan_until(&mut self, closing: Option<(char, Opening)>) -> Scan<String> {
        let mut result = String::new();
        while let Some(ch) = self.peek() {
            if closing.is_some_and(|(closing, _)| closing == ch) {
                self.next();
                return Ok(result);
            }
            match ch {
                '$' => {
                    let start = self.position;
                    let value = self.scan_dollar()?;
                    self.check_size(result.len() + value.len(), start)?;
                    result.push_str(&value);
                    self.split(&value);
                }
                '\'' if self.expander.quotes != Quotes::Ordinary => {
                    let text = self.scan_single_quotes()?;
                    result.push_str(&text);
                    self.keep_whole(&text);
                }
                '"' if self.expander.quotes != Quotes::Ordinary => {
                    let text = self.scan_double_quotes()?;
                    result.push_str(&text);
                    self.keep_whole(&text);
                }
                '<' => {
                    let text = self.scan_heredoc_operator();
                    result.push_str(text);
                    self.keep_whole(text);
                }
                _ => self.scan_character(ch, &mut result),
            }
        }
        match closing {
            Some((closing, opening)) => {
                let kind = match closing {
                    '/' => ExpansionErrorKind::MissingSlash,
                    _ => ExpansionErrorKind::MissingClosingBrace,
                };
                Err(opening.error(kind))
            }
            None => Ok(result),
        }
    }

    /// Scans a character outside of quotes, with the one that it escapes.
    fn scan_character(&mut self, ch: char, result: &mut String) {
        self.next();
        let mut buffer = [0; 4];
        if ch != self.expander.escape {
            result.push(ch);
            self.split(ch.encode_utf8(&mut buffer));
            return;
        }
        if self.keeps_escapes {
            result.push(ch);
            self.keep_whole(ch.encode_utf8(&mut buffer));
        }
        if let Some(escaped) = self.next() {
            result.push(escaped);
            self.keep_whole(escaped.encode_utf8(&mut buffer));
        }
    }

    /// Scans `<`, or `<<` with the blanks after it: `<< EOF` is one word.
    fn scan_heredoc_operator(&mut self) -> &'w str {
        let rest = self.word.get(self.position..).unwrap_or("");
        let len = match rest.strip_prefix("<<") {
            Some(after) => rest.len() - after.trim_start_matches([' ', '\t', '\r']).len(),
            None => 1,
        };
        self.position += len;
        rest.get(..len).unwrap_or("")
    }

    fn scan_single_quotes(&mut self) -> Scan<String> {
        let start = self.position;
        self.next();
        let inside = self.position;
        while let Some(ch) = self.next() {
            if ch == '\'' {
                let range = match self.expander.quotes {
                    Quotes::Keep => start..self.position,
                    _ => inside..self.position - 1,
                };
                return Ok(self.word.get(range).unwrap_or("").to_owned());
            }
        }
        Err(error(
            ExpansionErrorKind::UnterminatedSingleQuote,
            start..inside,
        ))
    }

    fn scan_double_quotes(&mut self) -> Scan<String> {
        let start = self.position;
        let keeps_quotes = self.expander.quotes == Quotes::Keep;
        self.next();
        let mut result = String::new();
        if keeps_quotes {
            result.push('"');
        }
        while let Some(ch) = self.peek() {
            if ch == '$' {
                let start = self.position;
                let value = self.scan_dollar()?;
                self.check_size(result.len() + value.len(), start)?;
                result.push_str(&value);
                continue;
            }
            self.next();
            if ch == '"' {
                if keeps_quotes {
                    result.push('"');
                }
                return Ok(result);
            }
            if ch != self.expander.escape {
                result.push(ch);
                continue;
            }
            if self.keeps_escapes {
                result.push(ch);
            }
            match self.peek() {
                Some(escaped) if matches!(escaped, '"' | '$') || escaped == ch => {
                    self.next();
                    result.push(escaped);
                }
                // An escape that is kept and escapes nothing is written twice by BuildKit.
                Some(_) => result.push(ch),
                None => {}
            }
        }
        Err(error(
            ExpansionErrorKind::UnterminatedDoubleQuote,
            start..start + 1,
        ))
    }

    fn check_size(&mut self, size: usize, start: usize) -> Scan<()> {
        if size > self.size_limit {
            return Err(error(ExpansionErrorKind::TooLarge, start..self.position));
        }
        Ok(())
    }

    fn split(&mut self, text: &str) {
        if let (0, Some(words)) = (self.depth, &mut self.words) {
            words.push_splitting(text);
        }
    }

    fn keep_whole(&mut self, text: &str) {
        if let (0, Some(words)) = (self.depth, &mut self.words) {
            words.push_whole(text);
        }
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.word.get(self.position..)?.chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let ch = self.peek()?;
        self.position += ch.len_utf8();
        Some(ch)
    }
}

impl Opening {
    /// Returns an error that points at the `${`.
    pub(super) fn error(self, kind: ExpansionErrorKind) -> ExpansionError {
        error(kind, self.start..self.start + 2)
    }
}

pub(super) fn error(kind: ExpansionErrorKind, range: Range<usize>) -> ExpansionError {
    ExpansionError {
        kind,
        range: text_range(range),
    }
}

pub(super) fn text_range(range: Range<usize>) -> TextRange {
    TextRange::new(
        TextSize::new(range.start as u32),
        TextSize::new(range.end as u32),
    )
}
