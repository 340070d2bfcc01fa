//! A part of the file as the builder reads it, with the way back to where it is written.

use std::ops::Range;

use dockerfile_source::{TextRange, TextSize};
use dockerfile_syntax::Node;

/// A text without continuations, and without the comments and blank lines between them.
pub(crate) struct LogicalText {
    pub(crate) text: String,
    /// Where each piece starts, in the text and in the file. Invariant: sorted, and the first one starts at 0.
    pieces: Vec<(usize, TextSize)>,
}

impl LogicalText {
    /// Returns what stands in a range of a node.
    pub(crate) fn new(node: Node<'_>, range: TextRange) -> LogicalText {
        let mut text = String::new();
        let mut pieces = Vec::new();
        node.for_each_token(&mut |token| {
            if token.kind().is_line_joint() {
                return;
            }
            let Some(inside) = token
                .range()
                .intersect(range)
                .filter(|inside| !inside.is_empty())
            else {
                return;
            };
            let start = usize::from(inside.start() - token.range().start());
            let end = start + usize::from(inside.len());
            if let Some(piece) = token.text().get(start..end) {
                pieces.push((text.len(), inside.start()));
                text.push_str(piece);
            }
        });
        LogicalText { text, pieces }
    }

    /// Returns where a part of the text stands in the file.
    pub(crate) fn file_range(&self, at: Range<usize>) -> TextRange {
        let start = self.file_offset(at.start);
        if at.is_empty() {
            return TextRange::empty(start);
        }
        // The end of a piece is the start of the next one only where no continuation lies between them.
        let end = self.file_offset(at.end - 1) + TextSize::new(1);
        TextRange::new(start, end.max(start))
    }

    fn file_offset(&self, at: usize) -> TextSize {
        let idx = self.pieces.partition_point(|(start, _)| *start <= at);
        match idx.checked_sub(1).and_then(|idx| self.pieces.get(idx)) {
            Some((start, offset)) => *offset + TextSize::new((at - start) as u32),
            None => TextSize::new(at as u32),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leads_back_over_continuations() {
        let file = "CMD ['a', \\\n# note\n  'b']\n";
        let parse = dockerfile_syntax::parse(file);
        let start = TextSize::new(4);
        let text = LogicalText::new(parse.root(), TextRange::new(start, TextSize::of(file)));
        assert_eq!(text.text.trim_end(), "['a',   'b']");
        let at = text.text.find("'b'").expect("it is there");
        let range = text.file_range(at..at + 3);
        let written = file.get(usize::from(range.start())..usize::from(range.end()));
        assert_eq!(written, Some("'b'"));
    }
}
