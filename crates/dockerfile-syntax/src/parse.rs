//! Text in, tree and errors out.

use std::fmt;

use crate::emitter::Emitter;
use crate::node::Node;
use crate::syntax_kind::Dockerfile;
use crate::tree::{Tree, TreeBuilder};
use crate::{SyntaxError, grammar};

pub type SyntaxNode = rowan::SyntaxNode<Dockerfile>;
pub type SyntaxToken = rowan::SyntaxToken<Dockerfile>;
pub type SyntaxElement = rowan::SyntaxElement<Dockerfile>;

/// The tree of a text, and what is wrong with it.
///
/// Invariant: the text of the tree is the text that was parsed, byte for byte.
#[derive(Clone, PartialEq, Eq)]
pub struct Parse {
    tree: Tree,
    errors: Vec<SyntaxError>,
    escape: char,
}

/// Parses texts one after another, in the same memory.
#[derive(Default)]
pub struct Parser {
    builder: TreeBuilder,
}

/// Parses a Dockerfile. Never fails and never panics, whatever the text.
pub fn parse(text: &str) -> Parse {
    Parser::default().parse(text)
}

impl Parser {
    pub fn new() -> Parser {
        Parser::default()
    }

    /// Parses a Dockerfile. Never fails and never panics, whatever the text.
    pub fn parse(&mut self, text: &str) -> Parse {
        let mut builder = std::mem::take(&mut self.builder);
        builder.reserve(text.len());
        let output = grammar::parse_file(Emitter::new(text, builder), text);
        self.builder = output.emitter.finish();
        Parse {
            tree: self.builder.finish(text),
            errors: output.errors,
            escape: output.escape,
        }
    }
}

impl Parse {
    /// Returns what is wrong with the text, in order of position.
    pub fn errors(&self) -> &[SyntaxError] {
        &self.errors
    }

    /// Returns the escape character that the file asks for: `\` or `` ` ``.
    pub fn escape(&self) -> char {
        self.escape
    }

    /// Returns the root for walking down: cheap, without parents.
    pub fn root(&self) -> Node<'_> {
        Node::root(&self.tree)
    }

    /// Returns the root for walking in all directions. Makes a second tree: to be called once, not for each question.
    pub fn syntax(&self) -> SyntaxNode {
        SyntaxNode::new_root(self.tree.to_green())
    }

    /// Returns the text, as it was parsed.
    pub fn text(&self) -> String {
        self.root().to_string()
    }

    /// Returns the tree as indented text, one element a line, for tests and for people.
    pub fn debug_tree(&self) -> String {
        format!("{:#?}", self.syntax())
    }
}

impl fmt::Debug for Parse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#?}{:?}", self.syntax(), self.errors)
    }
}
