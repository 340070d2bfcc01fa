//! The children of a node that carry meaning, each with what stands in front of it.

use dockerfile_syntax::{Element, Node, SyntaxKind, Token};

/// A child and what its author wrote between it and the child before.
pub(crate) struct Part<'t> {
    pub(crate) element: Element<'t>,
    /// Whether the author began a new line.
    pub(crate) is_broken: bool,
    /// The lines of their own in front of it.
    pub(crate) comments: Vec<OwnLine<'t>>,
}

/// A line within an instruction that carries no part of it.
#[derive(Clone, Copy)]
pub(crate) enum OwnLine<'t> {
    Comment(Token<'t>),
    /// A line of nothing but the escape character, by which authors set steps apart.
    Bare,
}

/// The children of a node without trivia.
pub(crate) struct Parts<'t> {
    pub(crate) list: Vec<Part<'t>>,
    /// Comment lines behind the last.
    pub(crate) trailing_comments: Vec<OwnLine<'t>>,
    /// Whether the author broke the line behind the last.
    pub(crate) ends_broken: bool,
}

impl Part<'_> {
    /// Returns whether comment lines stand in front.
    pub(crate) fn has_comments(&self) -> bool {
        self.comments
            .iter()
            .any(|line| matches!(line, OwnLine::Comment(_)))
    }

    pub(crate) fn kind(&self) -> SyntaxKind {
        self.element.kind()
    }
}

/// Splits a node into what carries meaning. Comments of the shell are kept as parts: what stands behind is theirs.
pub(crate) fn parts(node: Node<'_>) -> Parts<'_> {
    let mut list = Vec::new();
    let mut is_broken = false;
    let mut comments: Vec<OwnLine<'_>> = Vec::new();
    for element in node.children_with_tokens() {
        match element {
            Element::Token(token) => match token.kind() {
                SyntaxKind::WHITESPACE => {}
                SyntaxKind::EMPTY_LINE => is_broken = true,
                SyntaxKind::CONTINUATION => {
                    if is_broken && !matches!(comments.last(), Some(OwnLine::Bare)) {
                        comments.push(OwnLine::Bare);
                    }
                    is_broken = true;
                }
                SyntaxKind::COMMENT_LINE => {
                    is_broken = true;
                    comments.push(OwnLine::Comment(token));
                }
                _ => {
                    list.push(Part {
                        element,
                        is_broken,
                        comments: std::mem::take(&mut comments),
                    });
                    is_broken = false;
                }
            },
            Element::Node(child) => {
                // A list of commands holds the line ends in front of its first one.
                let is_led = child.kind() == SyntaxKind::SCRIPT && begins_broken(child);
                list.push(Part {
                    element,
                    is_broken: is_broken || is_led,
                    comments: std::mem::take(&mut comments),
                });
                is_broken = false;
            }
        }
    }
    Parts {
        list,
        trailing_comments: comments,
        ends_broken: is_broken,
    }
}

/// Returns whether a list of commands begins on a new line.
fn begins_broken(script: Node<'_>) -> bool {
    script
        .children_with_tokens()
        .map_while(Element::into_token)
        .take_while(|token| token.kind().is_trivia() && token.kind() != SyntaxKind::COMMENT)
        .any(|token| token.kind().is_line_joint())
}

/// Returns whether a node goes over several lines, those within words and here-documents left out.
pub(crate) fn is_broken(node: Node<'_>) -> bool {
    node.text().contains('\n') && has_line_end(node)
}

fn has_line_end(node: Node<'_>) -> bool {
    node.children_with_tokens().any(|child| match child {
        Element::Token(token) => {
            token.kind().is_line_joint() || token.kind() == SyntaxKind::NEWLINE
        }
        Element::Node(child) => match child.kind() {
            SyntaxKind::WORD | SyntaxKind::ASSIGNMENT | SyntaxKind::HEREDOC => false,
            // The file of a redirection goes to the line of its operator.
            SyntaxKind::REDIRECTION => child.token(SyntaxKind::COMMENT_LINE).is_some(),
            _ => has_line_end(child),
        },
    })
}

/// Returns whether a line end stands between any two tokens of a node that carry meaning.
pub(crate) fn is_broken_within(node: Node<'_>) -> bool {
    let (mut has_begun, mut waits, mut is_broken) = (false, false, false);
    node.for_each_token(&mut |token| {
        if token.kind().is_line_joint() || token.kind() == SyntaxKind::NEWLINE {
            waits = has_begun;
        } else if token.kind() != SyntaxKind::WHITESPACE {
            is_broken |= waits;
            has_begun = true;
        }
    });
    is_broken
}

/// Returns whether any token below a node is of one of these kinds.
pub(crate) fn holds(node: Node<'_>, is_meant: &impl Fn(SyntaxKind) -> bool) -> bool {
    is_meant(node.kind())
        || node.children_with_tokens().any(|child| match child {
            Element::Token(token) => is_meant(token.kind()),
            Element::Node(child) => holds(child, is_meant),
        })
}
