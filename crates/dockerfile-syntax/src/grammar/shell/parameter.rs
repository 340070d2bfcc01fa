//! `${...}`: a parameter, an operator and its words.

use std::ops::Range;

use logos::Logos;

use super::ShellGrammar;
use crate::SyntaxKind;
use crate::SyntaxKind::{
    ANSI_C_QUOTED, CONTINUATION, DOLLAR_BRACE, ESCAPE, EXPANSION, EXPANSION_OPERATOR, NAME,
    R_BRACE, SINGLE_QUOTED, TEXT, WORD,
};
use crate::lexer::shell::OperandToken;

/// How `'` is read inside of `${...}`.
#[derive(Clone, Copy)]
struct Quotes {
    /// Whether all of it stands in double quotes.
    are_open: bool,
    /// Whether `'` is a quote.
    are_read: bool,
}

impl ShellGrammar<'_, '_> {
    /// Adds `${...}`, whose `${` stands at `start..end`.
    pub(super) fn parameter(&mut self, start: usize, end: usize, is_quoted: bool) -> usize {
        self.emitter.start_node(EXPANSION);
        self.emitter.token(DOLLAR_BRACE, end);
        let mut position = end;
        if self.is_prefix_operator(position) {
            position += 1;
            self.emitter.token(EXPANSION_OPERATOR, position);
        }
        position += self.parameter_len(position);
        self.emitter.token(NAME, position);
        if self.byte_at(position) == Some(b'[')
            && let Some(end) = self.bracket_end(position + 1)
        {
            position = end;
            self.emitter.token(EXPANSION_OPERATOR, position);
        }
        let operator = position..position + self.operator_len(position);
        self.emitter.token(EXPANSION_OPERATOR, operator.end);
        position = self.operands(&operator, is_quoted);
        if self.byte_at(position) == Some(b'}') {
            position += 1;
            self.emitter.token(R_BRACE, position);
        } else {
            self.never_closed(start..end, "}");
        }
        self.emitter.finish_node();
        position
    }

    /// Returns whether a `#` or `!` stands at `position` that is not the parameter itself.
    fn is_prefix_operator(&self, position: usize) -> bool {
        let Some(next) = self.byte_at(position + 1) else {
            return false;
        };
        let is_name = next.is_ascii_alphanumeric() || matches!(next, b'_' | b'@' | b'*');
        match self.byte_at(position) {
            Some(b'!') => is_name || next == b'#',
            Some(b'#') => {
                let is_special = matches!(next, b'#' | b'?' | b'-' | b'$' | b'!')
                    && self.byte_at(position + 2) == Some(b'}');
                is_name || is_special
            }
            _ => false,
        }
    }

    /// Returns the length of the name, number or special parameter at `position`.
    fn parameter_len(&self, position: usize) -> usize {
        let rest = self.bytes_from(position);
        let is_in_name: fn(&u8) -> bool = match rest.first() {
            Some(byte) if byte.is_ascii_digit() => u8::is_ascii_digit,
            Some(byte) if byte.is_ascii_alphabetic() || *byte == b'_' => {
                |byte| byte.is_ascii_alphanumeric() || *byte == b'_'
            }
            Some(b'@' | b'*' | b'#' | b'?' | b'-' | b'$' | b'!') => return 1,
            _ => return 0,
        };
        rest.iter().take_while(|byte| is_in_name(byte)).count()
    }

    fn operator_len(&self, position: usize) -> usize {
        let byte = |offset| self.byte_at(position + offset);
        match (byte(0), byte(1)) {
            (Some(b':'), Some(b'-' | b'=' | b'?' | b'+')) => 2,
            (Some(first @ (b'#' | b'%' | b'^' | b',' | b'~')), Some(second)) if first == second => {
                2
            }
            (Some(b'/'), Some(b'/' | b'#' | b'%')) => 2,
            // `${name@Q}`, `${!prefix@}`.
            (Some(b'@'), Some(letter)) if letter.is_ascii_alphabetic() => 2,
            (
                Some(
                    b':' | b'-' | b'=' | b'?' | b'+' | b'#' | b'%' | b'^' | b',' | b'~' | b'/'
                    | b'@' | b'*',
                ),
                _,
            ) => 1,
            _ => 0,
        }
    }

    /// Adds the words behind an operator up to the `}`, and returns where it stands.
    fn operands(&mut self, operator: &Range<usize>, is_quoted: bool) -> usize {
        let (splits_at, is_pattern) = match self.slice(operator.clone()).as_bytes() {
            [b'/', ..] => (Some(OperandToken::Slash), true),
            [b':'] => (Some(OperandToken::Colon), false),
            [b'#' | b'%' | b'^' | b',' | b'~', ..] => (None, true),
            _ => (None, false),
        };
        // In double quotes, `'` is a quote in front of patterns only (POSIX XCU 2.6.2).
        let quotes = Quotes {
            are_open: is_quoted,
            are_read: !is_quoted || is_pattern,
        };
        let mut position = self.operand(operator.end, splits_at, quotes);
        if splits_at.is_some() && matches!(self.byte_at(position), Some(b'/' | b':')) {
            position += 1;
            self.emitter.token(EXPANSION_OPERATOR, position);
            position = self.operand(position, None, quotes);
        }
        position
    }

    /// Adds one word up to the `}` or the token that splits it from the next, and returns where that stands.
    fn operand(&mut self, start: usize, splits_at: Option<OperandToken>, quotes: Quotes) -> usize {
        if matches!(self.byte_at(start), None | Some(b'}')) {
            return start;
        }
        self.emitter.start_node(WORD);
        let mut position = start;
        loop {
            let mut lexer = OperandToken::lexer(self.bytes_from(position));
            let Some(token) = lexer.next() else { break };
            let token = token.unwrap_or(OperandToken::Text);
            let end = position + lexer.span().end;
            if token == OperandToken::RightBrace || Some(token) == splits_at {
                break;
            }
            position = match token {
                OperandToken::Escape => self.part(ESCAPE, position, end),
                OperandToken::Continuation => self.part(CONTINUATION, position, end),
                OperandToken::SingleQuote if quotes.are_read => {
                    let end = self.single_quoted_end(position, end);
                    self.part(SINGLE_QUOTED, position, end)
                }
                OperandToken::AnsiQuote if quotes.are_read => {
                    let end = self.ansi_quoted_end(position, end);
                    self.part(ANSI_C_QUOTED, position, end)
                }
                OperandToken::DoubleQuote => {
                    self.emitter.token(TEXT, position);
                    self.double_quoted(position, end)
                }
                OperandToken::Substitution(substitution) => {
                    self.emitter.token(TEXT, position);
                    self.substitution(substitution, position, end, quotes.are_open)
                }
                _ => end,
            };
        }
        self.emitter.token(TEXT, position);
        self.emitter.finish_node();
        position
    }

    /// Adds the text up to `start` and a token behind it.
    fn part(&mut self, kind: SyntaxKind, start: usize, end: usize) -> usize {
        self.emitter.token(TEXT, start);
        self.emitter.token(kind, end);
        end
    }

    fn single_quoted_end(&mut self, start: usize, end: usize) -> usize {
        if let Some(at) = memchr::memchr(b'\'', self.bytes_from(end)) {
            return end + at + 1;
        }
        self.never_closed(start..end, "'");
        self.end
    }

    fn ansi_quoted_end(&mut self, start: usize, end: usize) -> usize {
        let mut position = end;
        while let Some(at) = memchr::memchr2(b'\'', b'\\', self.bytes_from(position)) {
            position += at;
            if self.byte_at(position) == Some(b'\'') {
                return position + 1;
            }
            position += 2;
        }
        self.never_closed(start..end, "'");
        self.end
    }
}
