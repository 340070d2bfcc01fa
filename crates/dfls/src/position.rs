//! Positions of the protocol and offsets, in the units that were agreed on.

use dockerfile_source::{LineColumn, SourceFile, TextRange, TextSize};
use tower_lsp::ls_types::{Position, PositionEncodingKind, Range};

/// What a column counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Encoding {
    Utf8,
    #[default]
    Utf16,
    Utf32,
}

impl Encoding {
    /// Returns the cheapest that the client offers; UTF-16 where it says nothing.
    pub(crate) fn negotiate(offered: Option<&[PositionEncodingKind]>) -> Encoding {
        let offered = offered.unwrap_or_default();
        if offered.contains(&PositionEncodingKind::UTF8) {
            Encoding::Utf8
        } else if offered.contains(&PositionEncodingKind::UTF32)
            && !offered.contains(&PositionEncodingKind::UTF16)
        {
            Encoding::Utf32
        } else {
            Encoding::Utf16
        }
    }

    pub(crate) fn kind(self) -> PositionEncodingKind {
        match self {
            Encoding::Utf8 => PositionEncodingKind::UTF8,
            Encoding::Utf16 => PositionEncodingKind::UTF16,
            Encoding::Utf32 => PositionEncodingKind::UTF32,
        }
    }

    /// Returns the length of a text in the units of columns.
    pub(crate) fn len(self, text: &str) -> u32 {
        let len = match self {
            Encoding::Utf8 => text.len(),
            Encoding::Utf16 => text.encode_utf16().count(),
            Encoding::Utf32 => text.chars().count(),
        };
        len as u32
    }

    pub(crate) fn position(self, source: &SourceFile, offset: TextSize) -> Position {
        let index = source.line_index();
        let at = match self {
            Encoding::Utf8 => index.line_column(offset),
            Encoding::Utf16 => index.line_column_utf16(source.text(), offset),
            Encoding::Utf32 => index.line_column_utf32(source.text(), offset),
        };
        Position::new(at.line, at.column)
    }

    pub(crate) fn range(self, source: &SourceFile, range: TextRange) -> Range {
        Range::new(
            self.position(source, range.start()),
            self.position(source, range.end()),
        )
    }

    /// Returns the offset of a position; one behind the end of its line or of the text counts as that end.
    pub(crate) fn offset(self, source: &SourceFile, position: Position) -> TextSize {
        let text = source.text();
        let index = source.line_index();
        let Some(line) = index.line_range(position.line) else {
            return TextSize::of(text);
        };
        let content = source.slice(line).trim_end_matches(['\n', '\r']);
        let end = line.start() + TextSize::of(content);
        let at = LineColumn {
            line: position.line,
            column: position.character,
        };
        let offset = match self {
            Encoding::Utf8 => index.offset(at),
            Encoding::Utf16 => index.offset_utf16(text, at),
            Encoding::Utf32 => index.offset_utf32(text, at),
        };
        let mut offset = usize::from(offset.unwrap_or(end).min(end));
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        TextSize::new(offset as u32)
    }

    pub(crate) fn text_range(self, source: &SourceFile, range: Range) -> TextRange {
        let start = self.offset(source, range.start);
        let end = self.offset(source, range.end);
        TextRange::new(start.min(end), end.max(start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_in_the_units_that_were_agreed_on() {
        let source = SourceFile::new("Dockerfile", "a\né😀b\n");
        for (encoding, column) in [
            (Encoding::Utf8, 6),
            (Encoding::Utf16, 3),
            (Encoding::Utf32, 2),
        ] {
            let position = encoding.position(&source, TextSize::new(8));
            assert_eq!(position, Position::new(1, column));
            assert_eq!(encoding.offset(&source, position), TextSize::new(8));
        }
    }

    #[test]
    fn a_place_behind_the_end_is_the_end() {
        let source = SourceFile::new("Dockerfile", "ab\r\ncd");
        for encoding in [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32] {
            assert_eq!(
                encoding.offset(&source, Position::new(0, 99)),
                TextSize::new(2)
            );
            assert_eq!(
                encoding.offset(&source, Position::new(9, 0)),
                TextSize::new(6)
            );
        }
    }

    #[test]
    fn takes_the_units_that_cost_least() {
        use PositionEncodingKind as Kind;
        assert_eq!(Encoding::negotiate(None), Encoding::Utf16);
        assert_eq!(
            Encoding::negotiate(Some(&[Kind::UTF16, Kind::UTF8])),
            Encoding::Utf8
        );
        assert_eq!(Encoding::negotiate(Some(&[Kind::UTF32])), Encoding::Utf32);
    }
}
