//! Puts tokens of logical text into the tree, and the trivia of the file between them.
//!
//! Grammars read logical text and say which stretch of it is which token. Continuations, comment lines and blank lines
//! inside of an instruction never reach a grammar: the emitter adds them where they stand, so the tree is lossless by
//! construction and a range in the tree is a range in the file.

use std::ops::Range;

use dockerfile_source::TextRange;

use crate::SyntaxKind;
use crate::SyntaxKind::{COMMENT, CONTINUATION, NEWLINE, SPLIT_REST, TEXT, WHITESPACE};
use crate::logical_line::{LineMap, continuation_start, is_comment, physical_line, trim_start};
use crate::tree::{Checkpoint, TreeBuilder};

pub(crate) struct Emitter<'s> {
    builder: TreeBuilder,
    source: &'s str,
    escape: char,
    line: LineMap,
    // How much of `line` is in the tree.
    position: usize,
    // Where the first piece of `line` starts that the tree has not entered; `NO_JOINT` when it has entered the last.
    joint: usize,
    next_segment: usize,
}

/// Behind every position.
const NO_JOINT: usize = usize::MAX;

impl<'s> Emitter<'s> {
    pub(crate) fn new(source: &'s str, builder: TreeBuilder) -> Emitter<'s> {
        Emitter {
            builder,
            source,
            escape: '\\',
            line: LineMap::default(),
            position: 0,
            joint: NO_JOINT,
            next_segment: 0,
        }
    }

    pub(crate) fn set_escape(&mut self, escape: char) {
        self.escape = escape;
    }

    /// Returns the offset in the file up to which the tree is complete.
    pub(crate) fn raw(&self) -> usize {
        self.builder.end()
    }

    /// Starts on a logical line whose first piece stands at or behind `raw`.
    pub(crate) fn begin_line(&mut self, line: LineMap) {
        self.line = line;
        self.position = 0;
        self.next_segment = 0;
        self.pass_joint();
    }

    /// Returns the map of a line that is in the tree, for its memory.
    pub(crate) fn take_map(&mut self) -> LineMap {
        std::mem::take(&mut self.line)
    }

    /// Returns how much of the logical text of the current line is in the tree.
    pub(crate) fn position(&self) -> usize {
        self.position
    }

    /// Starts a node outside of any logical line.
    pub(crate) fn start_raw_node(&mut self, kind: SyntaxKind) {
        self.builder.start_node(kind);
    }

    #[inline]
    pub(crate) fn start_node(&mut self, kind: SyntaxKind) {
        self.emit_joint();
        self.builder.start_node(kind);
    }

    #[inline]
    pub(crate) fn checkpoint(&mut self) -> Checkpoint {
        self.emit_joint();
        self.builder.checkpoint()
    }

    pub(crate) fn start_node_at(&mut self, checkpoint: Checkpoint, kind: SyntaxKind) {
        self.builder.start_node_at(checkpoint, kind);
    }

    /// Changes the kind of the innermost node that is open.
    pub(crate) fn change_kind(&mut self, kind: SyntaxKind) {
        self.builder.change_kind(kind);
    }

    #[inline]
    pub(crate) fn finish_node(&mut self) {
        self.builder.finish_node();
    }

    /// Adds the logical text up to `end` as one token; in pieces, with the trivia between them, where it is cut.
    #[inline]
    pub(crate) fn token(&mut self, kind: SyntaxKind, end: usize) {
        if self.position >= end {
            return;
        }
        self.emit_joint();
        if self.joint < end {
            self.token_in_pieces(kind, end);
            return;
        }
        self.builder.token(kind, self.raw() + end - self.position);
        self.position = end;
    }

    /// Adds the logical text up to `end` as a node with one token.
    #[inline]
    pub(crate) fn one_token_node(
        &mut self,
        node_kind: SyntaxKind,
        token_kind: SyntaxKind,
        end: usize,
    ) {
        if self.position >= end {
            return;
        }
        self.emit_joint();
        if self.joint < end {
            self.builder.start_node(node_kind);
            self.token_in_pieces(token_kind, end);
            self.builder.finish_node();
            return;
        }
        let raw_end = self.raw() + end - self.position;
        self.builder.one_token_node(node_kind, token_kind, raw_end);
        self.position = end;
    }

    #[cold]
    fn token_in_pieces(&mut self, kind: SyntaxKind, end: usize) {
        let mut kind = kind;
        while self.position < end {
            self.emit_joint();
            let piece_end = self.joint.min(end);
            self.builder
                .token(kind, self.raw() + piece_end - self.position);
            self.position = piece_end;
            // Pieces of text and of blanks are as good as the whole; of anything else, only the first counts.
            if !matches!(kind, TEXT | WHITESPACE) {
                kind = SPLIT_REST;
            }
        }
    }

    /// Adds the text of the file up to `end` as one token, outside of any logical line.
    pub(crate) fn raw_token(&mut self, kind: SyntaxKind, end: usize) {
        if end > self.raw() {
            self.builder.token(kind, end);
        }
    }

    /// Adds blank and comment lines and line ends up to `end` of the file, and the continuation that comes first when
    /// the rest of the current line is one.
    pub(crate) fn trivia_until(&mut self, end: usize) {
        while self.raw() < end {
            // The end of an instruction, which is most of what is asked for.
            if self.raw() + 1 == end && self.source.as_bytes().get(self.raw()) == Some(&b'\n') {
                self.builder.token(NEWLINE, end);
                return;
            }
            let Some(line) = physical_line(self.source, self.raw()) else {
                break;
            };
            let content_end = line.content_end.min(end);
            let content = self.source.get(self.raw()..content_end).unwrap_or("");
            if let Some(len) =
                continuation_start(content, self.escape).filter(|_| !is_comment(content))
            {
                self.raw_token(WHITESPACE, self.raw() + len);
                self.raw_token(CONTINUATION, line.next.min(end));
                continue;
            }
            self.trivia_line(content, content_end, line.next.min(end));
        }
    }

    /// Adds a blank line or a comment line whose `content` ends at `content_end`, and its line end.
    pub(crate) fn trivia_line(&mut self, content: &str, content_end: usize, next: usize) {
        let trimmed = trim_start(content);
        if trimmed.starts_with('#') {
            self.raw_token(WHITESPACE, content_end - trimmed.len());
            self.raw_token(COMMENT, content_end);
        } else {
            self.raw_token(WHITESPACE, content_end);
        }
        self.raw_token(NEWLINE, next);
    }

    /// Returns the range in the file of a logical range of the current line.
    pub(crate) fn raw_range(&self, range: Range<usize>) -> TextRange {
        self.line.raw_range(range)
    }

    pub(crate) fn finish(self) -> TreeBuilder {
        debug_assert_eq!(
            self.raw(),
            self.source.len(),
            "the whole file is in the tree"
        );
        self.builder
    }

    /// Adds what stands between two pieces of the line, when the next token starts the later one.
    #[inline]
    fn emit_joint(&mut self) {
        if self.joint == self.position {
            self.joint_here();
        }
    }

    #[inline(never)]
    fn joint_here(&mut self) {
        for &(kind, end) in self.line.trivia_before(self.next_segment - 1) {
            self.builder.token(kind, end as usize);
        }
        self.pass_joint();
    }

    fn pass_joint(&mut self) {
        let joint = self.line.segment_start(self.next_segment);
        self.joint = joint.unwrap_or(NO_JOINT);
        self.next_segment += 1;
    }
}
