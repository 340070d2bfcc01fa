//! Physical lines to logical lines.
//!
//! An instruction may stretch over lines: the escape character at the end of a line, comment lines and blank lines in
//! between are all taken out before anything else is read (BuildKit `frontend/dockerfile/parser/parser.go`, `Parse`).
//! A `LogicalLine` is the text that is left, with a map back to the file.

use std::borrow::Cow;
use std::ops::Range;

use dockerfile_source::{TextRange, TextSize};

/// A stretch of the logical text that stands in the file in one piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Segment {
    logical_start: u32,
    raw_start: u32,
}

/// The text of one instruction without continuations and the lines that do not count.
#[derive(Debug)]
pub(crate) struct LogicalLine<'s> {
    pub(crate) text: Cow<'s, str>,
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

    /// Returns the logical and the raw start of a piece.
    pub(crate) fn segment_start(&self, idx: usize) -> Option<(usize, usize)> {
        let segment = self.segments.get(idx)?;
        Some((segment.logical_start as usize, segment.raw_start as usize))
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
    let trimmed = line.trim_end_matches([' ', '\t']);
    let body = trimmed.strip_suffix(escape)?;
    if body.ends_with(escape) {
        return None;
    }
    Some(body.len())
}

/// Returns whether a line is a comment: its first character that is no blank is `#`.
pub(crate) fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with('#')
}

/// Reads the logical line that starts at `start`.
pub(crate) fn read_logical_line(source: &str, start: usize, escape: char) -> LogicalLine<'_> {
    let mut line = LogicalLine {
        text: Cow::Borrowed(""),
        map: LineMap::contiguous(start),
        empty_lines: Vec::new(),
        next: start,
    };
    let mut is_first = true;
    while let Some(physical) = physical_line(source, line.next) {
        let content = source
            .get(physical.start..physical.content_end)
            .unwrap_or("");
        line.next = physical.next;
        if !is_first {
            let trimmed = content.trim_start();
            if trimmed.starts_with('#') {
                continue;
            }
            if trimmed.is_empty() {
                line.empty_lines.push(TextRange::new(
                    TextSize::new(physical.start as u32),
                    TextSize::new(physical.content_end as u32),
                ));
                continue;
            }
        }
        is_first = false;
        let continuation = continuation_start(content, escape);
        let piece = content
            .get(..continuation.unwrap_or(content.len()))
            .unwrap_or("");
        if !piece.is_empty() {
            line.map.push(line.text.len(), physical.start);
            line.text += piece;
        }
        if continuation.is_none() {
            break;
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(source: &str) -> LogicalLine<'_> {
        read_logical_line(source, 0, '\\')
    }

    #[test]
    fn joins_pieces_with_nothing_in_between() {
        let source = "RUN a\\\nb \\ \t\r\n# comment \\\n\n  c\nNEXT";
        let line = read(source);
        assert_eq!(line.text, "RUN ab   c");
        assert_eq!(source.get(line.next..), Some("NEXT"));
        assert_eq!(line.empty_lines.len(), 1);
    }

    #[test]
    fn two_escape_characters_are_no_continuation() {
        assert_eq!(read("RUN a \\\\\nb").text, "RUN a \\\\");
        assert_eq!(read("RUN a \\\\\\\nb").text, "RUN a \\\\\\");
    }

    #[test]
    fn maps_back_to_the_file() {
        let source = "RU\\\nN ab\\\n  cd";
        let line = read(source);
        assert_eq!(line.text, "RUN ab  cd");
        let range = line.map.raw_range(4..10);
        let text = source.get(usize::from(range.start())..usize::from(range.end()));
        assert_eq!(text, Some("ab\\\n  cd"));
        assert_eq!(line.map.raw_end_of(2), 2);
        assert_eq!(line.map.raw_start_of(2), 4);
    }

    #[test]
    fn goes_on_to_the_end_of_the_file() {
        assert_eq!(read("RUN a \\").text, "RUN a ");
        assert_eq!(read("\\\n\\\nRUN a").text, "RUN a");
    }
}
