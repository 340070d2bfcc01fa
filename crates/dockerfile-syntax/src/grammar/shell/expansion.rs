//! What starts with `$` or `` ` ``: parameters, commands, arithmetic.

use super::ShellGrammar;
use crate::SyntaxKind;
use crate::SyntaxKind::{
    ARITHMETIC, BACKQUOTE, COMMAND_SUBSTITUTION, DOLLAR, DOLLAR_PAREN, EXPANSION, NAME, OPAQUE,
    PROCESS_PAREN, PROCESS_SUBSTITUTION, R_PAREN, TEXT,
};
use crate::lexer::shell::{ShellToken, Substitution};

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
        let found = find_outside_of_quotes(self.bytes_from(start), open, close);
        if let Err(seen) = found {
            self.pay_lookahead(seen);
        }
        Some(start + found.ok()?)
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
