//! The text under construction: columns, indentation, broken lines, and the comment lines that wait for the next break.

use dockerfile_source::TextRange;
use dockerfile_syntax::{Element, Node, Parse, SyntaxError, SyntaxErrorKind, SyntaxKind, Token};

use crate::parts::OwnLine;
use crate::{Indent, KeywordCase, Options};

/// How wide a tab counts.
const TAB_COLUMNS: usize = 4;

pub(crate) struct Printer<'t> {
    pub(crate) options: &'t Options,
    out: String,
    line_start: usize,
    escape: char,
    line_ending: &'static str,
    /// The faults of the file, by position.
    errors: &'t [SyntaxError],
    /// Lines of their own that were met and not yet written: they go in front of the next line.
    comments: Vec<OwnLine<'t>>,
}

/// A state of the printer to return to.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    len: usize,
    line_start: usize,
    comments: usize,
}

impl<'t> Printer<'t> {
    pub(crate) fn new(
        options: &'t Options,
        parse: &'t Parse,
        line_ending: &'static str,
    ) -> Printer<'t> {
        Printer {
            options,
            out: String::new(),
            line_start: 0,
            escape: parse.escape(),
            errors: parse.errors(),
            line_ending,
            comments: Vec::new(),
        }
    }

    /// Returns what was written since the last `clear`.
    pub(crate) fn written(&self) -> &str {
        &self.out
    }

    /// Begins a new text.
    pub(crate) fn clear(&mut self) {
        self.line_start = 0;
        self.comments.clear();
        self.out.clear();
    }

    /// Returns whether the shell would refuse what stands in a range: its tree is a guess.
    pub(crate) fn has_shell_error(&self, range: TextRange) -> bool {
        let first = self
            .errors
            .partition_point(|error| error.range.start() < range.start());
        self.errors
            .get(first..)
            .unwrap_or_default()
            .iter()
            .take_while(|error| error.range.start() <= range.end())
            .any(|error| error.kind == SyntaxErrorKind::Shell)
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark {
            len: self.out.len(),
            line_start: self.line_start,
            comments: self.comments.len(),
        }
    }

    /// Forgets what was written since the mark.
    pub(crate) fn reset(&mut self, mark: Mark) {
        self.out.truncate(mark.len);
        self.line_start = mark.line_start;
        self.comments.truncate(mark.comments);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// Writes text with line ends of its own.
    pub(crate) fn lines(&mut self, text: &str) {
        self.out.push_str(text);
        self.line_start = self.out.rfind('\n').map_or(0, |idx| idx + 1);
    }

    pub(crate) fn space(&mut self) {
        self.out.push(' ');
    }

    /// Writes the end of a line that belongs to the text itself.
    pub(crate) fn newline(&mut self) {
        self.out.push_str(self.line_ending);
        self.line_start = self.out.len();
    }

    pub(crate) fn keyword(&mut self, text: &str) {
        match self.options.keyword_case {
            KeywordCase::Upper => self
                .out
                .extend(text.chars().map(|c| c.to_ascii_uppercase())),
            KeywordCase::Lower => self
                .out
                .extend(text.chars().map(|c| c.to_ascii_lowercase())),
            KeywordCase::Preserve => self.out.push_str(text),
        }
    }

    pub(crate) fn column(&self) -> usize {
        let line = self.out.get(self.line_start..).unwrap_or_default();
        let tabs = line.bytes().filter(|byte| *byte == b'\t').count();
        let characters = if line.is_ascii() {
            line.len()
        } else {
            line.chars().count()
        };
        characters + tabs * (TAB_COLUMNS - 1)
    }

    /// Returns how many columns are left, the blank and the escape character at the end of a broken line taken off.
    pub(crate) fn room(&self) -> usize {
        usize::from(self.options.line_width).saturating_sub(self.column() + 2)
    }

    /// Goes to the next line of the same instruction. Comment lines that wait are written before it.
    pub(crate) fn line_break(&mut self, level: usize) {
        self.line_break_behind_comments(level, level);
    }

    /// Goes to the next line, with the comment lines that wait at a level of their own.
    pub(crate) fn line_break_behind_comments(&mut self, level: usize, of_comments: usize) {
        self.out.push(' ');
        self.out.push(self.escape);
        self.newline();
        for line in std::mem::take(&mut self.comments) {
            self.indent(of_comments);
            match line {
                OwnLine::Comment(comment) => {
                    let text = crate::comment::spaced(comment.text().trim(), self.escape);
                    self.out.push_str(&text);
                }
                OwnLine::Bare => self.out.push(self.escape),
            }
            self.newline();
        }
        self.indent(level);
    }

    /// Goes to the next line when it must or shall be, else writes a blank.
    pub(crate) fn break_or_space(&mut self, is_break: bool, level: usize) {
        if is_break || self.has_comments() {
            self.line_break(level);
        } else {
            self.comments.clear();
            self.space();
        }
    }

    /// Keeps lines of their own for the next broken line.
    pub(crate) fn hold_comments(&mut self, comments: &[OwnLine<'t>]) {
        self.comments.extend_from_slice(comments);
    }

    /// Forgets lines of the escape character alone: there is nothing in front that they could set apart.
    pub(crate) fn drop_bare_lines(&mut self) {
        self.comments
            .retain(|line| matches!(line, OwnLine::Comment(_)));
    }

    pub(crate) fn has_comments(&self) -> bool {
        self.comments
            .iter()
            .any(|line| matches!(line, OwnLine::Comment(_)))
    }

    /// Returns whether nothing that was written since the mark went to another line.
    pub(crate) fn is_on_line_of(&self, mark: Mark) -> bool {
        self.line_start == mark.line_start
    }

    /// Returns the columns that an indentation takes.
    pub(crate) fn indentation(&self, level: usize) -> usize {
        match self.options.indent {
            Indent::Tab => level * TAB_COLUMNS,
            Indent::Spaces(width) => level * usize::from(width),
        }
    }

    fn indent(&mut self, level: usize) {
        for _ in 0..level {
            match self.options.indent {
                Indent::Tab => self.out.push('\t'),
                Indent::Spaces(width) => {
                    self.out
                        .extend(std::iter::repeat_n(' ', usize::from(width)));
                }
            }
        }
    }

    /// Writes a node as it is written; only the ends of its lines are tidied.
    pub(crate) fn verbatim(&mut self, element: Element<'t>) {
        match element {
            Element::Node(node) if node.kind() == SyntaxKind::HEREDOC => self.heredoc(node),
            // Most nodes: no line end, so nothing to tidy.
            Element::Node(node) if !node.text().contains('\n') => self.out.push_str(node.text()),
            Element::Node(node) => {
                for child in node.children_with_tokens() {
                    self.verbatim(child);
                }
            }
            Element::Token(token) => self.verbatim_token(token),
        }
    }

    fn verbatim_token(&mut self, token: Token<'t>) {
        let text = token.text();
        match token.kind() {
            SyntaxKind::EMPTY_LINE => {}
            SyntaxKind::CONTINUATION => {
                self.out.push(self.escape);
                if text.ends_with('\n') {
                    self.newline();
                }
            }
            SyntaxKind::COMMENT_LINE => {
                self.out.push_str(text.trim_end());
                if text.ends_with('\n') {
                    self.newline();
                }
            }
            SyntaxKind::NEWLINE => self.newline(),
            _ => self.out.push_str(text),
        }
    }

    /// Writes a here-document byte for byte, with the line ends that it has: they are data.
    fn heredoc(&mut self, node: Node<'t>) {
        node.for_each_token(&mut |token| self.out.push_str(token.text()));
        self.line_start = self.out.rfind('\n').map_or(0, |idx| idx + 1);
    }
}
