//! Simple commands, their assignments, and functions.

use std::ops::Range;

use super::ShellGrammar;
use super::reserved::Reserved;
use crate::SyntaxKind::{
    ASSIGNMENT, ASSIGNMENT_OPERATOR, FUNCTION_DEFINITION, L_PAREN, NAME, R_PAREN, RESERVED_WORD,
    SIMPLE_COMMAND, TEXT,
};
use crate::lexer::shell::ShellToken;

impl ShellGrammar<'_, '_> {
    /// Adds the command ahead.
    pub(super) fn command(&mut self, reserved: Option<Reserved>) {
        match reserved {
            Some(Reserved::If) => self.if_command(),
            Some(Reserved::For | Reserved::Select) => self.for_command(),
            Some(Reserved::While | Reserved::Until) => self.loop_command(),
            Some(Reserved::Case) => self.case_command(),
            Some(Reserved::LeftBrace) => self.brace_group(),
            Some(Reserved::LeftBrackets) => self.conditional_command(),
            Some(Reserved::Function) => self.function_command(),
            _ if self.token == ShellToken::LeftParen => self.subshell_or_arithmetic(),
            _ => self.simple_command(),
        }
    }

    fn simple_command(&mut self) {
        self.flush();
        self.emitter.start_node(SIMPLE_COMMAND);
        self.takes_arrays = false;
        let mut has_word = false;
        loop {
            match self.token {
                ShellToken::Redirection | ShellToken::HereDocument => self.redirection(),
                ShellToken::Plain if self.is_at_io_number() => self.redirection(),
                ShellToken::Plain if !has_word => {
                    if self.opt_assignment() {
                        continue;
                    }
                    has_word = true;
                    let name = self.token_range();
                    self.word();
                    if self.token == ShellToken::LeftParen && self.is_at_empty_parens() {
                        self.function(name);
                        return;
                    }
                    self.takes_arrays = takes_arrays(self.slice(name));
                }
                token if token.starts_word() => {
                    has_word = true;
                    self.word();
                }
                _ => break,
            }
        }
        self.emitter.finish_node();
    }

    /// Adds an assignment, if the plain text ahead starts one.
    fn opt_assignment(&mut self) -> bool {
        let text = self.token_text().as_bytes();
        let name_len = name_len(text);
        if name_len == 0 {
            return false;
        }
        let name_end = self.start + name_len;
        let mut operator = name_end;
        if self.byte_at(operator) == Some(b'[') {
            let Some(end) = self.bracket_end(operator + 1) else {
                return false;
            };
            operator = end;
        }
        let operator_len = match (self.byte_at(operator), self.byte_at(operator + 1)) {
            (Some(b'='), _) => 1,
            (Some(b'+'), Some(b'=')) => 2,
            _ => {
                self.pay_lookahead(operator - name_end);
                return false;
            }
        };
        self.flush();
        self.emitter.start_node(ASSIGNMENT);
        self.emitter.token(NAME, name_end);
        self.emitter.token(TEXT, operator);
        self.emitter
            .token(ASSIGNMENT_OPERATOR, operator + operator_len);
        self.assigned_value(operator + operator_len);
        self.emitter.finish_node();
        true
    }

    /// Adds what stands right behind the `=`.
    fn assigned_value(&mut self, position: usize) {
        if self.token_end > position {
            // The `=` stands inside of the plain text ahead. What is left of it is text even if it starts with `#`.
            self.behind = position;
            self.start = position;
            self.has_continuation = false;
            self.word();
            return;
        }
        self.read_from(position);
        if !self.is_glued {
            return;
        }
        match self.token {
            ShellToken::LeftParen => self.array(),
            ShellToken::Hash => self.word(),
            token if token.starts_word() => self.word(),
            _ => {}
        }
    }

    /// Returns whether `()` is ahead.
    fn is_at_empty_parens(&self) -> bool {
        let rest = self.bytes_from(self.token_end);
        let blanks = rest
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count();
        rest.get(blanks) == Some(&b')')
    }

    /// Adds the `()` and the body of a function whose name was taken for the name of a simple command.
    fn function(&mut self, name: Range<usize>) {
        self.emitter.change_kind(FUNCTION_DEFINITION);
        self.bump(L_PAREN);
        self.bump(R_PAREN);
        self.function_body(name);
        self.emitter.finish_node();
    }

    /// Adds `function name [()] body`.
    fn function_command(&mut self) {
        self.flush();
        self.emitter.start_node(FUNCTION_DEFINITION);
        self.bump(RESERVED_WORD);
        let name = self.token_range();
        if self.token.starts_word() {
            self.word();
        }
        if self.token == ShellToken::LeftParen && self.is_at_empty_parens() {
            self.bump(L_PAREN);
            self.bump(R_PAREN);
        }
        self.function_body(name);
        self.emitter.finish_node();
    }

    fn function_body(&mut self, name: Range<usize>) {
        self.line_breaks();
        let Some(reserved) = self.command_ahead() else {
            let message = format!("the function `{}` has no body", self.slice(name.clone()));
            self.error(name, message, None);
            return;
        };
        // Each body is one level, or `f()f()f()...` would have no bottom.
        if self.enter() {
            self.command(reserved);
            self.leave();
        }
    }
}

/// Returns the length of the variable name at the start.
fn name_len(text: &[u8]) -> usize {
    match text.first() {
        Some(first) if first.is_ascii_alphabetic() || *first == b'_' => text
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
            .count(),
        _ => 0,
    }
}

/// Returns whether bash takes `name=(...)` as an argument of the command.
fn takes_arrays(command: &str) -> bool {
    matches!(
        command,
        "declare" | "typeset" | "local" | "export" | "readonly" | "eval" | "let" | "alias"
    )
}
