//! What starts with `$` or `` ` ``: parameters, commands, arithmetic.

use std::ops::Range;

use logos::Logos;

use super::ShellGrammar;
use crate::SyntaxKind;
use crate::SyntaxKind::{
    ANSI_C_QUOTED, ARITHMETIC, BACKQUOTE, COMMAND_SUBSTITUTION, CONTINUATION, DOLLAR, DOLLAR_BRACE,
    DOLLAR_PAREN, ESCAPE, EXPANSION, EXPANSION_OPERATOR, NAME, OPAQUE, PROCESS_PAREN,
    PROCESS_SUBSTITUTION, R_BRACE, R_PAREN, SINGLE_QUOTED, TEXT, WORD,
};
use crate::lexer::shell::{OperandToken, ShellToken, Substitution};

/// How `'` is read inside of `${...}`.
#[derive(Clone, Copy)]
struct Quotes {
    /// Whether all of it stands in double quotes.
    are_open: bool,
    /// Whether `'` is a quote.
    are_read: bool,
}

impl ShellGrammar<'_, '_> {
    /// Adds what starts at `start..end` and returns where it ends. The emitter stands at `start`.
    pub(super) fn substitution(
        &mut self,
        substitution: Substitution,
        start: usize,
        end: usize,
        is_quoted: bool,
    ) -> usize {
        match substitution {
            Substitution::Variable => {
                self.emitter.start_node(EXPANSION);
                self.emitter.token(DOLLAR, start + 1);
                self.emitter.token(NAME, end);
                self.emitter.finish_node();
                end
            }
            Substitution::Parameter => {
                if !self.enter() {
                    return self.end;
                }
                let end = self.parameter(start, end, is_quoted);
                self.leave();
                end
            }
            Substitution::Command => self.command_substitution(start, end),
            Substitution::Arithmetic => match self.arithmetic_end(end) {
                Some(end) => {
                    self.emitter.token(ARITHMETIC, end);
                    end
                }
                None => self.command_substitution(start, end - 1),
            },
            Substitution::OldArithmetic => {
                // dash does not know it: what is not closed is text.
                let (kind, end) = match self.bracket_end(end) {
                    Some(end) => (ARITHMETIC, end),
                    None => (TEXT, end),
                };
                self.emitter.token(kind, end);
                end
            }
            Substitution::Backquote => self.backquoted(start),
        }
    }

    fn command_substitution(&mut self, start: usize, end: usize) -> usize {
        self.nested_script(COMMAND_SUBSTITUTION, DOLLAR_PAREN, start, end)
    }

    /// Adds `<(...)` or `>(...)`.
    pub(super) fn process_substitution(&mut self, start: usize, end: usize) -> usize {
        self.nested_script(PROCESS_SUBSTITUTION, PROCESS_PAREN, start, end)
    }

    fn nested_script(
        &mut self,
        kind: SyntaxKind,
        opener: SyntaxKind,
        start: usize,
        end: usize,
    ) -> usize {
        if !self.enter() {
            return self.end;
        }
        let awaited = std::mem::take(&mut self.awaited);
        let takes_arrays = std::mem::take(&mut self.takes_arrays);
        self.awaited.parens = 1;
        self.substitutions += 1;
        self.emitter.start_node(kind);
        self.emitter.token(opener, end);
        self.read_from(end);
        self.script();
        if self.token == ShellToken::RightParen {
            self.emitter.token(R_PAREN, self.token_end);
        } else {
            self.never_closed(start..end, ")");
        }
        self.emitter.finish_node();
        self.substitutions -= 1;
        self.awaited = awaited;
        self.takes_arrays = takes_arrays;
        self.leave();
        self.token_end
    }

    /// Adds `` `...` ``. With a backslash inside, what the shell runs is not what is written: it stays unread.
    fn backquoted(&mut self, start: usize) -> usize {
        if !self.enter() {
            return self.end;
        }
        let (close, has_escape) = self.backquote_end(start + 1);
        self.emitter.start_node(COMMAND_SUBSTITUTION);
        self.emitter.token(BACKQUOTE, start + 1);
        match close {
            None => {
                self.never_closed(start..start + 1, "`");
                self.emitter.token(OPAQUE, self.end);
            }
            Some(close) if has_escape => self.emitter.token(OPAQUE, close),
            Some(close) => {
                let end = std::mem::replace(&mut self.end, close);
                let awaited = std::mem::take(&mut self.awaited);
                let takes_arrays = std::mem::take(&mut self.takes_arrays);
                let is_swallowed = self.is_swallowed;
                self.read_from(start + 1);
                self.script();
                self.end = end;
                self.awaited = awaited;
                self.takes_arrays = takes_arrays;
                self.is_swallowed = is_swallowed;
            }
        }
        let end = match close {
            Some(close) => {
                self.emitter.token(BACKQUOTE, close + 1);
                close + 1
            }
            None => self.end,
        };
        self.emitter.finish_node();
        self.leave();
        end
    }

    /// Returns where the next backquote stands that no backslash protects, and whether a backslash stands before it.
    fn backquote_end(&self, start: usize) -> (Option<usize>, bool) {
        let mut position = start;
        let mut has_escape = false;
        while let Some(at) = memchr::memchr2(b'`', b'\\', self.bytes_from(position)) {
            let found = position + at;
            if self.byte_at(found) == Some(b'`') {
                return (Some(found), has_escape);
            }
            has_escape = true;
            position = (found + 2).min(self.end);
        }
        (None, has_escape)
    }

    /// Adds `${...}`, whose `${` stands at `start..end`.
    fn parameter(&mut self, start: usize, end: usize, is_quoted: bool) -> usize {
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
        match memchr::memchr(b'\'', self.bytes_from(end)) {
            Some(at) => end + at + 1,
            None => {
                self.never_closed(start..end, "'");
                self.end
            }
        }
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

    /// Returns where `((...))` ends, when the two parentheses before `start` are closed by two that stand together.
    pub(super) fn arithmetic_end(&mut self, start: usize) -> Option<usize> {
        let end = self.find_outside_of_quotes(start, b'(', b')')?;
        if self.byte_at(end + 1) == Some(b')') {
            return Some(end + 2);
        }
        self.pay_lookahead(end - start);
        None
    }

    /// Returns where `[...]` ends, whose `[` stands in front of `start`.
    pub(super) fn bracket_end(&mut self, start: usize) -> Option<usize> {
        Some(self.find_outside_of_quotes(start, b'[', b']')? + 1)
    }

    /// Returns where the `close` stands that belongs to the `open` in front of `start`.
    fn find_outside_of_quotes(&mut self, start: usize, open: u8, close: u8) -> Option<usize> {
        if self.lookahead == 0 {
            return None;
        }
        match find_outside_of_quotes(self.bytes_from(start), open, close) {
            Ok(at) => Some(start + at),
            Err(seen) => {
                self.pay_lookahead(seen);
                None
            }
        }
    }

    /// Counts bytes that were looked at and will be read again.
    pub(super) fn pay_lookahead(&mut self, len: usize) {
        self.lookahead = self.lookahead.saturating_sub(len);
    }
}

/// Returns where `close` stands, or how much was looked at.
fn find_outside_of_quotes(bytes: &[u8], open: u8, close: u8) -> Result<usize, usize> {
    let mut depth = 0_usize;
    let mut position = 0;
    while let Some(byte) = bytes.get(position) {
        match *byte {
            b'\\' => position += 1,
            b'\'' => {
                let rest = bytes.get(position + 1..).unwrap_or_default();
                let at = memchr::memchr(b'\'', rest).ok_or(bytes.len())?;
                position += at + 1;
            }
            b'"' => position = double_quote_end(bytes, position + 1).ok_or(bytes.len())?,
            byte if byte == open => depth += 1,
            byte if byte == close => match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return Ok(position),
            },
            _ => {}
        }
        position += 1;
    }
    Err(bytes.len())
}

/// Returns where the `"` stands that no backslash protects.
fn double_quote_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut position = start;
    loop {
        let at = memchr::memchr2(b'"', b'\\', bytes.get(position..)?)?;
        position += at;
        if bytes.get(position) == Some(&b'"') {
            return Some(position);
        }
        position += 2;
    }
}
