//! Blocks: `if`, `for`, `while`, `case`, `{ }`, `( )` and functions.

use dockerfile_syntax::{Element, Node, SyntaxKind};

use super::command::word;
use super::flat::try_flat;
use super::{Lead, Place, script};
use crate::parts::{is_broken, is_broken_within, parts};
use crate::printer::Printer;

/// Writes a block that begins on a line of level `at`. Its body is one level deeper, its end at the level of its line.
pub(super) fn compound<'t>(printer: &mut Printer<'t>, node: Node<'t>, at: usize) {
    if !is_broken(node) && try_flat(printer, node) {
        return;
    }
    // The end of a block that begins behind the keyword of the instruction is indented as all further lines are.
    let at = at.max(1);
    match node.kind() {
        SyntaxKind::IF_COMMAND
        | SyntaxKind::LOOP_COMMAND
        | SyntaxKind::FOR_COMMAND
        | SyntaxKind::CASE_COMMAND
        | SyntaxKind::BRACE_GROUP
        | SyntaxKind::SUBSHELL
        | SyntaxKind::FUNCTION_DEFINITION => block(printer, node, at),
        _ => one_line_or_verbatim(printer, node),
    }
}

/// Writes what has no lines of its own: `[[ ... ]]` and the like.
fn one_line_or_verbatim<'t>(printer: &mut Printer<'t>, node: Node<'t>) {
    printer.verbatim(Element::Node(node));
}

/// What is expected behind what was written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// Words of the head, or the body.
    Head,
    /// The condition of `if`, `elif`, `while` or `until`, on the same line.
    Condition,
    /// The word that ends the body, on a line of its own.
    End,
}

fn block<'t>(printer: &mut Printer<'t>, node: Node<'t>, at: usize) {
    let parts = parts(node);
    let is_function = node.kind() == SyntaxKind::FUNCTION_DEFINITION;
    let mut expected = Expected::Head;
    for (idx, part) in parts.list.iter().enumerate() {
        printer.hold_comments(&part.comments);
        match part.element {
            Element::Token(token) => {
                let is_attached = token.kind() == SyntaxKind::SEMICOLON
                    || (is_function && token.kind() != SyntaxKind::RESERVED_WORD);
                if expected == Expected::End {
                    // A comment in front of `else` is about what comes, one in front of `fi` about what was.
                    let is_end = !matches!(token.text(), "else" | "elif");
                    printer.line_break_behind_comments(at, at + usize::from(is_end));
                } else if idx > 0 && !is_attached {
                    printer.break_or_space(false, at + 1);
                }
                printer.verbatim(part.element);
                expected = match token.text() {
                    "if" | "elif" | "while" | "until" => Expected::Condition,
                    _ => Expected::Head,
                };
            }
            Element::Node(child) => match child.kind() {
                SyntaxKind::SCRIPT if expected == Expected::Condition => {
                    condition(printer, child, at);
                    expected = Expected::Head;
                }
                SyntaxKind::SCRIPT => {
                    body(printer, child, at + 1);
                    expected = Expected::End;
                }
                SyntaxKind::CASE_ITEM => {
                    printer.line_break(at + 1);
                    case_item(printer, child, at + 1);
                    expected = Expected::End;
                }
                kind if is_function && kind != SyntaxKind::WORD => {
                    printer.break_or_space(false, at);
                    block(printer, child, at);
                }
                _ => {
                    if idx > 0 {
                        printer.break_or_space(part.is_broken, at + 1);
                    }
                    word(printer, part);
                }
            },
        }
    }
    printer.hold_comments(&parts.trailing_comments);
}

/// Writes the lines of a body, at one level.
fn body<'t>(printer: &mut Printer<'t>, node: Node<'t>, level: usize) {
    let place = Place {
        at: level,
        chain: level,
        is_split: false,
    };
    script(printer, node, Lead::Line(level), place);
}

/// Writes the condition of a block, on the line of its keyword; what does not fit stands out from the body.
fn condition<'t>(printer: &mut Printer<'t>, node: Node<'t>, at: usize) {
    let place = Place {
        at: at + 2,
        chain: at + 2,
        is_split: false,
    };
    script(printer, node, Lead::Space(at + 2), place);
}

/// Writes `pattern) commands ;;`, on one line where the author has it so.
fn case_item<'t>(printer: &mut Printer<'t>, node: Node<'t>, at: usize) {
    if !is_broken_within(node) && try_flat(printer, node) {
        return;
    }
    let parts = parts(node);
    for part in &parts.list {
        printer.hold_comments(&part.comments);
        match part.element {
            Element::Token(token) if token.kind() == SyntaxKind::CASE_END => {
                printer.line_break(at + 1);
                printer.verbatim(part.element);
            }
            Element::Node(child) if child.kind() == SyntaxKind::SCRIPT => {
                body(printer, child, at + 1);
            }
            _ => printer.verbatim(part.element),
        }
    }
    printer.hold_comments(&parts.trailing_comments);
}
