//! Words and the quotes in them.

use logos::Logos;

use super::ShellGrammar;
use crate::SyntaxKind::{
    ANSI_C_QUOTED, ARRAY, CONTINUATION, DOUBLE_QUOTE, DOUBLE_QUOTED, ESCAPE, L_PAREN, R_PAREN,
    SINGLE_QUOTED, TEXT, WORD,
};
use crate::lexer::shell::{QuotedToken, ShellToken};

impl ShellGrammar<'_, '_> {
    /// Adds the word that starts with the token ahead.
    pub(super) fn word(&mut self) {
        self.flush();
        if self.token == ShellToken::Plain && self.is_plain_word() {
            self.emitter.one_token_node(WORD, TEXT, self.token_end);
            self.advance();
            return;
        }
        self.emitter.start_node(WORD);
        self.word_parts();
        self.emitter.finish_node();
    }

    /// Returns whether the plain text ahead is a whole word. It may be one even if this says no.
    fn is_plain_word(&self) -> bool {
        matches!(
            self.byte_at(self.token_end),
            None | Some(b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b')')
        )
    }

    fn word_parts(&mut self) {
        loop {
            match self.token {
                ShellToken::LeftParen => match self.byte_before_token() {
                    Some(b'?' | b'*' | b'+' | b'@' | b'!') => {
                        let end = self.pattern(self.start, Until::Parenthesis);
                        self.read_from(end);
                    }
                    Some(b'=') if self.takes_arrays => {
                        self.array();
                        break;
                    }
                    _ => break,
                },
                // The start of a comment does not get here: it stands behind a blank.
                ShellToken::Hash => {
                    self.flush();
                    self.emitter.token(TEXT, self.token_end);
                    self.advance();
                }
                token if token.starts_word() => {
                    self.flush();
                    let part_end = self.opt_part(token, self.start, self.token_end);
                    let end = part_end.unwrap_or(self.token_end);
                    self.emitter.token(TEXT, end);
                    self.read_from(end);
                }
                _ => break,
            }
            if !self.is_glued {
                break;
            }
        }
    }

    fn byte_before_token(&self) -> Option<u8> {
        let before = self.start.checked_sub(1)?;
        self.text.as_bytes().get(before).copied()
    }

    /// Adds a token of an unquoted word, unless it is plain text, and returns where it ends: further on than the token,
    /// when it opens something.
    fn opt_part(&mut self, token: ShellToken, start: usize, end: usize) -> Option<usize> {
        let kind = match token {
            ShellToken::Substitution(substitution) => {
                return Some(self.substitution(substitution, start, end, false));
            }
            ShellToken::DoubleQuote => return Some(self.double_quoted(start, end)),
            ShellToken::Process => return Some(self.process_substitution(start, end)),
            ShellToken::Escape => ESCAPE,
            ShellToken::Continuation => CONTINUATION,
            ShellToken::SingleQuoted => SINGLE_QUOTED,
            ShellToken::AnsiQuoted => ANSI_C_QUOTED,
            ShellToken::OpenSingleQuoted => {
                self.never_closed(start..start + 1, "'");
                SINGLE_QUOTED
            }
            ShellToken::OpenAnsiQuoted => {
                self.never_closed(start..start + 2, "'");
                ANSI_C_QUOTED
            }
            _ => return None,
        };
        self.emitter.token(kind, end);
        Some(end)
    }

    /// Adds `"..."`, whose opening quote stands at `start..end`, and returns where it ends.
    pub(super) fn double_quoted(&mut self, start: usize, end: usize) -> usize {
        self.emitter.start_node(DOUBLE_QUOTED);
        self.emitter.token(DOUBLE_QUOTE, end);
        let mut position = end;
        loop {
            let mut lexer = QuotedToken::lexer(self.bytes_from(position));
            let Some(token) = lexer.next() else {
                self.never_closed(start..end, "\"");
                break;
            };
            let token_end = position + lexer.span().end;
            let kind = match token.unwrap_or(QuotedToken::Text) {
                QuotedToken::Text | QuotedToken::Backslash | QuotedToken::Dollar => TEXT,
                QuotedToken::Escape => ESCAPE,
                QuotedToken::Continuation => CONTINUATION,
                QuotedToken::Quote => DOUBLE_QUOTE,
                QuotedToken::Substitution(substitution) => {
                    position = self.substitution(substitution, position, token_end, true);
                    continue;
                }
            };
            self.emitter.token(kind, token_end);
            position = token_end;
            if kind == DOUBLE_QUOTE {
                break;
            }
        }
        self.emitter.finish_node();
        position
    }

    /// Adds text in which parentheses and blanks are part of the word, and returns where it ends: bash's `@(a|b)`, or
    /// the regular expression behind `=~`.
    fn pattern(&mut self, start: usize, until: Until) -> usize {
        let mut position = start;
        let mut parens = 0_usize;
        loop {
            let mut lexer = ShellToken::lexer(self.bytes_from(position));
            let Some(token) = lexer.next() else {
                if parens > 0 {
                    self.never_closed(start..start + 1, ")");
                }
                break;
            };
            let token = token.unwrap_or(ShellToken::Plain);
            let (token_start, token_end) = (position, position + lexer.span().end);
            match token {
                ShellToken::LeftParen => parens += 1,
                ShellToken::RightParen => {
                    if parens == 0 {
                        break;
                    }
                    parens -= 1;
                }
                ShellToken::Blank | ShellToken::Newline if parens == 0 => break,
                _ if is_text_of_pattern(token) => {}
                _ => {
                    self.emitter.token(TEXT, token_start);
                    position = self
                        .opt_part(token, token_start, token_end)
                        .unwrap_or(token_end);
                    continue;
                }
            }
            position = token_end;
            if parens == 0 && until == Until::Parenthesis {
                break;
            }
        }
        self.emitter.token(TEXT, position);
        position
    }

    /// Adds the regular expression behind `=~`.
    pub(super) fn regular_expression(&mut self) {
        self.flush();
        self.emitter.start_node(WORD);
        let end = self.pattern(self.start, Until::Blank);
        self.emitter.finish_node();
        self.read_from(end);
    }

    /// Adds the `(...)` of an array. `(` is ahead.
    pub(super) fn array(&mut self) {
        let opener = self.token_range();
        self.flush();
        self.emitter.start_node(ARRAY);
        self.bump(L_PAREN);
        loop {
            match self.token {
                ShellToken::Newline => self.newline(),
                ShellToken::Hash => self.comment(),
                ShellToken::RightParen => {
                    self.flush();
                    self.emitter.token(R_PAREN, self.token_end);
                    let end = self.token_end;
                    self.emitter.finish_node();
                    self.read_from(end);
                    return;
                }
                token if token.starts_word() => self.word(),
                _ => break,
            }
        }
        self.missing(opener, ")");
        self.emitter.finish_node();
    }
}

/// What ends a pattern.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    /// The `)` of the first `(`.
    Parenthesis,
    /// A blank outside of parentheses.
    Blank,
}

/// Returns whether a token is text in a pattern, whatever it is elsewhere.
fn is_text_of_pattern(token: ShellToken) -> bool {
    matches!(
        token,
        ShellToken::Plain
            | ShellToken::Hash
            | ShellToken::Blank
            | ShellToken::Newline
            | ShellToken::CarriageReturn
            | ShellToken::Backslash
            | ShellToken::Dollar
            | ShellToken::AndAnd
            | ShellToken::OrOr
            | ShellToken::Pipe
            | ShellToken::PipeAmp
            | ShellToken::Amp
            | ShellToken::Semicolon
            | ShellToken::CaseEnd
            | ShellToken::Redirection
            | ShellToken::HereDocument
    )
}
