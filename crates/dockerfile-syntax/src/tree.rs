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
    entries: Box<[Entry]>,
}

/// A node or a token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Where its text starts. It ends where the text of the next entry that is not in it starts.
    pub(crate) start: u32,
    /// How many entries it takes up, itself included.
    pub(crate) size: u32,
    pub(crate) kind: SyntaxKind,
}

/// A place among the finished children of a node from which another node can be started later.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Checkpoint(usize);

/// The memory of more entries is not kept for the next tree.
const MOST_KEPT_ENTRIES: usize = 1 << 16;

/// Builds one tree after another in the same memory.
#[derive(Default)]
pub(crate) struct TreeBuilder {
    entries: Vec<Entry>,
    open: Vec<usize>,
    end: usize,
}

impl Tree {
    /// Returns the entry at `index`, and the one behind the tree for every index that is too large.
    pub(crate) fn entry(&self, index: u32) -> Entry {
        let entry = self.entries.get(index as usize).copied();
        entry.unwrap_or(Entry {
            start: self.text.len() as u32,
            size: 1,
            kind: SyntaxKind::ERROR,
        })
    }

    pub(crate) fn text(&self, start: u32, end: u32) -> &str {
        self.text.get(start as usize..end as usize).unwrap_or("")
    }

    /// Returns the same tree as the tree library has it.
    pub(crate) fn to_green(&self) -> GreenNode {
        let mut builder = GreenNodeBuilder::new();
        let mut ends = Vec::new();
        for (index, pair) in (0_u32..).zip(self.entries.windows(2)) {
            let [entry, next] = pair else { continue };
            while ends.last() == Some(&index) {
                builder.finish_node();
                ends.pop();
            }
            if entry.kind.is_node() {
                builder.start_node(entry.kind.into());
                ends.push(index + entry.size);
            } else {
                builder.token(entry.kind.into(), self.text(entry.start, next.start));
            }
        }
        for _ in ends {
            builder.finish_node();
        }
        builder.finish()
    }
}

impl TreeBuilder {
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
        let size = 1;
        self.entries.insert(index, Entry { start, size, kind });
        self.open.push(index);
    }

    /// Changes the kind of the innermost node that is open.
    pub(crate) fn change_kind(&mut self, kind: SyntaxKind) {
        if let Some(entry) = self.open.last().and_then(|idx| self.entries.get_mut(*idx)) {
            entry.kind = kind;
        }
    }

    #[inline]
    pub(crate) fn finish_node(&mut self) {
        let index = self.open.pop().expect("every finish follows a start");
        let len = self.entries.len();
        if let Some(entry) = self.entries.get_mut(index) {
            entry.size = (len - index) as u32;
        }
    }

    /// Returns the tree, and makes ready for the next one.
    pub(crate) fn finish(&mut self, text: &str) -> Tree {
        debug_assert!(self.open.is_empty(), "every start has its finish");
        debug_assert_eq!(self.end, text.len(), "the whole text is in the tree");
        self.push(SyntaxKind::ERROR, 1);
        let tree = Tree {
            text: text.into(),
            entries: self.entries.as_slice().into(),
        };
        if self.entries.capacity() > MOST_KEPT_ENTRIES {
            self.entries = Vec::new();
        }
        self.entries.clear();
        self.open.clear();
        self.end = 0;
        tree
    }

    #[inline]
    fn push(&mut self, kind: SyntaxKind, size: u32) {
        let start = self.end as u32;
        self.entries.push(Entry { start, size, kind });
    }
}
