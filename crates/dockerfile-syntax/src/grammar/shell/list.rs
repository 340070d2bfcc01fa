//! Lists of commands: scripts, `&&` and `||`, pipelines.

use std::ops::Range;

use super::ShellGrammar;
use super::faults::operator_kind;
use super::reserved::Reserved;
use crate::SyntaxKind::{AND_OR_LIST, BANG, NAME, PIPELINE, RESERVED_WORD, SCRIPT};
use crate::lexer::shell::ShellToken;

impl ShellGrammar<'_, '_> {
    /// Adds the commands up to what ends the list, and returns whether there are any.
    pub(super) fn script(&mut self) -> bool {
        self.emitter.start_node(SCRIPT);
        let mut has_command = false;
        loop {
            match self.token {
                ShellToken::End => break,
                ShellToken::Newline => self.newline(),
                ShellToken::Hash => self.comment(),
                ShellToken::RightParen if self.awaited.parens > 0 => break,
                ShellToken::CaseEnd if self.awaited.cases > 0 => break,
                ShellToken::RightParen
                | ShellToken::CaseEnd
                | ShellToken::Semicolon
                | ShellToken::Amp
                | ShellToken::AndAnd
                | ShellToken::OrOr
                | ShellToken::Pipe
                | ShellToken::PipeAmp => self.stray_operator(),
                _ => match self.reserved() {
                    Some(closer) if closer.is_closer() => {
                        if self.awaited.has(closer) {
                            break;
                        }
                        self.stray_closer(closer);
                    }
                    reserved => {
                        has_command = true;
                        self.and_or_list(reserved);
                        self.separator();
                    }
                },
            }
        }
        self.flush();
        self.emitter.finish_node();
        has_command
    }

    /// Adds the `;` or `&` behind a command, and what stands in front of it though it cannot.
    fn separator(&mut self) {
        let is_ended = match self.token {
            ShellToken::End
            | ShellToken::Newline
            | ShellToken::Hash
            | ShellToken::RightParen
            | ShellToken::CaseEnd
            | ShellToken::Semicolon
            | ShellToken::Amp => true,
            _ => self.reserved().is_some_and(Reserved::is_closer),
        };
        if !is_ended {
            self.unexpected();
        }
        let is_separator = matches!(self.token, ShellToken::Semicolon | ShellToken::Amp);
        if (is_separator || !is_ended)
            && let Some(kind) = operator_kind(self.token)
        {
            self.bump(kind);
        }
    }

    /// Adds commands joined by `&&` and `||`. A command is ahead.
    fn and_or_list(&mut self, reserved: Option<Reserved>) {
        self.flush();
        let checkpoint = self.emitter.checkpoint();
        self.pipeline(reserved);
        if !matches!(self.token, ShellToken::AndAnd | ShellToken::OrOr) {
            return;
        }
        self.emitter.start_node_at(checkpoint, AND_OR_LIST);
        while let ShellToken::AndAnd | ShellToken::OrOr = self.token {
            self.bump_operator();
            if let Some(reserved) = self.command_ahead() {
                self.pipeline(reserved);
            }
        }
        self.emitter.finish_node();
    }

    /// Adds an operator that a command has to follow, and the line ends behind it.
    fn bump_operator(&mut self) {
        let operator = self.token_range();
        if let Some(kind) = operator_kind(self.token) {
            self.bump(kind);
        }
        let is_comment_next = self.token == ShellToken::Hash;
        self.line_breaks();
        if self.command_ahead().is_none() {
            self.no_command_behind(operator, is_comment_next);
        }
    }

    /// Returns the reserved word ahead, if any, where a command is ahead; else `None`.
    #[expect(
        clippy::option_option,
        reason = "whether a command is ahead, and which"
    )]
    pub(super) fn command_ahead(&self) -> Option<Option<Reserved>> {
        match self.token {
            ShellToken::LeftParen | ShellToken::Redirection | ShellToken::HereDocument => {
                Some(None)
            }
            token if token.starts_word() => {
                let reserved = self.reserved();
                (!reserved.is_some_and(Reserved::is_closer)).then_some(reserved)
            }
            _ => None,
        }
    }

    /// Adds commands joined by `|`, with `!`, `time` and `coproc` in front.
    fn pipeline(&mut self, reserved: Option<Reserved>) {
        self.flush();
        let checkpoint = self.emitter.checkpoint();
        let mut is_open = false;
        let mut reserved = reserved;
        let mut prefix: Option<(Reserved, Range<usize>)> = None;
        loop {
            while let Some(word @ (Reserved::Bang | Reserved::Time | Reserved::Coproc)) = reserved {
                if self.is_external_time(word) {
                    break;
                }
                if !is_open {
                    is_open = true;
                    self.emitter.start_node_at(checkpoint, PIPELINE);
                }
                prefix = Some((word, self.token_range()));
                self.prefix(word);
                reserved = self.reserved();
            }
            if self.command_ahead().is_some() {
                self.command(reserved);
            } else {
                self.check_prefix(prefix.take());
            }
            if !matches!(self.token, ShellToken::Pipe | ShellToken::PipeAmp) {
                break;
            }
            if !is_open {
                is_open = true;
                self.emitter.start_node_at(checkpoint, PIPELINE);
            }
            self.bump_operator();
            reserved = self.reserved();
            if reserved == Some(Reserved::Bang) {
                let message = "`!` can only stand in front of a whole pipeline".to_owned();
                self.error(self.token_range(), message, None);
            }
        }
        if is_open {
            self.emitter.finish_node();
        }
    }

    fn prefix(&mut self, word: Reserved) {
        match word {
            Reserved::Bang => self.bump(BANG),
            Reserved::Time => {
                self.bump(RESERVED_WORD);
                if self.is_at_word("-p") {
                    self.word();
                }
            }
            _ => {
                self.bump(RESERVED_WORD);
                if self.is_coproc_name() {
                    self.bump(NAME);
                }
            }
        }
    }

    /// Returns whether `time` is followed by an option that only the program has, such as `-f`.
    fn is_external_time(&self, word: Reserved) -> bool {
        if word != Reserved::Time {
            return false;
        }
        let rest = self.bytes_from(self.token_end);
        let blanks = rest
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count();
        let option = rest.get(blanks..).unwrap_or_default();
        option.starts_with(b"-") && !(option.starts_with(b"-p ") || option.starts_with(b"-p\t"))
    }

    /// Returns whether a name is ahead that a compound command follows: `coproc NAME { ...; }`.
    fn is_coproc_name(&self) -> bool {
        if self.token != ShellToken::Plain || self.reserved().is_some() {
            return false;
        }
        let rest = self.bytes_from(self.token_end);
        let blanks = rest
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count();
        blanks > 0 && matches!(rest.get(blanks), Some(b'{' | b'('))
    }

    /// Says that nothing follows `!`, where neither bash nor dash takes that.
    fn check_prefix(&mut self, prefix: Option<(Reserved, Range<usize>)>) {
        if let Some((Reserved::Bang, range)) = prefix
            && operator_kind(self.token).is_some()
            && !matches!(self.token, ShellToken::Semicolon | ShellToken::Amp)
        {
            self.no_command_behind(range, false);
        }
    }
}
