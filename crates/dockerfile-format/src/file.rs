//! The file as a whole: what stands between the instructions, and each instruction in its place.

use dockerfile_source::TextRange;
use dockerfile_syntax::{Element, Node, Parse, SyntaxKind, Token};

use crate::comment::{self, Request, may_be_directive};
use crate::instruction::instruction;
use crate::printer::Printer;
use crate::{BlankLines, KeptReason, Options};

/// A piece of the file and what becomes of it.
pub(crate) struct Piece {
    pub(crate) range: TextRange,
    pub(crate) text: String,
    /// For an instruction, its index in the file.
    pub(crate) instruction: Option<usize>,
    pub(crate) kept: Option<KeptReason>,
}

/// Returns the pieces that are to change or that could not be laid out, in order.
pub(crate) fn pieces(
    parse: &Parse,
    text: &str,
    options: &Options,
    line_ending: &'static str,
    keeps: &dyn Fn(usize) -> bool,
) -> Vec<Piece> {
    let mut file = FileWriter {
        text,
        options,
        line_ending,
        escape: parse.escape(),
        printer: Printer::new(options, parse, line_ending),
        pieces: Vec::new(),
        gap: Gap::default(),
        last: None,
        is_at_top: true,
        instructions: 0,
        has_from: false,
        is_off: false,
    };
    let mut end = TextRange::default();
    for element in parse.root().children_with_tokens() {
        end = TextRange::empty(element.range().end());
        match element {
            Element::Token(token) => file.token(token),
            Element::Node(node) if node.kind() == SyntaxKind::DIRECTIVE => file.directive(node),
            Element::Node(node) => file.instruction(node, keeps),
        }
    }
    file.close_gap(end, None);
    file.pieces
}

/// The lines between two instructions.
#[derive(Default)]
struct Gap<'t> {
    range: Option<TextRange>,
    lines: Vec<Line<'t>>,
    /// Whether something stands on the line that is being read.
    is_used: bool,
    indentation: &'t str,
}

enum Line<'t> {
    Blank,
    Comment {
        text: &'t str,
        indentation: &'t str,
    },
    /// Lines that are none of our business.
    Raw(TextRange),
}

struct FileWriter<'t> {
    text: &'t str,
    options: &'t Options,
    line_ending: &'static str,
    escape: char,
    printer: Printer<'t>,
    pieces: Vec<Piece>,
    gap: Gap<'t>,
    /// The kind of the last instruction or directive.
    last: Option<SyntaxKind>,
    /// Whether nothing was met yet, or only what stands at the top.
    is_at_top: bool,
    instructions: usize,
    has_from: bool,
    /// Between `# dflint format: off` and `on`.
    is_off: bool,
}

impl<'t> FileWriter<'t> {
    fn token(&mut self, token: Token<'t>) {
        let range = token.range();
        if token.kind() == SyntaxKind::BOM {
            return;
        }
        let gap = &mut self.gap;
        gap.range = Some(gap.range.map_or(range, |old| old.cover(range)));
        if self.is_off {
            self.raw(range);
            if token.kind() == SyntaxKind::COMMENT
                && comment::request(token.text()) == Some(Request::On)
            {
                self.is_off = false;
                self.gap.is_used = true;
            }
            return;
        }
        match token.kind() {
            SyntaxKind::WHITESPACE => gap.indentation = token.text(),
            SyntaxKind::COMMENT => {
                gap.lines.push(Line::Comment {
                    text: token.text(),
                    indentation: gap.indentation,
                });
                gap.is_used = true;
                if comment::request(token.text()) == Some(Request::Off) {
                    self.is_off = true;
                }
            }
            // The builder skips it.
            SyntaxKind::CONTINUATION => {}
            // Behind a line of the escape character alone.
            SyntaxKind::COMMENT_LINE => {
                let text = token.text().trim();
                gap.lines.push(Line::Comment {
                    text,
                    indentation: "",
                });
                self.is_off |= comment::request(text) == Some(Request::Off);
            }
            // The line end of what stands on the line is written with it.
            _ => {
                if !std::mem::take(&mut gap.is_used) {
                    gap.lines.push(Line::Blank);
                }
                gap.indentation = "";
            }
        }
    }

    /// Takes a range as it is.
    fn raw(&mut self, range: TextRange) {
        if let Some(Line::Raw(raw)) = self.gap.lines.last_mut() {
            *raw = raw.cover(range);
        } else {
            self.gap.lines.push(Line::Raw(range));
        }
    }

    fn directive(&mut self, node: Node<'t>) {
        self.close_gap(TextRange::empty(node.range().start()), Some(node.kind()));
        self.last = Some(node.kind());
        self.gap.is_used = true;
    }

    fn instruction(&mut self, node: Node<'t>, keeps: &dyn Fn(usize) -> bool) {
        let idx = self.instructions;
        self.instructions += 1;
        let range = node.range();
        if self.is_off {
            let gap = &mut self.gap;
            gap.range = Some(gap.range.map_or(range, |old| old.cover(range)));
            self.raw(range);
            self.last = Some(node.kind());
            self.has_from |= node.kind() == SyntaxKind::FROM_INSTRUCTION;
            return;
        }
        let is_skipped = self.gap.asks_to_skip();
        self.close_gap(TextRange::empty(range.start()), Some(node.kind()));
        self.last = Some(node.kind());
        self.has_from |= node.kind() == SyntaxKind::FROM_INSTRUCTION;
        let own = self.text.get(span(range)).unwrap_or_default();
        self.gap.is_used = !own.ends_with('\n');
        let mut kept = None;
        if !is_skipped {
            if keeps(idx) {
                kept = Some(KeptReason::Unproven);
            } else if instruction(&mut self.printer, node) {
                if self.printer.written() != own {
                    self.pieces.push(Piece {
                        range,
                        text: self.printer.written().to_owned(),
                        instruction: Some(idx),
                        kept: None,
                    });
                }
                self.printer.clear();
                return;
            } else {
                self.printer.clear();
                kept = Some(KeptReason::NotUnderstood);
            }
        }
        if kept.is_some() {
            self.pieces.push(Piece {
                range,
                text: own.to_owned(),
                instruction: Some(idx),
                kept,
            });
        }
    }

    /// Writes the lines between the last instruction and what comes next.
    fn close_gap(&mut self, end: TextRange, next: Option<SyntaxKind>) {
        let gap = std::mem::take(&mut self.gap);
        let range = gap.range.map_or(end, |range| range.cover(end));
        let lines = self.tidy(gap.lines, next);
        let mut text = String::new();
        // A here-document without an end takes its last line end with it.
        let before = self
            .text
            .get(..usize::from(range.start()))
            .unwrap_or_default();
        let mut is_line_open = !std::mem::take(&mut self.is_at_top) && !before.ends_with('\n');
        for line in &lines {
            if std::mem::take(&mut is_line_open) && !matches!(line, Line::Raw(_)) {
                text.push_str(self.line_ending);
            }
            match line {
                Line::Blank => text.push_str(self.line_ending),
                Line::Comment {
                    text: comment,
                    indentation,
                } => {
                    let is_header = self.instructions == 0 || !self.has_from;
                    let comment = comment.trim_end();
                    if is_header && may_be_directive(comment) {
                        text.push_str(indentation);
                        text.push_str(comment);
                    } else {
                        text.push_str(&comment::spaced(comment, self.escape));
                    }
                    is_line_open = true;
                }
                Line::Raw(raw) => {
                    let raw = self.text.get(span(*raw)).unwrap_or_default();
                    if is_line_open && !raw.starts_with(['\n', '\r']) {
                        text.push_str(self.line_ending);
                    }
                    text.push_str(raw);
                    is_line_open = !raw.ends_with('\n');
                }
            }
        }
        if is_line_open {
            text.push_str(self.line_ending);
        }
        if self.text.get(span(range)) != Some(&text) {
            self.pieces.push(Piece {
                range,
                text,
                instruction: None,
                kept: None,
            });
        }
    }

    /// Returns the lines with the blank ones that they ought to have.
    fn tidy(&self, lines: Vec<Line<'t>>, next: Option<SyntaxKind>) -> Vec<Line<'t>> {
        let mut tidy: Vec<Line<'t>> = Vec::with_capacity(lines.len() + 1);
        for line in lines {
            let is_doubled = matches!(line, Line::Blank)
                && match tidy.last() {
                    Some(last) => matches!(last, Line::Blank),
                    // A blank line at the top may keep a comment from being a directive.
                    None => self.is_at_top && !self.is_header_guarded(),
                };
            if !is_doubled {
                tidy.push(line);
            }
        }
        let Some(next) = next else {
            while matches!(tidy.last(), Some(Line::Blank)) {
                tidy.pop();
            }
            return tidy;
        };
        self.separate(&mut tidy, next);
        tidy
    }

    /// Returns whether the first comment of the file could become a directive.
    fn is_header_guarded(&self) -> bool {
        self.text
            .trim_start_matches('\u{feff}')
            .trim_start()
            .lines()
            .next()
            .is_some_and(|line| line.starts_with('#') && may_be_directive(line))
    }

    /// Puts blank lines where the options and the stages ask for them, above the comments of the next instruction.
    fn separate(&self, lines: &mut Vec<Line<'t>>, next: SyntaxKind) {
        let is_stage = next == SyntaxKind::FROM_INSTRUCTION && self.has_from;
        let is_instruction = next.is_instruction()
            && self.last.is_some_and(SyntaxKind::is_instruction)
            && !lines.iter().any(|line| matches!(line, Line::Raw(_)));
        if !is_instruction {
            return;
        }
        if self.options.blank_lines == BlankLines::Never && !is_stage {
            lines.retain(|line| !matches!(line, Line::Blank));
        }
        let has_blank = lines.iter().any(|line| matches!(line, Line::Blank));
        let wants_blank =
            is_stage || (self.options.blank_lines == BlankLines::Always && self.last != Some(next));
        if wants_blank && !has_blank {
            lines.insert(0, Line::Blank);
        }
    }
}

impl Gap<'_> {
    fn asks_to_skip(&self) -> bool {
        self.lines
            .iter()
            .rev()
            .map_while(|line| match line {
                Line::Comment { text, .. } => Some(text),
                _ => None,
            })
            .any(|text| comment::request(text) == Some(Request::Skip))
    }
}

/// Returns a range as indices of the text.
pub(crate) fn span(range: TextRange) -> std::ops::Range<usize> {
    range.start().into()..range.end().into()
}
