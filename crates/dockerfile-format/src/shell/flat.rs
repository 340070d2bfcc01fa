//! Commands on one line.

use dockerfile_syntax::{Element, Node, SyntaxKind};

use crate::parts::holds;
use crate::printer::Printer;

/// Writes a node on the line, when it can stand there and fits; else writes nothing and returns false.
pub(super) fn try_flat<'t>(printer: &mut Printer<'t>, node: Node<'t>) -> bool {
    let mark = printer.mark();
    let mut line = Line {
        room: usize::from(printer.options.line_width).saturating_sub(printer.column()),
        text_len: 0,
        space: Space::None,
        printer,
    };
    if line.node(node) {
        true
    } else {
        printer.reset(mark);
        false
    }
}

/// What goes in front of the next token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Space {
    None,
    /// As the author has it.
    One,
    /// None, even where the author has one.
    Never,
}

struct Line<'p, 't> {
    printer: &'p mut Printer<'t>,
    room: usize,
    text_len: usize,
    space: Space,
}

impl<'t> Line<'_, 't> {
    /// Writes a node; returns false as soon as it does not fit.
    fn node(&mut self, node: Node<'t>) -> bool {
        match node.kind() {
            SyntaxKind::WORD | SyntaxKind::ASSIGNMENT => {
                let is_broken =
                    node.text().contains('\n') && holds(node, &SyntaxKind::is_line_joint);
                return !is_broken && self.push(Element::Node(node));
            }
            SyntaxKind::SUBSHELL => return self.subshell(node),
            _ => {}
        }
        let is_pattern = node.kind() == SyntaxKind::CASE_ITEM;
        for element in node.children_with_tokens() {
            let goes_on = match element {
                Element::Node(child) => self.node(child),
                Element::Token(token) => match token.kind() {
                    SyntaxKind::WHITESPACE | SyntaxKind::CONTINUATION | SyntaxKind::EMPTY_LINE => {
                        self.want_space();
                        true
                    }
                    kind if kind.is_trivia() => false,
                    SyntaxKind::SEMICOLON => {
                        self.space = Space::None;
                        let goes_on = self.push(element);
                        self.space = Space::One;
                        goes_on
                    }
                    SyntaxKind::PIPE if is_pattern => {
                        self.space = Space::Never;
                        let goes_on = self.push(element);
                        self.space = Space::Never;
                        goes_on
                    }
                    SyntaxKind::R_PAREN if is_pattern => {
                        self.space = Space::None;
                        let goes_on = self.push(element);
                        self.space = Space::One;
                        goes_on
                    }
                    SyntaxKind::AND_AND
                    | SyntaxKind::OR_OR
                    | SyntaxKind::PIPE
                    | SyntaxKind::PIPE_AMP
                    | SyntaxKind::AMP
                    | SyntaxKind::CASE_END => {
                        self.space = Space::One;
                        let goes_on = self.push(element);
                        self.space = Space::One;
                        goes_on
                    }
                    _ => self.push(element),
                },
            };
            if !goes_on {
                return false;
            }
        }
        true
    }

    /// Writes `(a; b)`. `( (a) )` keeps its blank: `((` is arithmetic.
    fn subshell(&mut self, node: Node<'t>) -> bool {
        for element in node.children_with_tokens() {
            let goes_on = match element {
                Element::Token(token) if token.kind() == SyntaxKind::L_PAREN => {
                    let goes_on = self.push(element);
                    let begins_with_paren = node
                        .child(SyntaxKind::SCRIPT)
                        .is_some_and(|script| script.text().trim_start().starts_with('('));
                    self.space = if begins_with_paren {
                        Space::One
                    } else {
                        Space::Never
                    };
                    goes_on
                }
                Element::Token(token) if token.kind() == SyntaxKind::R_PAREN => {
                    self.space = Space::None;
                    self.push(element)
                }
                Element::Token(token) if token.kind() == SyntaxKind::WHITESPACE => {
                    self.want_space();
                    true
                }
                Element::Token(token) if token.kind().is_trivia() => false,
                Element::Token(_) => self.push(element),
                Element::Node(child) => self.node(child),
            };
            if !goes_on {
                return false;
            }
        }
        true
    }

    fn want_space(&mut self) {
        if self.space == Space::None && self.text_len > 0 {
            self.space = Space::One;
        }
    }

    fn push(&mut self, element: Element<'t>) -> bool {
        if self.space == Space::One && self.text_len > 0 {
            self.printer.space();
            self.text_len += 1;
        }
        self.space = Space::None;
        let text = match element {
            Element::Node(node) => node.text(),
            Element::Token(token) => token.text(),
        };
        self.text_len += text.len();
        self.printer.text(text);
        self.text_len <= self.room
    }
}
