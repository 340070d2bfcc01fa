//! A light view of the tree for walking down.
//!
//! A node is a reference and an index: it is copied, not counted, and asking for children allocates nothing. It knows
//! no parent; for walking up there is `Parse::syntax`.

use std::fmt;

use dockerfile_source::{TextRange, TextSize};

use crate::SyntaxKind;
use crate::tree::Tree;

/// A node of the tree and where it stands.
#[derive(Clone, Copy)]
pub struct Node<'t> {
    tree: &'t Tree,
    index: u32,
}

/// A token of the tree and where it stands.
#[derive(Clone, Copy)]
pub struct Token<'t> {
    tree: &'t Tree,
    index: u32,
}

/// A child: a node or a token.
#[derive(Clone, Copy, Debug)]
pub enum Element<'t> {
    Node(Node<'t>),
    Token(Token<'t>),
}

/// Entries of a tree from `next` up to `end`, one behind the other.
#[derive(Clone)]
struct Siblings<'t> {
    tree: &'t Tree,
    next: u32,
    end: u32,
}

impl<'t> Iterator for Siblings<'t> {
    type Item = Element<'t>;

    #[inline]
    fn next(&mut self) -> Option<Element<'t>> {
        if self.next >= self.end {
            return None;
        }
        let (tree, index) = (self.tree, self.next);
        let entry = tree.entry(index);
        self.next += entry.size;
        Some(if entry.kind.is_node() {
            Element::Node(Node { tree, index })
        } else {
            Element::Token(Token { tree, index })
        })
    }
}

impl<'t> Node<'t> {
    pub(crate) fn root(tree: &'t Tree) -> Node<'t> {
        Node { tree, index: 0 }
    }

    pub fn kind(self) -> SyntaxKind {
        self.tree.entry(self.index).kind
    }

    pub fn range(self) -> TextRange {
        range(self.tree, self.index)
    }

    /// Returns all children, trivia included.
    pub fn children_with_tokens(self) -> impl Iterator<Item = Element<'t>> + Clone {
        Siblings {
            tree: self.tree,
            next: self.index + 1,
            end: self.index + self.tree.entry(self.index).size,
        }
    }

    /// Returns the children that are nodes.
    pub fn children(self) -> impl Iterator<Item = Node<'t>> + Clone {
        self.children_with_tokens().filter_map(Element::into_node)
    }

    /// Returns the children that are tokens, trivia included.
    pub fn tokens(self) -> impl Iterator<Item = Token<'t>> + Clone {
        self.children_with_tokens().filter_map(Element::into_token)
    }

    pub fn child(self, kind: SyntaxKind) -> Option<Node<'t>> {
        self.children().find(|child| child.kind() == kind)
    }

    pub fn token(self, kind: SyntaxKind) -> Option<Token<'t>> {
        self.tokens().find(|token| token.kind() == kind)
    }

    /// Calls `visit` for every token below this node, in order.
    pub fn for_each_token(self, visit: &mut impl FnMut(Token<'t>)) {
        let tree = self.tree;
        for index in self.index + 1..self.index + tree.entry(self.index).size {
            if !tree.entry(index).kind.is_node() {
                visit(Token { tree, index });
            }
        }
    }

    /// Returns the text without continuations, and without the comment and blank lines inside of it: what the builder
    /// reads.
    pub fn logical_text(self) -> String {
        let mut text = String::with_capacity(usize::from(self.range().len()));
        self.push_logical_text(&mut text);
        text
    }

    /// Appends what `logical_text` returns.
    pub fn push_logical_text(self, text: &mut String) {
        self.for_each_token(&mut |token| {
            if !token.kind().is_line_joint() {
                text.push_str(token.text());
            }
        });
    }

    /// Returns the text as it stands in the file.
    pub fn text(self) -> &'t str {
        text(self.tree, self.index)
    }
}

impl<'t> Token<'t> {
    pub fn kind(self) -> SyntaxKind {
        self.tree.entry(self.index).kind
    }

    pub fn text(self) -> &'t str {
        text(self.tree, self.index)
    }

    pub fn range(self) -> TextRange {
        range(self.tree, self.index)
    }
}

/// Returns where the text of an entry starts and ends.
fn bounds(tree: &Tree, index: u32) -> (u32, u32) {
    let entry = tree.entry(index);
    (entry.start, tree.entry(index + entry.size).start)
}

fn range(tree: &Tree, index: u32) -> TextRange {
    let (start, end) = bounds(tree, index);
    TextRange::new(TextSize::new(start), TextSize::new(end))
}

fn text(tree: &Tree, index: u32) -> &str {
    let (start, end) = bounds(tree, index);
    tree.text(start, end)
}

impl<'t> Element<'t> {
    pub fn kind(self) -> SyntaxKind {
        match self {
            Element::Node(node) => node.kind(),
            Element::Token(token) => token.kind(),
        }
    }

    pub fn range(self) -> TextRange {
        match self {
            Element::Node(node) => node.range(),
            Element::Token(token) => token.range(),
        }
    }

    pub fn into_node(self) -> Option<Node<'t>> {
        match self {
            Element::Node(node) => Some(node),
            Element::Token(_) => None,
        }
    }

    pub fn into_token(self) -> Option<Token<'t>> {
        match self {
            Element::Node(_) => None,
            Element::Token(token) => Some(token),
        }
    }
}

impl fmt::Display for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}@{:?}", self.kind(), self.range())
    }
}

impl fmt::Debug for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}@{:?} {:?}", self.kind(), self.range(), self.text())
    }
}
