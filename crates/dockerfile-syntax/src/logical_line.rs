//! Physical lines to logical lines.
//!
//! An instruction may stretch over lines: the escape character at the end of a line, comment lines and blank lines in
//! between are all taken out before anything else is read (BuildKit `frontend/dockerfile/parser/parser.go`, `Parse`).
//! A `LogicalLine` is the text that is left, with a map back to the file.

use std::ops::Range;

use dockerfile_source::{TextRange, TextSize};

use crate::SyntaxKind;
use crate::SyntaxKind::{COMMENT_LINE, CONTINUATION, EMPTY_LINE};

/// A stretch of the logical text that stands in the file in one piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Segment {
    logical_start: u32,
    raw_start: u32,
    /// How many pieces of trivia stand before it on the logical line.
    trivia: u32,
}

/// The text of one instruction without continuations and the lines that do not count.
#[derive(Debug)]
pub(crate) struct LogicalLine<'t> {
    pub(crate) text: &'t str,
    pub(crate) map: LineMap,
    /// Blank lines inside of the instruction, as raw ranges.
    pub(crate) empty_lines: Vec<TextRange>,
    /// Where the next physical line starts.
    pub(crate) next: usize,
}

/// Where the pieces of a logical line stand in the file.
///
/// Invariant: segments start at logical offset 0 and ascend strictly in both columns.
#[derive(Debug, Default)]
pub(crate) struct LineMap {
    segments: Vec<Segment>,
    /// The continuations, and the comment and blank lines, that were taken out: each with where it ends in the file.
    trivia: Vec<(SyntaxKind, u32)>,
}

impl LineMap {
    /// Returns the map of a text that stands in the file in one piece.
    pub(crate) fn contiguous(raw_start: usize) -> LineMap {
        let mut map = LineMap::default();
        map.push(0, raw_start);
        map
    }

    fn push(&mut self, logical_start: usize, raw_start: usize) {
        let segment = Segment {
            logical_start: logical_start as u32,
            raw_start: raw_start as u32,
            trivia: self.trivia.len() as u32,
        };
        match self.segments.last_mut() {
            Some(last) if last.logical_start == segment.logical_start => *last = segment,
            _ => self.segments.push(segment),
        }
    }

    /// Returns the offset in the file of the logical character at `offset`.
    ///
    /// At a joint this is the start of the later piece.
    pub(crate) fn raw_start_of(&self, offset: usize) -> usize {
        let segment = self
            .segments
            .partition_point(|segment| segment.logical_start as usize <= offset)
            .checked_sub(1)
            .and_then(|idx| self.segments.get(idx));
        segment.map_or(0, |segment| {
            segment.raw_start as usize + offset - segment.logical_start as usize
        })
    }

    /// Returns the offset in the file right behind the logical character before `offset`.
    ///
    /// At a joint this is the end of the earlier piece.
    pub(crate) fn raw_end_of(&self, offset: usize) -> usize {
        if offset == 0 {
            return self.raw_start_of(0);
        }
        self.raw_start_of(offset - 1) + 1
    }

    /// Returns the range in the file of a logical range.
    pub(crate) fn raw_range(&self, range: Range<usize>) -> TextRange {
        let start = self.raw_start_of(range.start);
        let end = if range.is_empty() {
            start
        } else {
            self.raw_end_of(range.end).max(start)
        };
        TextRange::new(TextSize::new(start as u32), TextSize::new(end as u32))
    }

    fn push_trivia(&mut self, kind: SyntaxKind, end: usize) {
        self.trivia.push((kind, end as u32));
    }

    /// Returns where a piece starts in the logical text.
    pub(crate) fn segment_start(&self, idx: usize) -> Option<usize> {
        Some(self.segments.get(idx)?.logical_start as usize)
    }

    /// Returns what stands in the file between a piece and the one before it: kinds and ends.
    pub(crate) fn trivia_before(&self, idx: usize) -> &[(SyntaxKind, u32)] {
        let trivia_of = |idx: usize| self.segments.get(idx).map_or(0, |it| it.trivia as usize);
        let start = idx.checked_sub(1).map_or(0, trivia_of);
        self.trivia.get(start..trivia_of(idx)).unwrap_or_default()
    }
}

/// One physical line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PhysicalLine {
    pub(crate) start: usize,
    /// Where the text ends, before any run of `\r` and the `\n`.
    pub(crate) content_end: usize,
    /// Where the next line starts.
    pub(crate) next: usize,
}

/// Returns the line that starts at `start`, or `None` at the end of the text.
pub(crate) fn physical_line(source: &str, start: usize) -> Option<PhysicalLine> {
    let rest = source
        .as_bytes()
        .get(start..)
        .filter(|rest| !rest.is_empty())?;
    let (mut content_end, next) = match memchr::memchr(b'\n', rest) {
        Some(at) => (start + at, start + at + 1),
        None => (source.len(), source.len()),
    };
    while content_end > start && source.as_bytes().get(content_end - 1) == Some(&b'\r') {
        content_end -= 1;
    }
    Some(PhysicalLine {
        start,
        content_end,
        next,
    })
}

/// Returns where the text ends that counts when `line` ends in a continuation, else `None`.
///
/// BuildKit's rule is the regular expression `([^E])E[ \t]*$|^E[ \t]*$`: two escape characters in a row are none.
pub(crate) fn continuation_start(line: &str, escape: char) -> Option<usize> {
    let bytes = line.as_bytes();
    let escape = escape as u8;
    let last = bytes.iter().rposition(|byte| !is_blank(*byte))?;
    let before = last.checked_sub(1).and_then(|idx| bytes.get(idx));
    (bytes.get(last) == Some(&escape) && before != Some(&escape)).then_some(last)
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Returns the line without the white space at its start: what `str::trim_start` returns, sooner.
pub(crate) fn trim_start(line: &str) -> &str {
    let bytes = line.as_bytes();
    let blanks = bytes.iter().take_while(|byte| is_blank(**byte)).count();
    let rest = line.get(blanks..).unwrap_or("");
    match rest.as_bytes().first() {
        Some(first) if first.is_ascii_graphic() => rest,
        _ => rest.trim_start(),
    }
}

/// Returns whether a line is a comment: its first character that is no blank is `#`.
pub(crate) fn is_comment(line: &str) -> bool {
    trim_start(line).starts_with('#')
}

/// Reads the logical line whose first physical line is `first`.
///
/// The memory of `map` is used again, and that of `joined` for a text that does not stand in the file in one piece.
pub(crate) fn read_logical_line<'t>(
    source: &'t str,
    first: PhysicalLine,
    escape: char,
    mut map: LineMap,
    joined: &'t mut String,
) -> LogicalLine<'t> {
    map.segments.clear();
    map.trivia.clear();
    map.push(0, first.start);
    let (piece, is_continued) = piece(source, first, escape);
    let mut line = LogicalLine {
        text: piece,
        map,
        empty_lines: Vec::new(),
        next: first.next,
    };
    if is_continued {
        joined.clear();
        joined.push_str(piece);
        line.map.push_trivia(CONTINUATION, first.next);
        line.join(source, escape, joined);
        line.text = joined;
    }
    line
}

/// Returns what a physical line adds to the logical one, and whether the next line adds to it as well.
fn piece(source: &str, line: PhysicalLine, escape: char) -> (&str, bool) {
    let content = source.get(line.start..line.content_end).unwrap_or("");
    match continuation_start(content, escape) {
        Some(end) => (content.get(..end).unwrap_or(""), true),
        None => (content, false),
    }
}

impl LogicalLine<'_> {
    /// Adds the physical lines from `next` on up to the first that does not end in a continuation.
    fn join(&mut self, source: &str, escape: char, joined: &mut String) {
        while let Some(physical) = physical_line(source, self.next) {
            self.next = physical.next;
            let content = source
                .get(physical.start..physical.content_end)
                .unwrap_or("");
            let trimmed = trim_start(content);
            if trimmed.starts_with('#') {
                self.map.push_trivia(COMMENT_LINE, physical.next);
                continue;
            }
            if trimmed.is_empty() {
                self.map.push_trivia(EMPTY_LINE, physical.next);
                self.empty_lines.push(TextRange::new(
                    TextSize::new(physical.start as u32),
                    TextSize::new(physical.content_end as u32),
                ));
                continue;
            }
            let (piece, is_continued) = piece(source, physical, escape);
            if !piece.is_empty() {
                self.map.push(joined.len(), physical.start);
                joined.push_str(piece);
            }
            if !is_continued {
                break;
            }
            self.map.push_trivia(CONTINUATION, physical.next);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'t>(source: &'t str, joined: &'t mut String) -> LogicalLine<'t> {
        let first = physical_line(source, 0).expect("the text is not empty");
        read_logical_line(source, first, '\\', LineMap::default(), joined)
    }

    fn text(source: &str) -> String {
        read(source, &mut String::new()).text.to_owned()
    }

    #[test]
    fn joins_pieces_with_nothing_in_between() {
        let source = "RUN a\\\nb \\ \t\r\n# comment \\\n\n  c\nNEXT";
        let mut joined = String::new();
        let line = read(source, &mut joined);
        assert_eq!(line.text, "RUN ab   c");
        assert_eq!(source.get(line.next..), Some("NEXT"));
        assert_eq!(line.empty_lines.len(), 1);
    }

    #[test]
    fn two_escape_characters_are_no_continuation() {
        assert_eq!(text("RUN a \\\\\nb"), "RUN a \\\\");
        assert_eq!(text("RUN a \\\\\\\nb"), "RUN a \\\\\\");
    }

    #[test]
    fn white_space_is_what_the_standard_library_takes_for_it() {
        for line in ["", " \ta", "\u{a0} a", " \u{b}\u{c}#", "é", "   "] {
            assert_eq!(trim_start(line), line.trim_start(), "{line:?}");
        }
    }

    #[test]
    fn maps_back_to_the_file() {
        let source = "RU\\\nN ab\\\n  cd";
        let mut joined = String::new();
        let line = read(source, &mut joined);
        assert_eq!(line.text, "RUN ab  cd");
        let range = line.map.raw_range(4..10);
        let text = source.get(usize::from(range.start())..usize::from(range.end()));
        assert_eq!(text, Some("ab\\\n  cd"));
        assert_eq!(line.map.raw_end_of(2), 2);
        assert_eq!(line.map.raw_start_of(2), 4);
    }

    #[test]
    fn goes_on_to_the_end_of_the_file() {
        assert_eq!(text("RUN a \\"), "RUN a ");
        assert_eq!(text("\\\n\\\nRUN a"), "RUN a");
    }
}
