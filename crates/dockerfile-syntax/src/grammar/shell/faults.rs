//! What is wrong with a script, and how reading goes on behind it.

use std::ops::Range;

use super::reserved::Reserved;
use super::{ShellContext, ShellGrammar};
use crate::SyntaxKind::{
    AMP, AND_AND, CASE_END, ERROR, L_PAREN, OR_OR, PIPE, PIPE_AMP, R_PAREN, RESERVED_WORD,
    SEMICOLON,
};
use crate::lexer::shell::ShellToken;
use crate::{SyntaxError, SyntaxErrorKind, SyntaxKind};

/// More faults than this are not said of one script.
pub(super) const MOST_ERRORS: usize = 100;

/// How many commands of each sort are open, to tell a missing end from a stray one.
#[derive(Clone, Copy, Default)]
pub(super) struct Awaited {
    pub(super) conditions: usize,
    pub(super) loops: usize,
    pub(super) cases: usize,
    pub(super) braces: usize,
    pub(super) parens: usize,
}

impl Awaited {
    /// Returns whether an open command waits for the word, or for another one of the same command.
    pub(super) fn has(&self, closer: Reserved) -> bool {
        let count = match closer {
            Reserved::Then | Reserved::Elif | Reserved::Else | Reserved::Fi => self.conditions,
            Reserved::Do | Reserved::Done => self.loops,
            Reserved::Esac => self.cases,
            Reserved::RightBrace => self.braces,
            _ => 0,
        };
        count > 0
    }
}

/// Returns the kind of an operator between commands.
pub(super) fn operator_kind(token: ShellToken) -> Option<SyntaxKind> {
    Some(match token {
        ShellToken::AndAnd => AND_AND,
        ShellToken::OrOr => OR_OR,
        ShellToken::Pipe => PIPE,
        ShellToken::PipeAmp => PIPE_AMP,
        ShellToken::Amp => AMP,
        ShellToken::Semicolon => SEMICOLON,
        _ => return None,
    })
}

impl ShellGrammar<'_, '_> {
    pub(super) fn error(&mut self, range: Range<usize>, message: String, help: Option<&str>) {
        if self.errors.len() >= self.most_errors {
            return;
        }
        self.errors.push(SyntaxError {
            kind: SyntaxErrorKind::Shell,
            range: self.emitter.raw_range(range),
            message,
            help: help.map(str::to_owned),
        });
    }

    /// Says that the quote or bracket at `range` takes all the rest.
    pub(super) fn never_closed(&mut self, range: Range<usize>, closer: &str) {
        if self.is_swallowed {
            return;
        }
        let opener = match self.slice(range.clone()) {
            "`" => "a backquote".to_owned(),
            opener => format!("`{opener}`"),
        };
        let help = match closer {
            "`" => "add a backquote, or write `$(...)`".to_owned(),
            closer => format!("add `{closer}`"),
        };
        self.error(range, format!("{opener} is never closed"), Some(&help));
        self.is_swallowed = true;
    }

    /// Says that the command that starts at `opener` does not have the word it waits for.
    pub(super) fn missing(&mut self, opener: Range<usize>, awaited: &str) {
        if self.token == ShellToken::End && self.is_swallowed {
            return;
        }
        let word = self.slice(opener.clone());
        let is_opened_by = matches!(awaited, "then" | "do" | "in");
        let message = match (self.token, is_opened_by) {
            (ShellToken::End, true) => format!("`{word}` has no `{awaited}`"),
            (ShellToken::End, false) => format!("`{word}` is never closed by `{awaited}`"),
            _ => format!(
                "`{word}` waits for its `{awaited}`, and {} comes first",
                self.found()
            ),
        };
        let help = match awaited {
            "fi" | "done" | "esac" | "}" | "then" | "do" => {
                Some("the word counts only where a command starts: put `;` in front of it")
            }
            _ => None,
        };
        self.error(opener, message, help);
    }

    /// Returns how to name the token ahead.
    fn found(&self) -> String {
        match self.token {
            ShellToken::Newline => "the end of the line".to_owned(),
            ShellToken::Hash => "a comment".to_owned(),
            _ => format!("`{}`", self.short_token_text()),
        }
    }

    /// Returns the text of the token ahead, cut short where it is long.
    pub(super) fn short_token_text(&self) -> String {
        const LONGEST: usize = 40;
        let text = self.token_text();
        let line = text.lines().next().unwrap_or("");
        if line.chars().nth(LONGEST).is_none() && line.len() == text.len() {
            return line.to_owned();
        }
        let mut short: String = line.chars().take(LONGEST).collect();
        short.push('…');
        short
    }

    /// Says that the operator at `range` has no command behind it.
    pub(super) fn no_command_behind(&mut self, range: Range<usize>, is_commented: bool) {
        if self.token == ShellToken::End && self.is_swallowed {
            return;
        }
        let operator = self.slice(range.clone());
        let help = (is_commented && self.context == ShellContext::LogicalLine)
            .then_some("the comment takes in all that follows on the joined line");
        self.error(range, format!("`{operator}` has no command after it"), help);
    }

    /// Says that commands are nested too deep to be read.
    pub(super) fn too_deep(&mut self) {
        if !self.is_swallowed {
            let message = "commands are nested too deep to be read".to_owned();
            self.error(self.token_range(), message, None);
        }
        self.is_swallowed = true;
    }

    /// Puts an operator or `)` that nothing waits for into an ERROR node.
    pub(super) fn stray_operator(&mut self) {
        let text = self.token_text();
        let (kind, message, help) = match self.token {
            ShellToken::RightParen => (
                R_PAREN,
                "`)` without `(`".to_owned(),
                Some("to pass a parenthesis to a command, quote it"),
            ),
            ShellToken::CaseEnd => (CASE_END, format!("`{text}` outside of `case`"), None),
            token => (
                operator_kind(token).unwrap_or(SEMICOLON),
                format!("`{text}` has no command in front of it"),
                None,
            ),
        };
        self.error(self.token_range(), message, help);
        self.flush();
        self.emitter.start_node(ERROR);
        self.bump(kind);
        self.emitter.finish_node();
    }

    /// Puts a `then`, `fi`, `done` or the like that nothing waits for into an ERROR node.
    pub(super) fn stray_closer(&mut self, closer: Reserved) {
        let opener = match closer {
            Reserved::Then | Reserved::Fi => "`if`",
            Reserved::Elif | Reserved::Else => "an `if` and its `then`",
            Reserved::Do | Reserved::Done => "`for`, `while` or `until`",
            Reserved::Esac => "`case`",
            _ => "`{`",
        };
        let message = format!("`{}` without {opener}", closer.text());
        self.error(self.token_range(), message, None);
        self.flush();
        self.emitter.start_node(ERROR);
        self.bump(RESERVED_WORD);
        self.emitter.finish_node();
        if let Some(kind) = operator_kind(self.token) {
            self.bump(kind);
        }
    }

    /// Says that the token ahead cannot stand here and puts it, with all up to the next separator, into an ERROR node.
    pub(super) fn unexpected(&mut self) {
        let text = self.short_token_text();
        let (message, help) = match self.token {
            ShellToken::LeftParen => (
                "`(` cannot stand here".to_owned(),
                Some("to pass a parenthesis to a command, quote it"),
            ),
            _ => (
                format!("`{text}` stands behind a command that has ended"),
                Some("put `;` or `&&` in front of it"),
            ),
        };
        self.error(self.token_range(), message, help);
        self.skip_to_separator();
    }

    /// Puts all up to the next separator into an ERROR node.
    pub(super) fn skip_to_separator(&mut self) {
        self.flush();
        self.emitter.start_node(ERROR);
        let mut parens = 0;
        loop {
            match self.token {
                ShellToken::LeftParen => {
                    parens += 1;
                    self.bump(L_PAREN);
                }
                ShellToken::RightParen if parens > 0 => {
                    parens -= 1;
                    self.bump(R_PAREN);
                }
                ShellToken::Redirection | ShellToken::HereDocument => self.redirection(),
                token if token.starts_word() => self.word(),
                _ => break,
            }
        }
        self.emitter.finish_node();
    }
}
