//! The file: directives, comments and instructions, one after another.

use std::ops::Range;

use dockerfile_source::{TextRange, TextSize};

use super::directives::Directives;
use super::heredoc::{HeredocOpener, find_openers, parse_bodies};
use super::heredoc_ends::HeredocEnds;
use super::instruction::{Instruction, parse_instruction};
use super::shell_tracker::ShellTracker;
use crate::SyntaxKind::{BOM, FILE};
use crate::emitter::Emitter;
use crate::logical_line::{PhysicalLine, physical_line, read_logical_line, trim_start};
use crate::{SyntaxError, SyntaxErrorKind};

/// BuildKit reads lines through a buffer of this many bytes, the line end included
/// (`frontend/dockerfile/parser/parser.go`, `handleScannerError`).
const LONGEST_LINE: usize = 64 * 1024;

pub(crate) struct Output<'s> {
    pub(crate) emitter: Emitter<'s>,
    pub(crate) errors: Vec<SyntaxError>,
    pub(crate) escape: char,
}

/// What the grammar of a file carries from line to line.
pub(super) struct FileGrammar<'s> {
    pub(super) source: &'s str,
    pub(super) emitter: Emitter<'s>,
    pub(super) errors: Vec<SyntaxError>,
    pub(super) escape: char,
    pub(super) shells: ShellTracker,
    /// Made when a here-document has no end.
    pub(super) heredoc_ends: Option<HeredocEnds<'s>>,
    /// Memory for the text of logical lines.
    joined: String,
}

pub(crate) fn parse_file<'s>(emitter: Emitter<'s>, source: &'s str) -> Output<'s> {
    let mut grammar = FileGrammar {
        source,
        emitter,
        errors: Vec::new(),
        escape: '\\',
        shells: ShellTracker::default(),
        heredoc_ends: None,
        joined: String::new(),
    };
    grammar.file();
    let FileGrammar {
        emitter,
        mut errors,
        escape,
        ..
    } = grammar;
    errors.sort_by_key(|error| (error.range.start(), error.range.end()));
    Output {
        emitter,
        errors,
        escape,
    }
}

impl FileGrammar<'_> {
    fn file(&mut self) {
        self.emitter.start_node(FILE);
        if self.source.starts_with('\u{feff}') {
            self.emitter.raw_token(BOM, '\u{feff}'.len_utf8());
        }
        let mut directives = Directives::default();
        while let Some(line) = physical_line(self.source, self.emitter.raw()) {
            let content = self.source.get(line.start..line.content_end).unwrap_or("");
            if directives.opt_directive(self, content) {
                self.emitter.trivia_until(line.next);
                continue;
            }
            let trimmed = trim_start(content);
            if trimmed.is_empty() || trimmed.starts_with('#') {
                self.emitter
                    .trivia_line(content, line.content_end, line.next);
            } else {
                self.instruction(line);
            }
        }
        self.check_line_lengths();
        self.emitter.finish_node();
    }

    /// Reads the instruction that starts on a physical line, with its here-documents.
    fn instruction(&mut self, first: PhysicalLine) {
        let mut joined = std::mem::take(&mut self.joined);
        let map = self.emitter.take_map();
        let mut line = read_logical_line(self.source, first, self.escape, map, &mut joined);
        for range in std::mem::take(&mut line.empty_lines) {
            self.errors.push(SyntaxError {
                kind: SyntaxErrorKind::Deprecated,
                range,
                message: "empty line inside of an instruction".to_owned(),
                help: Some("remove the line, or end the instruction before it".to_owned()),
            });
        }
        self.emitter.begin_line(line.map);
        let whole = 0..line.text.len();
        let instruction = parse_instruction(self, line.text, whole, 0);
        let mut next = line.next;
        if let Some(documents) = self.documents(&instruction, line.text) {
            self.emitter.trivia_until(next);
            next = parse_bodies(self, &documents);
        }
        self.emitter.finish_node();
        self.emitter.trivia_until(next);
        self.joined = joined;
    }

    /// Returns the here-documents that the line opens, with where they stand in the file.
    fn documents(&self, instruction: &Instruction, text: &str) -> Option<Documents> {
        let arguments = instruction.heredoc_arguments.clone()?;
        memchr::memchr(b'<', text.as_bytes()).filter(|_| text.contains("<<"))?;
        let openers: Vec<_> = find_openers(text)
            .into_iter()
            .map(|opener| {
                let range = self.emitter.raw_range(opener.range.clone());
                (opener, range)
            })
            .collect();
        if openers.is_empty() {
            return None;
        }
        let command = instruction
            .is_run
            .then(|| text.get(arguments).unwrap_or("").to_owned());
        Some(Documents { openers, command })
    }

    fn check_line_lengths(&mut self) {
        if self.source.len() <= LONGEST_LINE {
            return;
        }
        let mut position = 0;
        while let Some(line) = physical_line(self.source, position) {
            if line.next - line.start > LONGEST_LINE {
                self.errors.push(SyntaxError {
                    kind: SyntaxErrorKind::Parser,
                    range: raw_range(line.start..line.content_end),
                    message: format!(
                        "line of {} bytes; the builder takes at most {}",
                        line.next - line.start,
                        LONGEST_LINE - 1
                    ),
                    help: Some("break the line with continuations".to_owned()),
                });
            }
            position = line.next;
        }
    }
}

/// The here-documents that belong to an instruction, in the order of their bodies.
pub(super) struct Documents {
    pub(super) openers: Vec<(HeredocOpener, TextRange)>,
    /// The arguments of RUN, whose bodies can be scripts.
    pub(super) command: Option<String>,
}

pub(super) fn raw_range(range: Range<usize>) -> TextRange {
    TextRange::new(
        TextSize::new(range.start as u32),
        TextSize::new(range.end as u32),
    )
}
