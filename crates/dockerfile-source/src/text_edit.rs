//! Changes to a text, as data.

use text_size::{TextLen, TextRange, TextSize};

/// One replacement: the text in `delete` gives way to `insert`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Indel {
    pub delete: TextRange,
    pub insert: String,
}

/// A set of replacements that can be applied together.
///
/// Invariant: the replacements are disjoint and sorted by position. Two insertions at the same place are allowed and
/// keep their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextEdit {
    indels: Vec<Indel>,
}

/// Two replacements of one edit touch the same text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverlappingEdits;

impl std::fmt::Display for OverlappingEdits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("two edits touch the same text")
    }
}

impl std::error::Error for OverlappingEdits {}

/// Collects replacements in any order.
#[derive(Clone, Debug, Default)]
pub struct TextEditBuilder {
    indels: Vec<Indel>,
}

impl TextEdit {
    /// Returns an edit that replaces one range.
    pub fn replace(range: TextRange, insert: impl Into<String>) -> TextEdit {
        TextEdit {
            indels: vec![Indel {
                delete: range,
                insert: insert.into(),
            }],
        }
    }

    /// Returns an edit that inserts a text.
    pub fn insert(offset: TextSize, insert: impl Into<String>) -> TextEdit {
        TextEdit::replace(TextRange::empty(offset), insert)
    }

    /// Returns an edit that deletes a range.
    pub fn delete(range: TextRange) -> TextEdit {
        TextEdit::replace(range, String::new())
    }

    pub fn builder() -> TextEditBuilder {
        TextEditBuilder::default()
    }

    pub fn is_empty(&self) -> bool {
        self.indels.is_empty()
    }

    pub fn indels(&self) -> &[Indel] {
        &self.indels
    }

    /// Returns the range from the first to the last character that the edit touches.
    pub fn span(&self) -> Option<TextRange> {
        let first = self.indels.first()?.delete.start();
        let last = self.indels.last()?.delete.end();
        Some(TextRange::new(first, last))
    }

    /// Returns `text` with the replacements made, or `None` when one of them lies outside of it or cuts a character.
    pub fn apply(&self, text: &str) -> Option<String> {
        let mut result = String::with_capacity(text.len());
        let mut position = 0_usize;
        for indel in &self.indels {
            let start = usize::from(indel.delete.start());
            result.push_str(text.get(position..start)?);
            result.push_str(&indel.insert);
            position = usize::from(indel.delete.end());
        }
        result.push_str(text.get(position..)?);
        Some(result)
    }

    /// Returns both edits as one, unless they touch the same text.
    pub fn union(&self, other: &TextEdit) -> Result<TextEdit, OverlappingEdits> {
        let mut builder = TextEditBuilder {
            indels: self.indels.clone(),
        };
        builder.indels.extend(other.indels.iter().cloned());
        builder.finish()
    }

    /// Returns where `offset` of the old text lies in the new text.
    pub fn map_offset(&self, offset: TextSize) -> TextSize {
        let mut result = u32::from(offset);
        for indel in &self.indels {
            if indel.delete.end() > offset {
                break;
            }
            result = result + u32::from(indel.insert.text_len()) - u32::from(indel.delete.len());
        }
        TextSize::new(result)
    }
}

impl TextEditBuilder {
    pub fn replace(&mut self, range: TextRange, insert: impl Into<String>) -> &mut Self {
        self.indels.push(Indel {
            delete: range,
            insert: insert.into(),
        });
        self
    }

    pub fn insert(&mut self, offset: TextSize, insert: impl Into<String>) -> &mut Self {
        self.replace(TextRange::empty(offset), insert)
    }

    pub fn delete(&mut self, range: TextRange) -> &mut Self {
        self.replace(range, String::new())
    }

    /// Sorts the replacements and checks that no two touch the same text.
    pub fn finish(self) -> Result<TextEdit, OverlappingEdits> {
        let mut indels = self.indels;
        indels.sort_by_key(|indel| (indel.delete.start(), indel.delete.end()));
        let disjoint = indels.windows(2).all(|pair| match pair {
            [left, right] => left.delete.end() <= right.delete.start(),
            _ => true,
        });
        if disjoint {
            Ok(TextEdit { indels })
        } else {
            Err(OverlappingEdits)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(start: u32, end: u32) -> TextRange {
        TextRange::new(start.into(), end.into())
    }

    #[test]
    fn applies_replacements_in_position_order_whatever_the_order_of_making() {
        let mut builder = TextEdit::builder();
        builder
            .delete(range(4, 5))
            .replace(range(0, 1), "xy")
            .insert(2.into(), "-");
        let edit = builder.finish().expect("disjoint");
        assert_eq!(edit.apply("abcde").as_deref(), Some("xyb-cd"));
        assert_eq!(edit.span(), Some(range(0, 5)));
    }

    #[test]
    fn refuses_overlapping_replacements() {
        let mut builder = TextEdit::builder();
        builder.delete(range(0, 3)).delete(range(2, 4));
        assert_eq!(builder.finish(), Err(OverlappingEdits));
    }

    #[test]
    fn refuses_to_apply_outside_of_the_text_or_inside_a_character() {
        assert_eq!(TextEdit::delete(range(2, 9)).apply("abc"), None);
        assert_eq!(TextEdit::delete(range(0, 1)).apply("é"), None);
    }

    #[test]
    fn maps_offsets_behind_an_edit() {
        let edit = TextEdit::replace(range(1, 3), "xxxx");
        assert_eq!(edit.map_offset(0.into()), 0.into());
        assert_eq!(edit.map_offset(5.into()), 7.into());
    }
}
