//! Byte offsets to lines and columns and back.

use text_size::{TextLen, TextRange, TextSize};

/// A position as people and protocols count it: both numbers start at 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineColumn {
    pub line: u32,
    /// Bytes, UTF-16 code units or code points, depending on which method made it.
    pub column: u32,
}

/// Where each line of a text starts. A line ends with `\n`; a lone `\r` ends nothing, as in BuildKit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineIndex {
    // Invariant: never empty, starts with 0, strictly ascending.
    line_starts: Vec<TextSize>,
    len: TextSize,
    /// The units in front of each multiple of `STEP`; empty where no line is long enough to need it.
    checkpoints: Vec<Units>,
}

/// How far apart the places are whose columns are known without counting.
const STEP: usize = 1024;

/// What stands in front of a place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Units {
    utf16: u32,
    code_points: u32,
}

impl Units {
    /// Counts a character with its first byte.
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let starts_character = byte & 0xc0 != 0x80;
            self.code_points += u32::from(starts_character);
            self.utf16 += u32::from(starts_character) + u32::from(*byte >= 0xf0);
        }
    }
}

impl LineIndex {
    pub fn new(text: &str) -> LineIndex {
        let mut line_starts = Vec::with_capacity(text.len() / 32 + 1);
        line_starts.push(TextSize::new(0));
        line_starts.extend(
            memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| TextSize::new(at as u32 + 1)),
        );
        let len = text.text_len();
        let ends = line_starts.iter().skip(1).copied().chain([len]);
        let has_long_line = line_starts
            .iter()
            .zip(ends)
            .any(|(start, end)| usize::from(end - *start) > STEP);
        LineIndex {
            line_starts,
            len,
            checkpoints: if has_long_line {
                checkpoints(text)
            } else {
                Vec::new()
            },
        }
    }

    /// Returns the number of lines; a text that ends with `\n` has an empty last line.
    pub fn line_count(&self) -> u32 {
        self.line_starts.len() as u32
    }

    /// Returns the 0-based line that holds `offset`.
    pub fn line(&self, offset: TextSize) -> u32 {
        (self.line_starts.partition_point(|start| *start <= offset) as u32).saturating_sub(1)
    }

    /// Returns the range of a 0-based line, its `\n` included.
    pub fn line_range(&self, line: u32) -> Option<TextRange> {
        let start = *self.line_starts.get(line as usize)?;
        let end = self
            .line_starts
            .get(line as usize + 1)
            .copied()
            .unwrap_or(self.len);
        Some(TextRange::new(start, end))
    }

    /// Returns line and column in bytes.
    pub fn line_column(&self, offset: TextSize) -> LineColumn {
        let offset = offset.min(self.len);
        let line = self.line(offset);
        let start = self
            .line_starts
            .get(line as usize)
            .copied()
            .unwrap_or_default();
        LineColumn {
            line,
            column: (offset - start).into(),
        }
    }

    /// Returns line and column in UTF-16 code units, as the language server protocol counts by default.
    pub fn line_column_utf16(&self, text: &str, offset: TextSize) -> LineColumn {
        self.convert_column(text, offset, |units| units.utf16)
    }

    /// Returns line and column in code points, as a person counts characters.
    pub fn line_column_utf32(&self, text: &str, offset: TextSize) -> LineColumn {
        self.convert_column(text, offset, |units| units.code_points)
    }

    /// Returns the offset of a byte column, cut to the end of the line.
    pub fn offset(&self, position: LineColumn) -> Option<TextSize> {
        let range = self.line_range(position.line)?;
        Some((range.start() + TextSize::new(position.column)).min(range.end()))
    }

    /// Returns the offset of a UTF-16 column, cut to the end of the line.
    pub fn offset_utf16(&self, text: &str, position: LineColumn) -> Option<TextSize> {
        self.offset_by_units(text, position, |character| character.len_utf16() as u32)
    }

    /// Returns the offset of a code point column, cut to the end of the line.
    pub fn offset_utf32(&self, text: &str, position: LineColumn) -> Option<TextSize> {
        self.offset_by_units(text, position, |_| 1)
    }

    fn convert_column(
        &self,
        text: &str,
        offset: TextSize,
        unit: impl Fn(Units) -> u32,
    ) -> LineColumn {
        let bytes = self.line_column(offset);
        let Some(range) = self.line_range(bytes.line) else {
            return bytes;
        };
        let start = usize::from(range.start());
        let mut end = (start + bytes.column as usize).min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        LineColumn {
            line: bytes.line,
            column: if end - start <= STEP {
                let mut units = Units::default();
                units.add(text.as_bytes().get(start..end).unwrap_or(&[]));
                unit(units)
            } else {
                unit(self.units_before(text, end)) - unit(self.units_before(text, start))
            },
        }
    }

    /// Returns what stands in front of a place, counted from the nearest checkpoint.
    fn units_before(&self, text: &str, offset: usize) -> Units {
        let idx = (offset / STEP).min(self.checkpoints.len().saturating_sub(1));
        let mut units = self.checkpoints.get(idx).copied().unwrap_or_default();
        units.add(text.as_bytes().get(idx * STEP..offset).unwrap_or(&[]));
        units
    }

    fn offset_by_units(
        &self,
        text: &str,
        position: LineColumn,
        units: impl Fn(char) -> u32,
    ) -> Option<TextSize> {
        let range = self.line_range(position.line)?;
        let line = text.get(usize::from(range.start())..usize::from(range.end()))?;
        let mut passed = 0;
        for (at, character) in line.char_indices() {
            if passed >= position.column {
                return Some(range.start() + TextSize::new(at as u32));
            }
            passed += units(character);
        }
        Some(range.end())
    }
}

fn checkpoints(text: &str) -> Vec<Units> {
    let mut units = Units::default();
    let mut checkpoints = vec![units];
    for chunk in text.as_bytes().chunks(STEP) {
        units.add(chunk);
        checkpoints.push(units);
    }
    checkpoints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_bytes_utf16_and_code_points() {
        let text = "a\né😀x\n";
        let index = LineIndex::new(text);
        let x = TextSize::new(text.find('x').expect("present") as u32);
        assert_eq!(index.line_column(x), LineColumn { line: 1, column: 6 });
        assert_eq!(
            index.line_column_utf16(text, x),
            LineColumn { line: 1, column: 3 }
        );
        assert_eq!(
            index.line_column_utf32(text, x),
            LineColumn { line: 1, column: 2 }
        );
        assert_eq!(
            index.offset_utf16(text, LineColumn { line: 1, column: 3 }),
            Some(x)
        );
        assert_eq!(
            index.offset_utf32(text, LineColumn { line: 1, column: 2 }),
            Some(x)
        );
        assert_eq!(index.offset(LineColumn { line: 1, column: 6 }), Some(x));
    }

    #[test]
    fn columns_of_a_long_line_are_counted_from_its_start() {
        let text = format!("é\n{}\nx", "aé😀".repeat(1000));
        let index = LineIndex::new(&text);
        for at in [3, 4, 6, 10, 1021, 1023, 1024, 1025, 5000, 7003, 7004] {
            let mut end = at;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            let line = if end > 7003 { 2 } else { 1 };
            let prefix = if line == 2 {
                ""
            } else {
                text.get(3..end).expect("a boundary")
            };
            let offset = TextSize::new(at as u32);
            assert_eq!(
                index.line_column_utf32(&text, offset),
                LineColumn {
                    line,
                    column: prefix.chars().count() as u32
                },
                "{at}"
            );
            assert_eq!(
                index.line_column_utf16(&text, offset),
                LineColumn {
                    line,
                    column: prefix.encode_utf16().count() as u32
                },
                "{at}"
            );
        }
    }

    #[test]
    fn a_lone_carriage_return_ends_no_line() {
        assert_eq!(LineIndex::new("a\rb\r\nc").line_count(), 2);
    }

    #[test]
    fn positions_outside_are_cut() {
        let index = LineIndex::new("ab\ncd");
        assert_eq!(
            index.line_column(99.into()),
            LineColumn { line: 1, column: 2 }
        );
        assert_eq!(index.offset(LineColumn { line: 9, column: 0 }), None);
        assert_eq!(
            index.offset(LineColumn {
                line: 0,
                column: 99
            }),
            Some(3.into())
        );
    }
}
