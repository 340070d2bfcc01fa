//! The lossless tree as one list: every node and every token, in the order in which they begin.
//!
//! A node is followed by all that is in it, and knows how many entries that is. So building the tree is pushing to one
//! vector, walking it is adding to an index, and dropping it frees two blocks of memory, however long the file is.

use rowan::{GreenNode, GreenNodeBuilder};

use crate::SyntaxKind;

/// A text and its tree.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Tree {
    text: Box<str>,
    // Invariant: the first entry is the root, the last one stands behind the tree; starts never descend.
    entries: Box<[Packed]>,
    /// The sizes that no packed entry can say, by index.
    huge: Vec<(u32, u32)>,
}

/// A node or a token.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    /// Where its text starts. It ends where the text of the next entry that is not in it starts.
    pub(crate) start: u32,
    /// How many entries it takes up, itself included.
    pub(crate) size: u32,
    pub(crate) kind: SyntaxKind,
}

/// An entry in eight bytes, for long texts are as fast to read as memory is to fill.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Packed {
    start: u32,
    /// The kind in the lowest `KIND_BITS`, the size above.
    kind_and_size: u32,
}

const KIND_BITS: u32 = 8;
/// Stands for a size that is not smaller. Tests have one that they can reach.
const HUGE: u32 = if cfg!(test) {
    16
} else {
    u32::MAX >> KIND_BITS
};

impl Packed {
    #[inline]
    fn new(kind: SyntaxKind, size: u32, start: u32) -> Packed {
        Packed {
            start,
            kind_and_size: kind as u32 | size << KIND_BITS,
        }
    }

    #[inline]
    fn kind(self) -> SyntaxKind {
        SyntaxKind::from_number(self.kind_and_size & ((1 << KIND_BITS) - 1))
    }

    #[inline]
    fn size(self) -> u32 {
        self.kind_and_size >> KIND_BITS
    }
}

/// A place among the finished children of a node from which another node can be started later.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Checkpoint(usize);

/// The memory of more entries is not kept for the next tree.
const MOST_KEPT_ENTRIES: usize = 1 << 16;

/// Builds one tree after another in the same memory.
#[derive(Default)]
pub(crate) struct TreeBuilder {
    entries: Vec<Packed>,
    huge: Vec<(u32, u32)>,
    open: Vec<usize>,
    end: usize,
}

impl Tree {
    /// Returns the entry at `index`, and the one behind the tree for every index that is too large.
    #[inline]
    pub(crate) fn entry(&self, index: u32) -> Entry {
        let Some(packed) = self.entries.get(index as usize) else {
            return Entry {
                start: self.text.len() as u32,
                size: 1,
                kind: SyntaxKind::ERROR,
            };
        };
        let size = match packed.size() {
            HUGE => self.huge_size(index),
            size => size,
        };
        Entry {
            start: packed.start,
            size,
            kind: packed.kind(),
        }
    }

    #[cold]
    fn huge_size(&self, index: u32) -> u32 {
        let found = self.huge.binary_search_by_key(&index, |(index, _)| *index);
        found
            .ok()
            .and_then(|at| self.huge.get(at))
            .map_or(HUGE, |(_, size)| *size)
    }

    pub(crate) fn text(&self, start: u32, end: u32) -> &str {
        self.text.get(start as usize..end as usize).unwrap_or("")
    }

    /// Returns the same tree as the tree library has it.
    pub(crate) fn to_green(&self) -> GreenNode {
        let mut builder = GreenNodeBuilder::new();
        let mut ends = Vec::new();
        let behind = self.entries.len().saturating_sub(1) as u32;
        for index in 0..behind {
            while ends.last() == Some(&index) {
                builder.finish_node();
                ends.pop();
            }
            let entry = self.entry(index);
            if entry.kind.is_node() {
                builder.start_node(entry.kind.into());
                ends.push(index + entry.size);
            } else {
                let end = self.entry(index + 1).start;
                builder.token(entry.kind.into(), self.text(entry.start, end));
            }
        }
        for _ in ends {
            builder.finish_node();
        }
        builder.finish()
    }
}

impl TreeBuilder {
    /// Makes room for what a text of `len` bytes is likely to need.
    pub(crate) fn reserve(&mut self, len: usize) {
        self.entries.reserve(len / 3);
    }

    /// Returns the offset up to which the text is in the tree.
    pub(crate) fn end(&self) -> usize {
        self.end
    }

    /// Adds the text up to `end` as a token.
    #[inline]
    pub(crate) fn token(&mut self, kind: SyntaxKind, end: usize) {
        debug_assert!(!kind.is_node(), "{kind:?} is a kind of node");
        self.push(kind, 1);
        self.end = end;
    }

    #[inline]
    pub(crate) fn start_node(&mut self, kind: SyntaxKind) {
        debug_assert!(kind.is_node(), "{kind:?} is a kind of token");
        self.open.push(self.entries.len());
        self.push(kind, 1);
    }

    /// Adds a node that holds one token, the text up to `end`.
    #[inline]
    pub(crate) fn one_token_node(&mut self, node: SyntaxKind, token: SyntaxKind, end: usize) {
        self.push(node, 2);
        self.token(token, end);
    }

    pub(crate) fn checkpoint(&self) -> Checkpoint {
        Checkpoint(self.entries.len())
    }

    /// Starts a node that takes in all that was added since the checkpoint.
    pub(crate) fn start_node_at(&mut self, checkpoint: Checkpoint, kind: SyntaxKind) {
        let Checkpoint(index) = checkpoint;
        let start = match self.entries.get(index) {
            Some(first) => first.start,
            None => self.end as u32,
        };
        self.entries.insert(index, Packed::new(kind, 1, start));
        for (moved, _) in &mut self.huge {
            *moved += u32::from(*moved as usize >= index);
        }
        self.open.push(index);
    }

    /// Changes the kind of the innermost node that is open.
    pub(crate) fn change_kind(&mut self, kind: SyntaxKind) {
        if let Some(entry) = self.open.last().and_then(|idx| self.entries.get_mut(*idx)) {
            *entry = Packed::new(kind, entry.size(), entry.start);
        }
    }

    #[inline]
    pub(crate) fn finish_node(&mut self) {
        let index = self.open.pop().expect("every finish follows a start");
        let size = (self.entries.len() - index) as u32;
        if let Some(entry) = self.entries.get_mut(index) {
            *entry = Packed::new(entry.kind(), size.min(HUGE), entry.start);
        }
        if size >= HUGE {
            self.huge.push((index as u32, size));
        }
    }

    /// Returns the tree, and makes ready for the next one.
    pub(crate) fn finish(&mut self, text: &str) -> Tree {
        debug_assert!(self.open.is_empty(), "every start has its finish");
        debug_assert_eq!(self.end, text.len(), "the whole text is in the tree");
        self.push(SyntaxKind::ERROR, 1);
        let mut huge = std::mem::take(&mut self.huge);
        huge.sort_unstable();
        let entries = if self.entries.capacity() > MOST_KEPT_ENTRIES {
            std::mem::take(&mut self.entries).into_boxed_slice()
        } else {
            self.entries.as_slice().into()
        };
        let tree = Tree {
            text: text.into(),
            entries,
            huge,
        };
        self.entries.clear();
        self.open.clear();
        self.end = 0;
        tree
    }

    #[inline]
    fn push(&mut self, kind: SyntaxKind, size: u32) {
        let packed = Packed::new(kind, size, self.end as u32);
        self.entries.push(packed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    #[test]
    fn the_size_of_a_node_has_no_limit() {
        let texts = [
            "FROM a\nRUN b && c\n".repeat(40),
            format!(
                "RUN {} && e\n",
                "{ a b c d || x;".repeat(20) + &"}".repeat(20)
            ),
            format!(
                "RUN {} && e\n",
                "{ a b c d | x; ".repeat(20) + &"}; ".repeat(19) + "}"
            ),
        ];
        for text in texts {
            let parse = parse(&text);
            assert_eq!(parse.text(), text);
            assert_eq!(parse.syntax().text().to_string(), text);
            let end = parse
                .root()
                .children()
                .last()
                .map(|node| node.range().end());
            assert_eq!(end.map(usize::from), Some(text.trim_end().len()));
        }
    }

    #[test]
    fn every_keyword_is_found() {
        for (name, kind) in crate::KEYWORDS {
            assert_eq!(crate::keyword_kind(&name.to_lowercase()), kind, "{name}");
        }
        for other in ["", "ZZZ", "é", "@", "FRO", "EXPOSED", "\0"] {
            assert_eq!(crate::keyword_kind(other), SyntaxKind::UNKNOWN_INSTRUCTION);
        }
    }
}
