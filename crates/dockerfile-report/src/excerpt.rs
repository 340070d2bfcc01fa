//! The few lines of a file that one finding shows, made fit for a terminal.
//!
//! codespan copies a line character by character, as it is. So it never gets the file: it gets an excerpt, in which long
//! lines are cut around the labels, control characters are visible, line ends and the byte order mark are gone, and a
//! label that runs over many lines ends on its first one.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use codespan_reporting::files::{Error, Files, Location};
use dockerfile_source::{SourceFile, TextRange};

use crate::position::{Position, floor_char_boundary};
use crate::visible::{is_plain_ascii, stand_in, visible};

/// A label that spans more lines than this shows its first line only.
const MOST_LINES: u32 = 6;
/// A line of more bytes than this is cut.
const LONG_LINE: usize = 200;
/// How much of a cut line is kept before a label, and of the label and behind it.
const KEPT_BEFORE: usize = 40;
const KEPT_AFTER: usize = 100;

const CUT: char = '…';

/// Where a label lies in the excerpt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) range: Range<usize>,
    /// The 1-based last line of a label that was cut to its first line.
    pub(crate) cut_at_line: Option<u32>,
}

/// Some lines of a file, as a text of their own that remembers the line numbers.
pub(crate) struct Excerpt<'s> {
    name: Cow<'s, str>,
    location: Location,
    text: String,
    lines: Vec<ExcerptLine>,
    // Invariant: sorted by `original.start`, and so by `start`.
    segments: Vec<Segment>,
}

struct ExcerptLine {
    /// The 0-based line of the file.
    index: u32,
    range: Range<usize>,
}

/// A piece of the file and what stands for it.
struct Segment {
    original: Range<usize>,
    shown: Range<usize>,
    verbatim: bool,
}

/// A label range in the file, with the lines (0-based) where it starts and ends.
struct Place {
    range: Range<usize>,
    lines: Range<u32>,
    cut_at_line: Option<u32>,
}

impl<'s> Excerpt<'s> {
    /// Returns the lines that `ranges` touch, and for each range where it lies in them.
    pub(crate) fn new(
        source: &'s SourceFile,
        at: Position,
        ranges: impl Iterator<Item = TextRange>,
    ) -> (Excerpt<'s>, Vec<Span>) {
        let places: Vec<Place> = ranges.map(|range| place(source, range)).collect();
        let mut excerpt = Excerpt {
            name: visible(source.name()),
            location: Location {
                line_number: at.line as usize,
                column_number: at.column as usize,
            },
            text: String::new(),
            lines: Vec::new(),
            segments: Vec::new(),
        };
        for index in line_indices(&places) {
            excerpt.push_line(source, index, &places);
        }
        let spans = places
            .iter()
            .map(|place| Span {
                range: excerpt.map(place.range.start)..excerpt.map(place.range.end),
                cut_at_line: place.cut_at_line,
            })
            .collect();
        (excerpt, spans)
    }

    /// Returns `name:line:column` of the primary label.
    pub(crate) fn address(&self) -> impl fmt::Display {
        format!(
            "{}:{}:{}",
            self.name, self.location.line_number, self.location.column_number
        )
    }

    fn push_line(&mut self, source: &SourceFile, index: u32, places: &[Place]) {
        let line = content_range(source, index);
        let start = self.text.len();
        let mut position = line.start;
        for window in kept_windows(source.text(), &line, index, places) {
            if position < window.start {
                self.push_cut(position..window.start);
            }
            self.push_text(source.text(), window.clone());
            position = window.end;
        }
        if position < line.end {
            self.push_cut(position..line.end);
        }
        self.lines.push(ExcerptLine {
            index,
            range: start..self.text.len(),
        });
        // Keeps the end of this line and the start of the next one apart.
        self.text.push('\n');
    }

    fn push_text(&mut self, text: &str, range: Range<usize>) {
        let piece = text.get(range.clone()).unwrap_or("");
        if is_plain_ascii(piece) {
            self.push_verbatim(range.start, piece);
            return;
        }
        let mut copied = 0;
        for (at, character) in piece.char_indices() {
            if character == '\t' {
                continue;
            }
            let Some(shown) = stand_in(character) else {
                continue;
            };
            self.push_verbatim(range.start + copied, piece.get(copied..at).unwrap_or(""));
            copied = at + character.len_utf8();
            let start = self.text.len();
            let is_byte_order_mark = character == '\u{feff}' && range.start + at == 0;
            if !is_byte_order_mark {
                self.text.push(shown);
            }
            self.segments.push(Segment {
                original: range.start + at..range.start + copied,
                shown: start..self.text.len(),
                verbatim: false,
            });
        }
        self.push_verbatim(range.start + copied, piece.get(copied..).unwrap_or(""));
    }

    fn push_verbatim(&mut self, original: usize, piece: &str) {
        let start = self.text.len();
        self.text.push_str(piece);
        self.segments.push(Segment {
            original: original..original + piece.len(),
            shown: start..self.text.len(),
            verbatim: true,
        });
    }

    fn push_cut(&mut self, original: Range<usize>) {
        let start = self.text.len();
        self.text.push(CUT);
        self.segments.push(Segment {
            original,
            shown: start..self.text.len(),
            verbatim: false,
        });
    }

    /// Returns where an offset of the file lies in the excerpt.
    fn map(&self, offset: usize) -> usize {
        let behind = self
            .segments
            .partition_point(|segment| segment.original.start <= offset);
        let Some(segment) = behind.checked_sub(1).and_then(|at| self.segments.get(at)) else {
            return 0;
        };
        let passed = offset - segment.original.start;
        if segment.verbatim {
            (segment.shown.start + passed).min(segment.shown.end)
        } else if passed == 0 {
            segment.shown.start
        } else {
            segment.shown.end
        }
    }
}

/// Returns the range of a line without its line end.
fn content_range(source: &SourceFile, index: u32) -> Range<usize> {
    let Some(range) = source.line_index().line_range(index) else {
        return source.text().len()..source.text().len();
    };
    let start = usize::from(range.start());
    let content = source.slice(range);
    let content = content.strip_suffix('\n').unwrap_or(content);
    let content = content.strip_suffix('\r').unwrap_or(content);
    start..start + content.len()
}

/// Returns a range cut to the file, to whole characters, and to its first line when it runs over many.
fn place(source: &SourceFile, range: TextRange) -> Place {
    let text = source.text();
    let start = floor_char_boundary(text, range.start().into());
    let end = floor_char_boundary(text, range.end().into()).max(start);
    // A range that ends behind a line end would be shown as one that reaches into the next line.
    let trimmed = text
        .get(start..end)
        .unwrap_or("")
        .trim_end_matches(['\n', '\r'])
        .len();
    let end = start + trimmed;
    let line = |offset: usize| source.line_index().line((offset as u32).into());
    let (first, last) = (line(start), line(end));
    if last - first < MOST_LINES {
        return Place {
            range: start..end,
            lines: first..last,
            cut_at_line: None,
        };
    }
    Place {
        range: start..content_range(source, first).end.max(start),
        lines: first..first,
        cut_at_line: Some(last + 1),
    }
}

/// Returns the lines to show, sorted; a gap of one line is filled, because codespan shows that line, too.
fn line_indices(places: &[Place]) -> Vec<u32> {
    let mut indices: Vec<u32> = places
        .iter()
        .flat_map(|place| place.lines.start..=place.lines.end)
        .collect();
    indices.sort_unstable();
    indices.dedup();
    let gaps: Vec<u32> = indices
        .windows(2)
        .filter_map(|pair| match pair {
            [left, right] if right - left == 2 => Some(left + 1),
            _ => None,
        })
        .collect();
    indices.extend(gaps);
    indices.sort_unstable();
    indices
}

/// Returns the parts of a line that are shown: all of it, or what lies around the labels of a long one.
fn kept_windows(
    text: &str,
    line: &Range<usize>,
    index: u32,
    places: &[Place],
) -> Vec<Range<usize>> {
    if line.len() <= LONG_LINE {
        return vec![line.clone()];
    }
    let mut windows: Vec<Range<usize>> = places
        .iter()
        .flat_map(|place| {
            let start = (place.lines.start == index).then_some(place.range.start);
            // Both ends are kept of a label that goes on to another line, the start only of a long one on this line.
            let end =
                (place.lines.end == index && place.lines.start != index).then_some(place.range.end);
            [start, end]
        })
        .flatten()
        .map(|point| point.saturating_sub(KEPT_BEFORE)..point.saturating_add(KEPT_AFTER))
        .collect();
    if windows.is_empty() {
        windows.push(line.start..line.start + KEPT_AFTER);
    }
    windows.sort_unstable_by_key(|window| window.start);
    let mut merged: Vec<Range<usize>> = Vec::new();
    for window in windows {
        let start = floor_char_boundary(text, window.start.clamp(line.start, line.end));
        let end = floor_char_boundary(text, window.end.clamp(start, line.end));
        match merged.last_mut() {
            Some(last) if start <= last.end => last.end = last.end.max(end),
            _ => merged.push(start..end),
        }
    }
    merged
}

impl<'f> Files<'f> for Excerpt<'_> {
    type FileId = ();
    type Name = &'f str;
    type Source = &'f str;

    fn name(&'f self, (): ()) -> Result<&'f str, Error> {
        Ok(&self.name)
    }

    fn source(&'f self, (): ()) -> Result<&'f str, Error> {
        Ok(&self.text)
    }

    fn line_index(&'f self, (): (), offset: usize) -> Result<usize, Error> {
        let behind = self
            .lines
            .partition_point(|line| line.range.start <= offset);
        let line = self
            .lines
            .get(behind.saturating_sub(1))
            .ok_or(Error::FileMissing)?;
        Ok(line.index as usize)
    }

    fn line_range(&'f self, (): (), index: usize) -> Result<Range<usize>, Error> {
        let found = self
            .lines
            .binary_search_by_key(&index, |line| line.index as usize)
            .ok()
            .and_then(|at| self.lines.get(at));
        let last = self.lines.last().map_or(0, |line| line.index as usize);
        found
            .map(|line| line.range.clone())
            .ok_or(Error::LineTooLarge {
                given: index,
                max: last,
            })
    }

    /// Returns the place of the primary label: codespan asks for no other.
    fn location(&'f self, (): (), _offset: usize) -> Result<Location, Error> {
        Ok(self.location)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the text of the excerpt and, for each range, the part of it that the range covers.
    fn excerpt(text: &str, ranges: &[Range<u32>]) -> (String, Vec<String>) {
        let source = SourceFile::new("a", text);
        let at = Position {
            offset: 0,
            line: 1,
            column: 1,
        };
        let ranges = ranges
            .iter()
            .map(|range| TextRange::new(range.start.into(), range.end.into()));
        let (excerpt, spans) = Excerpt::new(&source, at, ranges);
        let covered = spans
            .iter()
            .map(|span| excerpt.text[span.range.clone()].to_owned())
            .collect();
        (excerpt.text, covered)
    }

    fn one(text: &str, range: Range<u32>) -> (String, String) {
        let (text, covered) = excerpt(text, &[range]);
        (text, covered.concat())
    }

    #[test]
    fn takes_the_line_of_the_range_only() {
        let (text, covered) = one("FROM a\r\nRUN b\r\n", 12..13);
        assert_eq!((text.as_str(), covered.as_str()), ("RUN b\n", "b"));
    }

    #[test]
    fn cuts_a_long_line_around_the_range() {
        let line = format!("RUN {} X {}", "é".repeat(30_000), "b".repeat(30_000));
        let at = line.find('X').expect("present") as u32;
        let (text, covered) = one(&line, at..at + 1);
        assert_eq!(covered, "X");
        assert!(text.starts_with('…') && text.ends_with("…\n"), "{text}");
        assert!(text.len() < 200, "{}", text.len());
    }

    #[test]
    fn shows_the_start_of_a_range_that_is_itself_too_long() {
        let (text, covered) = one(&format!("RUN {}", "b".repeat(65_536)), 4..65_540);
        assert_eq!(text, format!("RUN {}…\n", "b".repeat(KEPT_AFTER)));
        assert_eq!(covered, format!("{}…", "b".repeat(KEPT_AFTER)));
    }

    #[test]
    fn shows_two_far_labels_of_one_long_line() {
        let line = format!("A{}B{}", "-".repeat(1000), "-".repeat(1000));
        let (text, covered) = excerpt(&line, &[1001..1002, 0..1]);
        assert_eq!(covered, ["B", "A"]);
        assert_eq!(text.matches('…').count(), 2);
    }

    #[test]
    fn makes_control_characters_visible_but_keeps_tabs() {
        let (text, covered) = one("RUN\t\u{1b}[1m é\rx\n", 12..13);
        assert_eq!(text, "RUN\t␛[1m é␍x\n");
        assert_eq!(covered, "x");
    }

    #[test]
    fn drops_a_byte_order_mark() {
        let (text, covered) = one("\u{feff}FROM x\n", 3..7);
        assert_eq!((text.as_str(), covered.as_str()), ("FROM x\n", "FROM"));
        assert_eq!(one("\u{feff}FROM x\n", 0..7).1, "FROM");
    }

    #[test]
    fn ends_a_range_before_the_line_end() {
        assert_eq!(one("RUN a\r\nRUN b\n", 0..7).0, "RUN a\n");
        assert_eq!(
            one("RUN a\r\nRUN b\n", 5..7),
            ("RUN a\n".into(), String::new())
        );
    }

    #[test]
    fn keeps_a_range_of_a_few_lines_whole_and_cuts_a_long_one_to_its_first_line() {
        let few = "1\n2\n3\n4\n5\n6\n7\n8\n";
        assert_eq!(one(few, 0..11).0, "1\n2\n3\n4\n5\n6\n");
        assert_eq!(one(few, 0..13), ("1\n".into(), "1".into()));
    }

    #[test]
    fn survives_ranges_outside_of_the_file_and_inside_a_character() {
        assert_eq!(one("", 0..0), ("\n".into(), String::new()));
        assert_eq!(one("a", 7..9), ("a\n".into(), String::new()));
        assert_eq!(one("é", 1..2), ("é\n".into(), "é".into()));
    }
}
