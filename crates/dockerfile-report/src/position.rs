//! Byte offsets as people count: lines and columns from 1.

use dockerfile_source::{SourceFile, TextSize};

/// A place in a file: a byte offset from 0, a line and a column from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) offset: u32,
    pub(crate) line: u32,
    /// Code points; a byte order mark does not count, as editors do not show it.
    pub(crate) column: u32,
}

/// Turns the offsets of one file into positions.
///
/// Findings come sorted, so counting goes on from the last start instead of from the start of the line: a line of
/// megabytes with a thousand findings is read once.
pub(crate) struct Positions<'s> {
    source: &'s SourceFile,
    start: Position,
}

impl<'s> Positions<'s> {
    pub(crate) fn new(source: &'s SourceFile) -> Positions<'s> {
        Positions {
            source,
            start: Position {
                offset: 0,
                line: 1,
                column: 1,
            },
        }
    }

    /// Returns the position where a range starts, and counts on from there.
    pub(crate) fn start(&mut self, offset: TextSize) -> Position {
        self.start = self.at(offset);
        self.start
    }

    /// Returns the position of any offset; quick when it lies behind the last start on the same line.
    pub(crate) fn at(&self, offset: TextSize) -> Position {
        let text = self.source.text();
        let offset = floor_char_boundary(text, usize::from(offset));
        let index = self.source.line_index();
        let line = index.line(TextSize::new(offset as u32));
        let known = self.start.offset as usize;
        let (from, passed) = if line + 1 == self.start.line && known <= offset {
            (known, self.start.column)
        } else {
            let start = index
                .line_range(line)
                .map_or(0, |range| range.start().into());
            (start, 1)
        };
        let between = text.get(from..offset).unwrap_or("");
        let hidden = u32::from(from == 0 && between.starts_with('\u{feff}'));
        Position {
            offset: offset as u32,
            line: line + 1,
            column: passed + between.chars().count() as u32 - hidden,
        }
    }
}

/// Returns the nearest character boundary at or before `offset`.
pub(crate) fn floor_char_boundary(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line_and_column(positions: &mut Positions<'_>, offset: u32) -> (u32, u32) {
        let position = positions.start(offset.into());
        (position.line, position.column)
    }

    #[test]
    fn counts_code_points_from_one() {
        let source = SourceFile::new("a", "FROM é😀x\nRUN y\n");
        let mut positions = Positions::new(&source);
        assert_eq!(line_and_column(&mut positions, 0), (1, 1));
        assert_eq!(line_and_column(&mut positions, 5), (1, 6));
        assert_eq!(line_and_column(&mut positions, 11), (1, 8));
        assert_eq!(line_and_column(&mut positions, 13), (2, 1));
    }

    #[test]
    fn goes_back_and_forth() {
        let source = SourceFile::new("a", "abc\ndef\n");
        let mut positions = Positions::new(&source);
        assert_eq!(line_and_column(&mut positions, 6), (2, 3));
        assert_eq!(line_and_column(&mut positions, 5), (2, 2));
        assert_eq!(line_and_column(&mut positions, 7), (2, 4));
        assert_eq!(line_and_column(&mut positions, 1), (1, 2));
        assert_eq!(line_and_column(&mut positions, 99), (3, 1));
    }

    #[test]
    fn does_not_count_a_byte_order_mark() {
        let source = SourceFile::new("a", "\u{feff}FROM x\n");
        let mut positions = Positions::new(&source);
        assert_eq!(line_and_column(&mut positions, 0), (1, 1));
        assert_eq!(line_and_column(&mut positions, 3), (1, 1));
        assert_eq!(line_and_column(&mut positions, 8), (1, 6));
    }
}
