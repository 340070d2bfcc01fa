//! The shell grammar: bodies of RUN, CMD, ENTRYPOINT, HEALTHCHECK and of here-documents that are scripts.
//!
//! It is the grammar of POSIX sh (XCU 2.10) with what bash adds. Where dash and bash disagree, it takes what either of
//! them takes: which shell will run the script is not known here, and the builder does not look at shell syntax at all.

mod command;
mod compound;
mod expansion;
mod faults;
mod list;
mod parameter;
mod redirection;
mod reserved;
mod word;

#[cfg(test)]
mod tests;

use std::ops::Range;

use logos::Logos;

use self::faults::Awaited;
use self::redirection::HereDocument;
use crate::SyntaxError;
use crate::SyntaxKind;
use crate::SyntaxKind::{COMMENT, CONTINUATION, NEWLINE, OPAQUE, WHITESPACE};
use crate::emitter::Emitter;
use crate::lexer::shell::{ShellToken, plain_len};

/// Deeper commands are not looked into.
const DEEPEST_NESTING: usize = 100;

/// Which text is read: the joined line of an instruction, or the body of a here-document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ShellContext {
    /// Continuations are gone already; a comment reaches to the end of the text.
    LogicalLine,
    /// Lines are the shell's own, its `\` at the end of a line included.
    Document,
}

/// Reads `text[range]` as a shell script and puts a SCRIPT node into the tree.
///
/// The emitter stands at `range.start` and ends at `range.end`.
pub(crate) fn parse_script(
    emitter: &mut Emitter<'_>,
    text: &str,
    range: Range<usize>,
    context: ShellContext,
    errors: &mut Vec<SyntaxError>,
) {
    let first_error = errors.len();
    let mut grammar = ShellGrammar {
        emitter,
        errors,
        text,
        end: range.end,
        context,
        token: ShellToken::End,
        start: range.start,
        token_end: range.start,
        behind: range.start,
        is_glued: true,
        has_continuation: false,
        depth: 0,
        substitutions: 0,
        awaited: Awaited::default(),
        documents: Vec::new(),
        takes_arrays: false,
        lookahead: range.len().saturating_mul(16),
        most_errors: first_error + faults::MOST_ERRORS,
        is_swallowed: false,
    };
    grammar.read_from(range.start);
    grammar.script();
    debug_assert_eq!(
        emitter.position(),
        range.end,
        "the whole script is in the tree"
    );
    emitter.token(OPAQUE, range.end);
    if let Some(errors) = errors.get_mut(first_error..) {
        errors.sort_by_key(|error| error.range.start());
    }
}

/// Reads one script, one token ahead.
struct ShellGrammar<'g, 's> {
    emitter: &'g mut Emitter<'s>,
    errors: &'g mut Vec<SyntaxError>,
    text: &'g str,
    /// Where the text ends; inside of backquotes, where they close.
    end: usize,
    context: ShellContext,
    // The token ahead. Blanks and continuations in front of it are not in the tree until `flush`.
    token: ShellToken,
    start: usize,
    token_end: usize,
    /// Where the token before it ends.
    behind: usize,
    /// Whether no blank stands between the two.
    is_glued: bool,
    has_continuation: bool,
    depth: usize,
    /// How many `$(` and `<(` are open.
    substitutions: usize,
    awaited: Awaited,
    /// Here-documents whose bodies follow the line.
    documents: Vec<HereDocument>,
    /// Whether the command at hand takes `name=(...)` as an argument.
    takes_arrays: bool,
    /// How many more bytes may be looked at in vain, so that hostile text is read in linear time.
    lookahead: usize,
    most_errors: usize,
    /// Whether something that is not closed took all the rest, so that whatever else is missing says nothing.
    is_swallowed: bool,
}

impl<'g> ShellGrammar<'g, '_> {
    /// Reads the token at `position` and makes it the token ahead.
    #[inline]
    fn read_from(&mut self, position: usize) {
        self.behind = position;
        self.has_continuation = false;
        let rest = self.bytes_from(position);
        // Plain text behind one blank or none, most of what there is, is worth a short cut.
        let blanks = usize::from(rest.first() == Some(&b' '));
        self.is_glued = blanks == 0;
        let rest = rest.get(blanks..).unwrap_or_default();
        let start = position + blanks;
        let plain = plain_len(rest);
        if plain > 0 {
            self.token = ShellToken::Plain;
            self.start = start;
            self.token_end = start + plain;
        } else {
            self.read_special(rest, start);
        }
    }

    /// Makes the first token of `rest`, which starts at `base`, the token ahead.
    fn read_special(&mut self, rest: &[u8], base: usize) {
        let mut lexer = ShellToken::lexer(rest);
        loop {
            match lexer.next() {
                Some(Ok(ShellToken::Blank)) => self.is_glued = false,
                Some(Ok(ShellToken::Continuation)) => self.has_continuation = true,
                Some(token) => {
                    let span = lexer.span();
                    self.token = token.unwrap_or(ShellToken::Plain);
                    self.start = base + span.start;
                    self.token_end = base + span.end;
                    return;
                }
                None => {
                    self.token = ShellToken::End;
                    self.start = self.end;
                    self.token_end = self.end;
                    return;
                }
            }
        }
    }

    fn advance(&mut self) {
        self.read_from(self.token_end);
    }

    /// Puts the blanks in front of the token ahead into the tree.
    #[inline]
    fn flush(&mut self) {
        if self.has_continuation {
            self.flush_continuations();
        } else {
            self.emitter.token(WHITESPACE, self.start);
        }
    }

    #[cold]
    fn flush_continuations(&mut self) {
        let base = self.behind;
        let mut lexer = ShellToken::lexer(self.bytes_from(base));
        while let Some(Ok(token)) = lexer.next() {
            let kind = match token {
                ShellToken::Blank => WHITESPACE,
                ShellToken::Continuation => CONTINUATION,
                _ => break,
            };
            self.emitter.token(kind, base + lexer.span().end);
        }
    }

    /// Puts the token ahead into the tree and reads the next one.
    fn bump(&mut self, kind: SyntaxKind) {
        self.flush();
        self.emitter.token(kind, self.token_end);
        self.advance();
    }

    /// Puts a line end into the tree, and the here-documents that were waiting for it.
    fn newline(&mut self) {
        self.flush();
        self.emitter.token(NEWLINE, self.token_end);
        let position = if self.documents.is_empty() {
            self.token_end
        } else {
            self.here_documents(self.token_end)
        };
        self.read_from(position);
    }

    fn comment(&mut self) {
        self.flush();
        let rest = self.bytes_from(self.start);
        let mut end = self.end;
        if self.context == ShellContext::Document
            && let Some(at) = memchr::memchr(b'\n', rest)
        {
            let line = rest.get(..at).unwrap_or_default();
            let carriage_returns = line.iter().rev().take_while(|byte| **byte == b'\r').count();
            end = self.start + at - carriage_returns;
        }
        self.emitter.token(COMMENT, end);
        self.read_from(end);
    }

    /// Steps over line ends and comments, where a command may go on behind them.
    fn line_breaks(&mut self) {
        loop {
            match self.token {
                ShellToken::Newline => self.newline(),
                ShellToken::Hash => self.comment(),
                _ => break,
            }
        }
    }

    fn bytes_from(&self, position: usize) -> &'g [u8] {
        self.text
            .as_bytes()
            .get(position..self.end)
            .unwrap_or_default()
    }

    fn byte_at(&self, position: usize) -> Option<u8> {
        if position >= self.end {
            return None;
        }
        self.text.as_bytes().get(position).copied()
    }

    fn slice(&self, range: Range<usize>) -> &'g str {
        self.text.get(range).unwrap_or("")
    }

    fn token_text(&self) -> &'g str {
        self.slice(self.token_range())
    }

    fn token_range(&self) -> Range<usize> {
        self.start..self.token_end
    }

    /// Goes one level down, or, where that is too deep, leaves all the rest unread and returns false.
    fn enter(&mut self) -> bool {
        if self.depth < DEEPEST_NESTING {
            self.depth += 1;
            return true;
        }
        self.too_deep();
        self.emitter.token(OPAQUE, self.end);
        self.read_from(self.end);
        false
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }
}
