//! Builds green trees, sharing equal tokens and equal one-token nodes.
//!
//! The words of a Dockerfile repeat (`apt-get`, `install`, one blank), so most tokens come from a small cache instead
//! of the allocator. The cache has a fixed number of places and forgets on collision: its memory is bounded whatever
//! the input.

use std::hash::Hasher;

use rowan::{GreenNode, GreenToken, NodeOrToken};
use rustc_hash::FxHasher;

use crate::SyntaxKind;

type GreenElement = NodeOrToken<GreenNode, GreenToken>;

const CACHE_PLACES: usize = 1024;
/// Longer texts hardly ever repeat.
const LONGEST_CACHED_TEXT: usize = 40;

/// A place in the list of finished children from which a node can be started later.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Checkpoint(usize);

pub(crate) struct TreeBuilder {
    children: Vec<GreenElement>,
    open: Vec<(SyntaxKind, usize)>,
    cache: GreenCache,
}

/// Tokens and one-token nodes that were made before. Handed from parse to parse.
pub(crate) struct GreenCache {
    tokens: Vec<Option<GreenToken>>,
    nodes: Vec<Option<GreenNode>>,
}

impl GreenCache {
    pub(crate) fn new() -> GreenCache {
        GreenCache {
            tokens: vec![None; CACHE_PLACES],
            nodes: vec![None; CACHE_PLACES],
        }
    }

    fn token(&mut self, kind: SyntaxKind, text: &str) -> GreenToken {
        if text.len() > LONGEST_CACHED_TEXT {
            return GreenToken::new(kind.into(), text);
        }
        let place = place(kind, text);
        match self.tokens.get_mut(place) {
            Some(Some(token)) if token.kind() == kind.into() && token.text() == text => {
                token.clone()
            }
            Some(slot) => slot.insert(GreenToken::new(kind.into(), text)).clone(),
            None => GreenToken::new(kind.into(), text),
        }
    }

    fn one_token_node(
        &mut self,
        node_kind: SyntaxKind,
        token_kind: SyntaxKind,
        text: &str,
    ) -> GreenNode {
        let make =
            |token: GreenToken| GreenNode::new(node_kind.into(), [NodeOrToken::Token(token)]);
        if text.len() > LONGEST_CACHED_TEXT {
            return make(GreenToken::new(token_kind.into(), text));
        }
        let place = place(token_kind, text);
        if let Some(Some(node)) = self.nodes.get(place)
            && node.kind() == node_kind.into()
            && is_token(node, token_kind, text)
        {
            return node.clone();
        }
        let node = make(self.token(token_kind, text));
        if let Some(slot) = self.nodes.get_mut(place) {
            *slot = Some(node.clone());
        }
        node
    }
}

fn is_token(node: &GreenNode, kind: SyntaxKind, text: &str) -> bool {
    match node.children().next() {
        Some(NodeOrToken::Token(token)) => token.kind() == kind.into() && token.text() == text,
        _ => false,
    }
}

fn place(kind: SyntaxKind, text: &str) -> usize {
    let mut hasher = FxHasher::default();
    hasher.write_u16(kind as u16);
    hasher.write(text.as_bytes());
    hasher.finish() as usize % CACHE_PLACES
}

impl TreeBuilder {
    pub(crate) fn new(cache: GreenCache) -> TreeBuilder {
        TreeBuilder {
            children: Vec::new(),
            open: Vec::new(),
            cache,
        }
    }

    pub(crate) fn token(&mut self, kind: SyntaxKind, text: &str) {
        let token = self.cache.token(kind, text);
        self.children.push(NodeOrToken::Token(token));
    }

    /// Adds a node that holds one token.
    pub(crate) fn one_token_node(
        &mut self,
        node_kind: SyntaxKind,
        token_kind: SyntaxKind,
        text: &str,
    ) {
        let node = self.cache.one_token_node(node_kind, token_kind, text);
        self.children.push(NodeOrToken::Node(node));
    }

    pub(crate) fn start_node(&mut self, kind: SyntaxKind) {
        self.open.push((kind, self.children.len()));
    }

    pub(crate) fn checkpoint(&self) -> Checkpoint {
        Checkpoint(self.children.len())
    }

    /// Starts a node that takes in all that was added since the checkpoint.
    pub(crate) fn start_node_at(&mut self, checkpoint: Checkpoint, kind: SyntaxKind) {
        self.open.push((kind, checkpoint.0));
    }

    pub(crate) fn finish_node(&mut self) {
        let (kind, first) = self.open.pop().expect("every finish follows a start");
        let node = GreenNode::new(kind.into(), self.children.drain(first..));
        self.children.push(NodeOrToken::Node(node));
    }

    /// Returns the tree and the cache, for the next parse.
    pub(crate) fn finish(mut self) -> (GreenNode, GreenCache) {
        debug_assert!(self.open.is_empty(), "every start has its finish");
        let root = match self.children.pop() {
            Some(NodeOrToken::Node(node)) if self.children.is_empty() => node,
            _ => unreachable!("the file node is the only root"),
        };
        (root, self.cache)
    }
}
