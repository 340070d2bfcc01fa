//! What the grammar makes of a script, on one line: nodes as `kind(...)`, words of one plain piece and punctuation as
//! they are written, other tokens as `kind:text`. Blanks are left out.

mod commands;
mod faults;
mod properties;
mod words;

use super::{ShellContext, parse_script};
use crate::emitter::Emitter;
use crate::logical_line::LineMap;
use crate::tree::{Tree, TreeBuilder};
use crate::{Element, Node, SyntaxError, SyntaxKind};

struct Script {
    tree: Tree,
    errors: Vec<SyntaxError>,
}

fn parse(text: &str, context: ShellContext) -> Script {
    let mut errors = Vec::new();
    let mut emitter = Emitter::new(text, TreeBuilder::default());
    emitter.start_raw_node(SyntaxKind::FILE);
    emitter.begin_line(LineMap::contiguous(0));
    parse_script(&mut emitter, text, 0..text.len(), context, &mut errors);
    emitter.finish_node();
    let tree = emitter.finish().finish(text);
    Script { tree, errors }
}

impl Script {
    fn root(&self) -> Node<'_> {
        Node::root(&self.tree)
    }

    /// Returns what stands inside of the outermost SCRIPT.
    fn dump(&self) -> String {
        let mut dump = String::new();
        if let Some(script) = self.root().child(SyntaxKind::SCRIPT) {
            dump_children(script, &mut dump);
        }
        dump
    }

    /// Returns the faults as `text under the range: message`.
    fn faults(&self) -> Vec<String> {
        let text = self.root().to_string();
        self.errors
            .iter()
            .map(|error| {
                let range = usize::from(error.range.start())..usize::from(error.range.end());
                let place = text.get(range.clone()).expect("the range lies in the text");
                format!("{}..{} {place}: {}", range.start, range.end, error.message)
            })
            .collect()
    }
}

fn dump_children(node: Node<'_>, dump: &mut String) {
    let mut is_first = true;
    for element in node.children_with_tokens() {
        if element.kind() == SyntaxKind::WHITESPACE {
            continue;
        }
        if !is_first {
            dump.push(' ');
        }
        is_first = false;
        match element {
            Element::Node(node) => dump_node(node, dump),
            Element::Token(token) => match token.kind() {
                SyntaxKind::NEWLINE => dump.push_str("\\n"),
                SyntaxKind::CONTINUATION => dump.push_str("\\\\n"),
                kind if is_plain(kind) => dump.push_str(token.text()),
                kind => {
                    dump.push_str(&format!("{kind:?}").to_lowercase());
                    dump.push(':');
                    dump.push_str(&token.text().replace('\n', "\\n"));
                }
            },
        }
    }
}

fn dump_node(node: Node<'_>, dump: &mut String) {
    let mut elements = node.children_with_tokens();
    if let (SyntaxKind::WORD, Some(Element::Token(token)), None) =
        (node.kind(), elements.next(), elements.next())
        && token.kind() == SyntaxKind::TEXT
    {
        dump.push_str(token.text());
        return;
    }
    dump.push_str(&format!("{:?}", node.kind()).to_lowercase());
    dump.push('(');
    dump_children(node, dump);
    dump.push(')');
}

/// Returns whether the text of a token says what it is.
fn is_plain(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        SyntaxKind::DOLLAR
            | SyntaxKind::DOLLAR_BRACE
            | SyntaxKind::R_BRACE
            | SyntaxKind::NAME
            | SyntaxKind::DOLLAR_PAREN
            | SyntaxKind::DOUBLE_QUOTE
            | SyntaxKind::BACKQUOTE
            | SyntaxKind::PROCESS_PAREN
            | SyntaxKind::L_PAREN
            | SyntaxKind::R_PAREN
            | SyntaxKind::AND_AND
            | SyntaxKind::OR_OR
            | SyntaxKind::PIPE
            | SyntaxKind::PIPE_AMP
            | SyntaxKind::AMP
            | SyntaxKind::SEMICOLON
            | SyntaxKind::CASE_END
            | SyntaxKind::BANG
            | SyntaxKind::RESERVED_WORD
            | SyntaxKind::REDIRECTION_OPERATOR
            | SyntaxKind::IO_NUMBER
            | SyntaxKind::ASSIGNMENT_OPERATOR
            | SyntaxKind::COMMENT
    )
}

#[track_caller]
fn check(text: &str, expected: &str) {
    check_in(ShellContext::LogicalLine, text, expected);
}

#[track_caller]
fn check_document(text: &str, expected: &str) {
    check_in(ShellContext::Document, text, expected);
}

#[track_caller]
fn check_in(context: ShellContext, text: &str, expected: &str) {
    let script = parse(text, context);
    assert_eq!(script.root().to_string(), text);
    assert_eq!(script.faults(), Vec::<String>::new(), "{text}");
    assert_eq!(script.dump(), expected, "{text}");
}

/// Checks what is said of a script that is wrong.
#[track_caller]
fn check_faults(text: &str, expected: &[&str]) {
    let script = parse(text, ShellContext::LogicalLine);
    assert_eq!(script.root().to_string(), text);
    assert_eq!(script.faults(), expected, "{text}");
}
