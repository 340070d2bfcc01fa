//! Compound commands.

use std::ops::Range;

use super::ShellGrammar;
use super::reserved::Reserved;
use crate::SyntaxKind;
use crate::SyntaxKind::{
    AND_AND, ARITHMETIC, ARITHMETIC_COMMAND, BANG, BRACE_GROUP, CASE_COMMAND, CASE_END, CASE_ITEM,
    CONDITIONAL_COMMAND, FOR_COMMAND, IF_COMMAND, L_PAREN, LOOP_COMMAND, NAME, OR_OR, PIPE,
    R_PAREN, RESERVED_WORD, SEMICOLON, SUBSHELL,
};
use crate::lexer::shell::ShellToken;

impl ShellGrammar<'_, '_> {
    /// Adds a compound command: `inside`, and the redirections behind it. `inside` gets the first token.
    fn compound(&mut self, kind: SyntaxKind, inside: impl FnOnce(&mut Self, Range<usize>)) {
        self.flush();
        self.emitter.start_node(kind);
        if self.enter() {
            let opener = self.token_range();
            inside(self, opener);
            self.redirections();
            self.leave();
        }
        self.emitter.finish_node();
    }

    /// Adds the commands behind the keyword at `keyword`, and says so where there are none.
    fn body(&mut self, keyword: Range<usize>) {
        let errors = self.errors.len();
        let has_command = self.script();
        if !has_command && self.token != ShellToken::End && self.errors.len() == errors {
            let text = self.slice(keyword.clone());
            self.error(keyword, format!("`{text}` has no command after it"), None);
        }
    }

    pub(super) fn if_command(&mut self) {
        self.compound(IF_COMMAND, |this, opener| {
            this.awaited.conditions += 1;
            let mut keyword = opener.clone();
            // What has to come next: `then`; or `elif`, `else` or `fi`; or `fi` alone.
            let mut awaited = Reserved::Then;
            this.bump(RESERVED_WORD);
            loop {
                this.body(keyword);
                keyword = this.token_range();
                match (this.reserved(), awaited) {
                    (Some(Reserved::Then), Reserved::Then) => awaited = Reserved::Elif,
                    (Some(Reserved::Elif), Reserved::Elif) => awaited = Reserved::Then,
                    (Some(Reserved::Else), Reserved::Elif) => awaited = Reserved::Fi,
                    (Some(Reserved::Fi), _) => {
                        if awaited == Reserved::Then {
                            this.missing(opener, "then");
                        }
                        this.bump(RESERVED_WORD);
                        break;
                    }
                    (Some(stray @ (Reserved::Then | Reserved::Elif | Reserved::Else)), _) => {
                        this.stray_closer(stray);
                        continue;
                    }
                    _ => {
                        let word = if awaited == Reserved::Then {
                            "then"
                        } else {
                            "fi"
                        };
                        this.missing(opener, word);
                        break;
                    }
                }
                this.bump(RESERVED_WORD);
            }
            this.awaited.conditions -= 1;
        });
    }

    pub(super) fn loop_command(&mut self) {
        self.compound(LOOP_COMMAND, |this, opener| {
            this.awaited.loops += 1;
            this.bump(RESERVED_WORD);
            this.body(opener.clone());
            this.loop_body(opener);
            this.awaited.loops -= 1;
        });
    }

    pub(super) fn for_command(&mut self) {
        self.compound(FOR_COMMAND, |this, opener| {
            this.bump(RESERVED_WORD);
            let arithmetic = this.opt_double_parens();
            if let Some(end) = arithmetic {
                this.flush();
                this.emitter.token(ARITHMETIC, end);
                this.read_from(end);
            } else if !this.loop_variable(opener.clone()) {
                return;
            }
            this.line_breaks();
            if this.is_at_word("in") {
                this.bump(RESERVED_WORD);
                while this.token.starts_word() {
                    this.word();
                }
            }
            if this.token == ShellToken::Semicolon {
                this.bump(SEMICOLON);
            }
            this.line_breaks();
            if this.token == ShellToken::LeftParen {
                this.unexpected();
            }
            if this.reserved() == Some(Reserved::LeftBrace) {
                this.braces();
                return;
            }
            this.awaited.loops += 1;
            this.loop_body(opener);
            this.awaited.loops -= 1;
        });
    }

    /// Adds the name behind `for`.
    fn loop_variable(&mut self, opener: Range<usize>) -> bool {
        if self.token == ShellToken::Plain && self.is_word_end(self.token_end) {
            self.bump(NAME);
            return true;
        }
        let keyword = self.slice(opener.clone());
        if self.token.starts_word() {
            let message = format!(
                "`{}` cannot be the variable of `{keyword}`",
                self.short_token_text()
            );
            let help = (self.token_text().starts_with('$')).then_some("write the name without `$`");
            self.error(self.token_range(), message, help);
            self.word();
            return true;
        }
        self.error(opener, format!("`{keyword}` has no variable"), None);
        false
    }

    /// Adds `do ... done`.
    fn loop_body(&mut self, opener: Range<usize>) {
        match self.reserved() {
            Some(Reserved::Do) => {}
            Some(Reserved::Done) => {
                self.missing(opener, "do");
                self.bump(RESERVED_WORD);
                return;
            }
            _ => {
                self.missing(opener.clone(), "do");
                if !self.resumes_at_do() {
                    return;
                }
            }
        }
        let keyword = self.token_range();
        self.bump(RESERVED_WORD);
        self.body(keyword);
        while self.reserved() == Some(Reserved::Do) {
            self.stray_closer(Reserved::Do);
            self.script();
        }
        if self.reserved() == Some(Reserved::Done) {
            self.bump(RESERVED_WORD);
        } else {
            self.missing(opener, "done");
        }
    }

    /// Reads commands up to a `do` that comes too late, and returns whether it is ahead.
    fn resumes_at_do(&mut self) -> bool {
        if self.token == ShellToken::End {
            return false;
        }
        self.script();
        match self.reserved() {
            Some(Reserved::Do) => true,
            Some(Reserved::Done) => {
                self.bump(RESERVED_WORD);
                false
            }
            _ => false,
        }
    }

    pub(super) fn brace_group(&mut self) {
        self.compound(BRACE_GROUP, |this, _| this.braces());
    }

    /// Adds `{ ... }`.
    fn braces(&mut self) {
        let opener = self.token_range();
        self.awaited.braces += 1;
        self.bump(RESERVED_WORD);
        self.body(opener.clone());
        if self.reserved() == Some(Reserved::RightBrace) {
            self.bump(RESERVED_WORD);
        } else {
            self.missing(opener, "}");
        }
        self.awaited.braces -= 1;
    }

    pub(super) fn subshell_or_arithmetic(&mut self) {
        if let Some(end) = self.opt_double_parens() {
            self.compound(ARITHMETIC_COMMAND, |this, _| {
                this.emitter.token(ARITHMETIC, end);
                this.read_from(end);
            });
            return;
        }
        self.compound(SUBSHELL, |this, opener| {
            this.awaited.parens += 1;
            this.bump(L_PAREN);
            this.body(opener.clone());
            if this.token == ShellToken::RightParen {
                this.bump(R_PAREN);
            } else {
                this.missing(opener, ")");
            }
            this.awaited.parens -= 1;
        });
    }

    /// Returns where the `((...))` ends that is ahead, if one is.
    fn opt_double_parens(&mut self) -> Option<usize> {
        if self.token != ShellToken::LeftParen || self.byte_at(self.token_end) != Some(b'(') {
            return None;
        }
        self.arithmetic_end(self.token_end + 1)
    }

    pub(super) fn case_command(&mut self) {
        self.compound(CASE_COMMAND, |this, opener| {
            this.bump(RESERVED_WORD);
            if this.token.starts_word() {
                this.word();
            } else {
                let message = "`case` has no word to look at".to_owned();
                this.error(opener.clone(), message, None);
            }
            this.line_breaks();
            if this.is_at_word("in") {
                this.bump(RESERVED_WORD);
            } else {
                this.missing(opener.clone(), "in");
            }
            this.awaited.cases += 1;
            loop {
                this.line_breaks();
                if this.is_at_word("esac") {
                    this.bump(RESERVED_WORD);
                    break;
                }
                let is_ended = this.case_item();
                if !is_ended && !this.is_at_word("esac") {
                    this.missing(opener, "esac");
                    break;
                }
            }
            this.awaited.cases -= 1;
        });
    }

    /// Adds `[(] pattern [| pattern]... ) commands [;;]`. Returns whether `;;` ends it.
    fn case_item(&mut self) -> bool {
        if self.token != ShellToken::LeftParen && !self.token.starts_word() {
            return false;
        }
        self.flush();
        self.emitter.start_node(CASE_ITEM);
        if self.token == ShellToken::LeftParen {
            self.bump(L_PAREN);
        }
        let first = self.token_range();
        while self.token.starts_word() {
            self.word();
            if self.token == ShellToken::Pipe {
                self.bump(PIPE);
            } else {
                break;
            }
        }
        if self.token == ShellToken::RightParen {
            self.bump(R_PAREN);
        } else {
            let pattern = self.slice(first.clone());
            let message = format!("the pattern `{pattern}` has no `)` behind it");
            self.error(first, message, None);
            if self.token.starts_word() {
                self.skip_to_separator();
            }
            if self.token == ShellToken::RightParen {
                self.bump(R_PAREN);
            }
        }
        self.script();
        let is_ended = self.token == ShellToken::CaseEnd;
        if is_ended {
            self.bump(CASE_END);
        }
        self.emitter.finish_node();
        is_ended
    }

    /// Adds `[[ ... ]]`.
    pub(super) fn conditional_command(&mut self) {
        self.compound(CONDITIONAL_COMMAND, |this, opener| {
            this.bump(RESERVED_WORD);
            let mut parens = 0_usize;
            loop {
                match this.token {
                    ShellToken::Newline => this.newline(),
                    ShellToken::Hash => this.comment(),
                    ShellToken::AndAnd => this.bump(AND_AND),
                    ShellToken::OrOr => this.bump(OR_OR),
                    ShellToken::Redirection => this.bump(RESERVED_WORD),
                    ShellToken::LeftParen => {
                        parens += 1;
                        this.bump(L_PAREN);
                    }
                    ShellToken::RightParen if parens > 0 => {
                        parens -= 1;
                        this.bump(R_PAREN);
                    }
                    token if token.starts_word() => {
                        if this.is_at_word("]]") {
                            this.bump(RESERVED_WORD);
                            break;
                        }
                        this.operand_of_condition();
                    }
                    _ => {
                        this.missing(opener, "]]");
                        break;
                    }
                }
            }
        });
    }

    fn operand_of_condition(&mut self) {
        if self.is_at_word("!") {
            self.bump(BANG);
            return;
        }
        let is_match = self.is_at_word("=~");
        self.word();
        let is_operand = self.token.starts_word() || self.token == ShellToken::LeftParen;
        if is_match && is_operand {
            self.regular_expression();
        }
    }
}
