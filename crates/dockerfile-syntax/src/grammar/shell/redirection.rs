//! Redirections, and the bodies of the shell's own here-documents.

use std::borrow::Cow;
use std::ops::Range;

use super::{ShellContext, ShellGrammar};
use crate::SyntaxKind::{
    HEREDOC, HEREDOC_END, HEREDOC_TEXT, IO_NUMBER, NEWLINE, REDIRECTION, REDIRECTION_OPERATOR,
    WHITESPACE,
};
use crate::lexer::shell::ShellToken;

/// `<<NAME`, whose body starts behind the line.
#[derive(Clone, Debug)]
pub(super) struct HereDocument {
    /// The word behind the operator.
    delimiter: Range<usize>,
    strips_tabs: bool,
}

/// Where the body of a here-document ends.
struct BodyEnd {
    /// Where the last line starts, its tabs included.
    line: usize,
    /// The word on it.
    word: Range<usize>,
}

impl ShellGrammar<'_, '_> {
    /// Adds the redirections behind a compound command.
    pub(super) fn redirections(&mut self) {
        while self.is_at_redirection() {
            self.redirection();
        }
    }

    fn is_at_redirection(&self) -> bool {
        match self.token {
            ShellToken::Redirection | ShellToken::HereDocument => true,
            ShellToken::Plain => self.is_at_io_number(),
            _ => false,
        }
    }

    /// Returns whether the plain text ahead is the `2` of `2>` or the `{name}` of `{name}>`.
    pub(super) fn is_at_io_number(&self) -> bool {
        if !matches!(self.byte_at(self.token_end), Some(b'<' | b'>'))
            || self.byte_at(self.token_end + 1) == Some(b'(')
        {
            return false;
        }
        match self.token_text().as_bytes() {
            [b'{', name @ .., b'}'] => {
                !name.is_empty()
                    && name
                        .iter()
                        .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
            }
            digits => digits.iter().all(u8::is_ascii_digit),
        }
    }

    /// Adds a redirection. Its number or its operator is ahead.
    pub(super) fn redirection(&mut self) {
        self.flush();
        self.emitter.start_node(REDIRECTION);
        if self.token == ShellToken::Plain {
            self.bump(IO_NUMBER);
        }
        let operator = self.token_range();
        let is_here_document = self.token == ShellToken::HereDocument;
        self.bump(REDIRECTION_OPERATOR);
        if self.token.starts_word() {
            let start = self.start;
            self.word();
            if is_here_document && self.context == ShellContext::Document {
                self.documents.push(HereDocument {
                    delimiter: start..self.behind,
                    strips_tabs: self.slice(operator).ends_with('-'),
                });
            }
        } else {
            let text = self.slice(operator.clone());
            let message = if is_here_document {
                format!("`{text}` has no word after it that ends the here-document")
            } else {
                format!("`{text}` has no target")
            };
            self.error(operator, message, None);
        }
        self.emitter.finish_node();
    }

    /// Adds the bodies that start at `start`, behind a line end, and returns where the last of them ends.
    pub(super) fn here_documents(&mut self, start: usize) -> usize {
        let mut position = start;
        for (idx, document) in std::mem::take(&mut self.documents).iter().enumerate() {
            if idx > 0 {
                position = self.line_end_behind(position);
                self.emitter.token(NEWLINE, position);
            }
            let end = self.find_body_end(position, document);
            if end.is_none() {
                let name = self.slice(document.delimiter.clone());
                let message = format!("here-document `{name}` has no end");
                self.error(document.delimiter.clone(), message, None);
            }
            self.emitter.start_node(HEREDOC);
            position = self.end;
            if let Some(end) = end {
                self.emitter.token(HEREDOC_TEXT, end.line);
                self.emitter.token(WHITESPACE, end.word.start);
                self.emitter.token(HEREDOC_END, end.word.end);
                position = end.word.end;
            } else {
                self.emitter.token(HEREDOC_TEXT, self.end);
            }
            self.emitter.finish_node();
        }
        position
    }

    fn line_end_behind(&self, position: usize) -> usize {
        let at = memchr::memchr(b'\n', self.bytes_from(position));
        at.map_or(self.end, |at| position + at + 1)
    }

    fn find_body_end(&self, start: usize, document: &HereDocument) -> Option<BodyEnd> {
        let (name, is_quoted) = unquote(self.slice(document.delimiter.clone()));
        let mut position = start;
        let mut is_continued = false;
        while position < self.end {
            let next = self.line_end_behind(position);
            let line = self.slice(position..next);
            let content = line.trim_end_matches('\n').trim_end_matches('\r');
            let tabs = if document.strips_tabs {
                content.len() - content.trim_start_matches('\t').len()
            } else {
                0
            };
            let candidate = content.get(tabs..).unwrap_or("");
            if !is_continued && self.ends_body(candidate, &name) {
                let word = position + tabs;
                return Some(BodyEnd {
                    line: position,
                    word: word..word + name.len(),
                });
            }
            let backslashes = content.len() - content.trim_end_matches('\\').len();
            is_continued = !is_quoted && backslashes % 2 == 1;
            position = next;
        }
        None
    }

    /// Returns whether a line ends the body. Inside of `$(...)`, bash takes `EOF)` as well.
    fn ends_body(&self, line: &str, name: &str) -> bool {
        match line.strip_prefix(name) {
            Some("") => true,
            Some(rest) => self.substitutions > 0 && rest.contains(')'),
            None => false,
        }
    }
}

/// Takes the quotes off a delimiter, and returns whether there are any.
fn unquote(word: &str) -> (Cow<'_, str>, bool) {
    if !word.contains(['\'', '"', '\\']) {
        return (Cow::Borrowed(word), false);
    }
    let mut name = String::with_capacity(word.len());
    let mut quote = None;
    let mut characters = word.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (None, '\'' | '"') => quote = Some(character),
            (Some(open), close) if open == close => quote = None,
            (None | Some('"'), '\\') => name.extend(characters.next()),
            _ => name.push(character),
        }
    }
    (Cow::Owned(name), true)
}
