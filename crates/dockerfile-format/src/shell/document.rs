//! A here-document that is a script: indented by its structure, on the lines that its author gave it.

use dockerfile_syntax::{Element, Node, SyntaxKind, Token};

use crate::Indent;
use crate::parts::holds;
use crate::printer::Printer;

/// Returns whether a here-document is a script that can be indented anew.
pub(crate) fn is_document_script(heredoc: Node<'_>) -> bool {
    let Some(script) = heredoc.child(SyntaxKind::SCRIPT) else {
        return false;
    };
    heredoc.token(SyntaxKind::HEREDOC_END).is_some()
        && !holds(script, &|kind| {
            matches!(
                kind,
                SyntaxKind::ERROR
                    | SyntaxKind::OPAQUE
                    | SyntaxKind::COMMENT_LINE
                    | SyntaxKind::EMPTY_LINE
            )
        })
        && is_plain_text(script)
}

/// Returns whether no carriage returns are in the way, no here-document is open, and no blanks in front of `#!` keep it
/// from being read.
fn is_plain_text(script: Node<'_>) -> bool {
    let text = script.text();
    let has_hidden_shebang = text.trim_start().starts_with("#!") && !text.starts_with("#!");
    !text.contains('\r') && !has_hidden_shebang && has_ends(script)
}

fn has_ends(node: Node<'_>) -> bool {
    node.children().all(|child| match child.kind() {
        SyntaxKind::HEREDOC => child.token(SyntaxKind::HEREDOC_END).is_some(),
        _ => has_ends(child),
    })
}

/// Writes a here-document that is a script. With `-` in front of its name tabs stand in front of its lines and of its
/// name, and are no part of it.
pub(crate) fn document<'t>(printer: &mut Printer<'t>, heredoc: Node<'t>, strips_tabs: bool) {
    let mut text = String::new();
    for element in heredoc.children_with_tokens() {
        match element {
            Element::Node(script) if script.kind() == SyntaxKind::SCRIPT => {
                let own = script.text();
                let first_line = own.lines().find(|line| !line.trim().is_empty());
                let tabs =
                    first_line.map_or(0, |line| line.len() - line.trim_start_matches('\t').len());
                let mut document = Document {
                    out: String::with_capacity(own.len() + own.len() / 8),
                    indent: if strips_tabs {
                        Indent::Tab
                    } else {
                        printer.options.indent
                    },
                    base: if strips_tabs { tabs } else { 0 },
                    gap: Gap::Start,
                    line_ends: 0,
                };
                document.list(script, 0);
                text.push_str(document.out.trim_end_matches('\n'));
                if !text.is_empty() {
                    text.push('\n');
                }
            }
            Element::Node(node) => text.push_str(node.text()),
            Element::Token(token) => text.push_str(token.text()),
        }
    }
    printer.lines(&text);
}

/// What the author put in front of the next token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gap<'t> {
    /// The beginning of the script.
    Start,
    None,
    Blanks(&'t str),
    /// None, whatever is there.
    Never,
    Continuation,
    LineEnd,
}

struct Document<'t> {
    out: String,
    indent: Indent,
    /// The level of the lines that are in no block.
    base: usize,
    gap: Gap<'t>,
    /// How many line ends the gap has.
    line_ends: usize,
}

impl<'t> Document<'t> {
    /// Writes a list of commands that begin at a level.
    fn list(&mut self, node: Node<'t>, level: usize) {
        for element in node.children_with_tokens() {
            match element {
                Element::Token(token) => self.token(token, level),
                Element::Node(child) => self.node(child, level),
            }
        }
    }

    fn node(&mut self, node: Node<'t>, level: usize) {
        match node.kind() {
            SyntaxKind::WORD | SyntaxKind::ASSIGNMENT => {
                self.begin(level);
                node.for_each_token(&mut |token| self.out.push_str(token.text()));
            }
            SyntaxKind::HEREDOC => {
                self.out.push('\n');
                self.gap = Gap::None;
                self.line_ends = 0;
                node.for_each_token(&mut |token| self.out.push_str(token.text()));
            }
            SyntaxKind::SCRIPT => self.list(node, level),
            SyntaxKind::AND_OR_LIST | SyntaxKind::PIPELINE => {
                let inner = level + usize::from(is_broken_at_operator(node));
                self.first_at(node, level, inner);
            }
            SyntaxKind::SIMPLE_COMMAND
            | SyntaxKind::REDIRECTION
            | SyntaxKind::CONDITIONAL_COMMAND
            | SyntaxKind::ARITHMETIC_COMMAND => self.first_at(node, level, level + 1),
            _ => self.block(node, level),
        }
    }

    /// Writes a node whose lines behind the first are at a level of their own.
    fn first_at(&mut self, node: Node<'t>, level: usize, inner: usize) {
        let mut at = level;
        for element in node.children_with_tokens() {
            match element {
                Element::Token(token) => self.token(token, at),
                // The further lines of the first command are deeper than the commands behind it.
                Element::Node(child) if child.kind() == SyntaxKind::SIMPLE_COMMAND => {
                    self.begin(at);
                    self.node(child, inner);
                }
                Element::Node(child) => self.node(child, at),
            }
            if !element.kind().is_trivia() {
                at = inner;
            }
        }
    }

    /// Writes a block: its words at a level, what is in it one deeper.
    fn block(&mut self, node: Node<'t>, level: usize) {
        let is_item = node.kind() == SyntaxKind::CASE_ITEM;
        let is_function = node.kind() == SyntaxKind::FUNCTION_DEFINITION;
        for element in node.children_with_tokens() {
            match element {
                Element::Token(token) if is_item => self.item_token(token, level),
                Element::Token(token) => self.token(token, level),
                Element::Node(child) => match child.kind() {
                    SyntaxKind::SCRIPT | SyntaxKind::CASE_ITEM => self.node(child, level + 1),
                    SyntaxKind::WORD | SyntaxKind::REDIRECTION if !is_item => {
                        let is_name = is_function && self.gap != Gap::None;
                        self.node(child, level + usize::from(!is_name));
                    }
                    _ => self.node(child, level),
                },
            }
        }
    }

    /// Writes a token of a case item: no blanks around `|`, none in front of `)`, and `;;` as deep as the commands.
    fn item_token(&mut self, token: Token<'t>, level: usize) {
        match token.kind() {
            SyntaxKind::PIPE => {
                self.gap = Gap::Never;
                self.token_text(token, level);
                self.gap = Gap::Never;
            }
            SyntaxKind::R_PAREN => {
                self.gap = Gap::Never;
                self.token_text(token, level);
                self.gap = Gap::Blanks(" ");
            }
            SyntaxKind::CASE_END => self.token(token, level + 1),
            _ => self.token(token, level),
        }
    }

    fn token(&mut self, token: Token<'t>, level: usize) {
        match token.kind() {
            SyntaxKind::WHITESPACE => {
                if self.gap == Gap::None {
                    self.gap = Gap::Blanks(token.text());
                }
            }
            SyntaxKind::NEWLINE => {
                self.gap = Gap::LineEnd;
                self.line_ends += 1;
            }
            SyntaxKind::CONTINUATION => {
                if self.gap != Gap::LineEnd && self.gap != Gap::Start {
                    self.gap = Gap::Continuation;
                }
            }
            SyntaxKind::COMMENT => {
                if let Gap::Blanks(blanks) = self.gap {
                    self.out.push_str(blanks);
                    self.gap = Gap::Never;
                }
                self.begin(level);
                self.out.push_str(token.text().trim_end());
            }
            SyntaxKind::SEMICOLON => {
                if matches!(self.gap, Gap::Blanks(_)) {
                    self.gap = Gap::Never;
                }
                self.token_text(token, level);
                self.gap = Gap::Blanks(" ");
            }
            SyntaxKind::AND_AND
            | SyntaxKind::OR_OR
            | SyntaxKind::PIPE
            | SyntaxKind::PIPE_AMP
            | SyntaxKind::CASE_END => {
                if self.gap == Gap::None {
                    self.gap = Gap::Blanks(" ");
                }
                self.token_text(token, level);
                self.gap = Gap::Blanks(" ");
            }
            _ => self.token_text(token, level),
        }
    }

    fn token_text(&mut self, token: Token<'t>, level: usize) {
        self.begin(level);
        self.out.push_str(token.text());
    }

    /// Writes what stands in front of a token.
    fn begin(&mut self, level: usize) {
        match std::mem::replace(&mut self.gap, Gap::None) {
            Gap::None | Gap::Never => {}
            Gap::Blanks(_) => self.out.push(' '),
            Gap::Start => self.indent(level),
            Gap::Continuation => {
                self.out.push_str(" \\\n");
                self.indent(level);
            }
            Gap::LineEnd => {
                let most = if self.out.is_empty() { 1 } else { 2 };
                let line_ends = std::mem::take(&mut self.line_ends).min(most);
                self.out.extend(std::iter::repeat_n('\n', line_ends));
                self.indent(level);
            }
        }
        self.line_ends = 0;
    }

    fn indent(&mut self, level: usize) {
        let level = level + self.base;
        match self.indent {
            Indent::Tab => self.out.extend(std::iter::repeat_n('\t', level)),
            Indent::Spaces(width) => self
                .out
                .extend(std::iter::repeat_n(' ', level * usize::from(width))),
        }
    }
}

/// Returns whether the author broke the line at an operator of a chain or a pipeline, before or behind.
fn is_broken_at_operator(node: Node<'_>) -> bool {
    node.tokens()
        .any(|token| matches!(token.kind(), SyntaxKind::NEWLINE | SyntaxKind::CONTINUATION))
}
