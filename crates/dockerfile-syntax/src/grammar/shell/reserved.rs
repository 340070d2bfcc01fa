//! Words that mean something where a command starts.

use super::ShellGrammar;
use crate::lexer::shell::ShellToken;

/// A reserved word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reserved {
    If,
    Then,
    Elif,
    Else,
    Fi,
    For,
    Select,
    While,
    Until,
    Do,
    Done,
    Case,
    Esac,
    LeftBrace,
    RightBrace,
    Bang,
    Time,
    Coproc,
    Function,
    LeftBrackets,
}

impl Reserved {
    fn of(text: &str) -> Option<Reserved> {
        Some(match text {
            "if" => Reserved::If,
            "then" => Reserved::Then,
            "elif" => Reserved::Elif,
            "else" => Reserved::Else,
            "fi" => Reserved::Fi,
            "for" => Reserved::For,
            "select" => Reserved::Select,
            "while" => Reserved::While,
            "until" => Reserved::Until,
            "do" => Reserved::Do,
            "done" => Reserved::Done,
            "case" => Reserved::Case,
            "esac" => Reserved::Esac,
            "{" => Reserved::LeftBrace,
            "}" => Reserved::RightBrace,
            "!" => Reserved::Bang,
            "time" => Reserved::Time,
            "coproc" => Reserved::Coproc,
            "function" => Reserved::Function,
            "[[" => Reserved::LeftBrackets,
            _ => return None,
        })
    }

    pub(super) fn text(self) -> &'static str {
        match self {
            Reserved::If => "if",
            Reserved::Then => "then",
            Reserved::Elif => "elif",
            Reserved::Else => "else",
            Reserved::Fi => "fi",
            Reserved::For => "for",
            Reserved::Select => "select",
            Reserved::While => "while",
            Reserved::Until => "until",
            Reserved::Do => "do",
            Reserved::Done => "done",
            Reserved::Case => "case",
            Reserved::Esac => "esac",
            Reserved::LeftBrace => "{",
            Reserved::RightBrace => "}",
            Reserved::Bang => "!",
            Reserved::Time => "time",
            Reserved::Coproc => "coproc",
            Reserved::Function => "function",
            Reserved::LeftBrackets => "[[",
        }
    }

    /// Returns whether the word ends what another one began.
    pub(super) fn is_closer(self) -> bool {
        matches!(
            self,
            Reserved::Then
                | Reserved::Elif
                | Reserved::Else
                | Reserved::Fi
                | Reserved::Do
                | Reserved::Done
                | Reserved::Esac
                | Reserved::RightBrace
        )
    }
}

impl ShellGrammar<'_, '_> {
    /// Returns which reserved word is ahead, given that a command starts here.
    pub(super) fn reserved(&self) -> Option<Reserved> {
        const LONGEST: usize = "function".len();
        if self.token != ShellToken::Plain || self.token_end - self.start > LONGEST {
            return None;
        }
        let reserved = Reserved::of(self.token_text())?;
        self.is_word_end(self.token_end).then_some(reserved)
    }

    /// Returns whether `word` is ahead as a word of its own.
    pub(super) fn is_at_word(&self, word: &str) -> bool {
        self.token == ShellToken::Plain
            && self.token_text() == word
            && self.is_word_end(self.token_end)
    }

    /// Returns whether a word that reaches up to `position` ends there.
    pub(super) fn is_word_end(&self, position: usize) -> bool {
        let mut position = position;
        loop {
            return match self.byte_at(position) {
                None => true,
                Some(b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')') => true,
                Some(b'\r') => self.line_end(position).is_some(),
                Some(b'\\') => match self.line_end(position + 1) {
                    Some(next) => {
                        position = next;
                        continue;
                    }
                    None => false,
                },
                Some(_) => false,
            };
        }
    }

    /// Returns where the next line starts, when `\r*\n` stands at `position`.
    fn line_end(&self, position: usize) -> Option<usize> {
        let rest = self.bytes_from(position);
        let carriage_returns = rest.iter().take_while(|byte| **byte == b'\r').count();
        (rest.get(carriage_returns) == Some(&b'\n')).then_some(position + carriage_returns + 1)
    }
}
