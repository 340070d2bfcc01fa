//! A light view of the tree for walking down.
//!
//! A node is a reference and an offset: it is copied, not counted, and asking for children allocates nothing. It knows
//! no parent; for walking up there is `Parse::syntax`.

use std::fmt;

use dockerfile_source::{TextRange, TextSize};
use rowan::{GreenNode, GreenNodeData, GreenTokenData, NodeOrToken};

use crate::SyntaxKind;

/// A node of the tree and where it stands.
#[derive(Clone, Copy)]
pub struct Node<'t> {
    green: &'t GreenNodeData,
    offset: TextSize,
}

/// A token of the tree and where it stands.
#[derive(Clone, Copy)]
pub struct Token<'t> {
    green: &'t GreenTokenData,
    offset: TextSize,
}

/// A child: a node or a token.
#[derive(Clone, Copy, Debug)]
pub enum Element<'t> {
    Node(Node<'t>),
    Token(Token<'t>),
}

impl<'t> Node<'t> {
    pub(crate) fn root(green: &'t GreenNode) -> Node<'t> {
        Node {
            green,
            offset: TextSize::new(0),
        }
    }

    pub fn kind(self) -> SyntaxKind {
        self.green.kind().into()
    }

    pub fn range(self) -> TextRange {
        TextRange::at(self.offset, self.green.text_len())
    }

    /// Returns all children, trivia included.
    pub fn children_with_tokens(self) -> impl Iterator<Item = Element<'t>> + Clone {
        let mut offset = self.offset;
        self.green.children().map(move |child| {
            let start = offset;
            match child {
                NodeOrToken::Node(green) => {
                    offset += green.text_len();
                    Element::Node(Node {
                        green,
                        offset: start,
                    })
                }
                NodeOrToken::Token(green) => {
                    offset += green.text_len();
                    Element::Token(Token {
                        green,
                        offset: start,
                    })
                }
            }
        })
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
        for child in self.children_with_tokens() {
            match child {
                Element::Node(node) => node.for_each_token(visit),
                Element::Token(token) => visit(token),
            }
        }
    }

    /// Returns the text without continuations, and without the comment and blank lines inside of it: what the builder
    /// reads.
    pub fn logical_text(self) -> String {
        let mut text = String::with_capacity(usize::from(self.green.text_len()));
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
}

impl<'t> Token<'t> {
    pub fn kind(self) -> SyntaxKind {
        self.green.kind().into()
    }

    pub fn text(self) -> &'t str {
        self.green.text()
    }

    pub fn range(self) -> TextRange {
        TextRange::at(self.offset, self.green.text_len())
    }
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
        fmt::Display::fmt(&self.green, f)
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
