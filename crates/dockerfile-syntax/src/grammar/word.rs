//! The inside of a Dockerfile word: quotes, escapes and expansions.
//!
//! The shape follows how BuildKit expands the word later (`frontend/dockerfile/shell/lex.go`). What is not closed is
//! not closed in the tree either; saying so is up to those who expand the word.

use logos::Logos;

use crate::SyntaxKind::{
    DOLLAR, DOLLAR_BRACE, DOUBLE_QUOTE, DOUBLE_QUOTED, ESCAPE, EXPANSION, EXPANSION_OPERATOR, NAME,
    R_BRACE, SINGLE_QUOTED, TEXT, WORD,
};
use crate::emitter::Emitter;
use crate::lexer::word::WordToken;

/// Deeper expansions inside of expansions stay text.
const DEEPEST_EXPANSION: usize = 64;

/// Adds `text[..end]`, from where the emitter stands, as a word.
pub(super) fn emit_word(emitter: &mut Emitter<'_>, text: &str, end: usize, escape: char) {
    let start = emitter.position();
    let Some(word) = text.get(start..end).filter(|word| !word.is_empty()) else {
        return;
    };
    if is_plain(word) {
        emitter.one_token_node(WORD, TEXT, end);
        return;
    }
    emitter.start_node(WORD);
    let mut grammar = WordGrammar {
        emitter,
        text,
        end,
        escape,
    };
    grammar.pieces(Stop::Nothing, 0);
    emitter.finish_node();
}

fn is_plain(word: &str) -> bool {
    !word
        .bytes()
        .any(|byte| matches!(byte, b'$' | b'\'' | b'"' | b'\\' | b'`'))
}

/// What ends a sequence of pieces, besides the end of the word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    Nothing,
    DoubleQuote,
    RightBrace,
    /// The `/` between the pattern and the replacement of `${NAME/pattern/replacement}`.
    Slash,
}

struct WordGrammar<'g, 's> {
    emitter: &'g mut Emitter<'s>,
    text: &'g str,
    end: usize,
    escape: char,
}

impl WordGrammar<'_, '_> {
    fn rest(&self) -> &str {
        self.text
            .get(self.emitter.position()..self.end)
            .unwrap_or("")
    }

    /// Adds pieces up to the stop, which is left in place.
    fn pieces(&mut self, stop: Stop, depth: usize) {
        // Where a run of text goes on that has no token yet.
        let mut text_end = self.emitter.position();
        loop {
            let rest = self.text.get(text_end..self.end).unwrap_or("");
            let mut lexer = WordToken::lexer(rest);
            let Some(token) = lexer.next() else { break };
            let len = lexer.slice().len();
            match token.unwrap_or(WordToken::Text) {
                WordToken::RightBrace if stop == Stop::RightBrace => break,
                WordToken::Slash if stop == Stop::Slash => break,
                WordToken::DoubleQuote if stop == Stop::DoubleQuote => break,
                WordToken::Backslash if self.escape == '\\' => {
                    text_end = self.escape_token(text_end, stop);
                }
                WordToken::Backtick if self.escape == '`' => {
                    text_end = self.escape_token(text_end, stop);
                }
                WordToken::SingleQuote if stop != Stop::DoubleQuote => {
                    self.emitter.token(TEXT, text_end);
                    let closing = rest.get(1..).and_then(|rest| rest.find('\''));
                    let end = closing.map_or(self.end, |at| text_end + at + 2);
                    self.emitter.token(SINGLE_QUOTED, end);
                    text_end = end;
                }
                WordToken::DoubleQuote => {
                    self.emitter.token(TEXT, text_end);
                    self.double_quoted(depth);
                    text_end = self.emitter.position();
                }
                WordToken::DollarBrace if depth < DEEPEST_EXPANSION => {
                    self.emitter.token(TEXT, text_end);
                    self.braced_expansion(depth);
                    text_end = self.emitter.position();
                }
                WordToken::Dollar => {
                    let name_len = name_len(rest.get(1..).unwrap_or(""));
                    if name_len == 0 {
                        text_end += len;
                    } else {
                        self.emitter.token(TEXT, text_end);
                        self.emitter.start_node(EXPANSION);
                        self.emitter.token(DOLLAR, text_end + 1);
                        text_end += 1 + name_len;
                        self.emitter.token(NAME, text_end);
                        self.emitter.finish_node();
                    }
                }
                _ => text_end += len,
            }
        }
        self.emitter.token(TEXT, text_end);
    }

    /// Adds an escape token at `at` and returns where the text goes on, or steps over the escape character where it
    /// stands for itself.
    fn escape_token(&mut self, at: usize, stop: Stop) -> usize {
        let escape_len = self.escape.len_utf8();
        let next = self
            .text
            .get(at + escape_len..self.end)
            .and_then(|rest| rest.chars().next());
        let Some(next) = next else {
            return at + escape_len;
        };
        if stop == Stop::DoubleQuote && next != '"' && next != '$' && next != self.escape {
            return at + escape_len;
        }
        self.emitter.token(TEXT, at);
        let end = at + escape_len + next.len_utf8();
        self.emitter.token(ESCAPE, end);
        end
    }

    fn double_quoted(&mut self, depth: usize) {
        self.emitter.start_node(DOUBLE_QUOTED);
        self.emitter
            .token(DOUBLE_QUOTE, self.emitter.position() + 1);
        self.pieces(Stop::DoubleQuote, depth);
        if self.rest().starts_with('"') {
            self.emitter
                .token(DOUBLE_QUOTE, self.emitter.position() + 1);
        }
        self.emitter.finish_node();
    }

    /// Adds `${NAME}` or `${NAME<operator>word}`.
    fn braced_expansion(&mut self, depth: usize) {
        self.emitter.start_node(EXPANSION);
        self.emitter
            .token(DOLLAR_BRACE, self.emitter.position() + 2);
        let name_len = name_len(self.rest());
        self.emitter.token(NAME, self.emitter.position() + name_len);
        let operator_len = operator_len(self.rest());
        let is_replacement = self.rest().starts_with('/');
        self.emitter
            .token(EXPANSION_OPERATOR, self.emitter.position() + operator_len);
        if operator_len > 0 {
            if is_replacement {
                self.operand(Stop::Slash, depth);
                if self.rest().starts_with('/') {
                    self.emitter
                        .token(EXPANSION_OPERATOR, self.emitter.position() + 1);
                }
            }
            self.operand(Stop::RightBrace, depth);
        }
        if self.rest().starts_with('}') {
            self.emitter.token(R_BRACE, self.emitter.position() + 1);
        }
        self.emitter.finish_node();
    }

    fn operand(&mut self, stop: Stop, depth: usize) {
        let is_empty = match stop {
            Stop::Slash => self.rest().starts_with('/'),
            _ => self.rest().starts_with('}'),
        };
        if is_empty || self.rest().is_empty() {
            return;
        }
        self.emitter.start_node(WORD);
        self.pieces(stop, depth + 1);
        self.emitter.finish_node();
    }
}

/// Returns the length of a variable name: letters, digits and `_`; digits only when it starts with one; or one special
/// parameter.
pub(crate) fn name_len(text: &str) -> usize {
    let Some(first) = text.chars().next() else {
        return 0;
    };
    if first.is_numeric() {
        return text
            .find(|character: char| !character.is_numeric())
            .unwrap_or(text.len());
    }
    if matches!(first, '@' | '*' | '#' | '?' | '-' | '$' | '!') {
        return 1;
    }
    text.find(|character: char| !character.is_alphanumeric() && character != '_')
        .unwrap_or(text.len())
}

fn operator_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    match (bytes.first(), bytes.get(1)) {
        (Some(b':'), Some(b'-' | b'+' | b'?')) => 2,
        (Some(b'#'), Some(b'#')) | (Some(b'%'), Some(b'%')) | (Some(b'/'), Some(b'/')) => 2,
        (Some(b'-' | b'+' | b'?' | b'#' | b'%' | b'/'), _) => 1,
        _ => 0,
    }
}
