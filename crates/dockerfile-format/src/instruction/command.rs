//! RUN, CMD and ENTRYPOINT: flags, and a command in one of its forms.

use dockerfile_syntax::{Element, Node, SyntaxKind};

use super::arguments::piece;
use crate::parts::{OwnLine, Part, Parts, is_broken};
use crate::printer::Printer;
use crate::shell::{self, Lead, Place};
use crate::{RunStyle, json};

/// Writes RUN, CMD or ENTRYPOINT: flags, then a command.
pub(super) fn command_instruction<'t>(printer: &mut Printer<'t>, head: &Parts<'t>, node: Node<'t>) {
    let is_run = node.kind() == SyntaxKind::RUN_INSTRUCTION;
    let body = head
        .list
        .iter()
        .position(is_body)
        .unwrap_or(head.list.len());
    let (flags, body) = head.list.split_at(body);
    let has_flags = flags.len() > 1;
    let is_broken = flags.iter().chain(body.first()).any(|part| part.is_broken);
    let has_comments = flags.iter().chain(body.first()).any(Part::has_comments);
    let is_broken_first = flags
        .get(1)
        .or(body.first())
        .is_some_and(|part| part.is_broken);
    if !has_flags {
        write_flags(printer, flags, false);
        write_body(printer, node, body, is_broken_first, is_run, 0);
        return;
    }
    let mark = printer.mark();
    if !is_broken && !has_comments {
        write_flags(printer, flags, false);
        if write_body_on_line(printer, body, is_run) {
            return;
        }
        printer.reset(mark);
        let keeps = body.first().is_none_or(|part| !is_formatted(printer, part));
        if keeps || has_json(body) {
            write_flags(printer, flags, false);
            write_body(printer, node, body, false, is_run, 0);
            return;
        }
    }
    write_flags(printer, flags, true);
    // A lone here-document stays on the line of the last flag.
    let is_attached = node.child(SyntaxKind::HEREDOC).is_some()
        && body
            .first()
            .is_some_and(|part| !part.is_broken && is_one_redirection(part));
    write_body(printer, node, body, !is_attached, is_run, 1);
}

fn is_one_redirection(part: &Part<'_>) -> bool {
    part.element
        .into_node()
        .and_then(only_child)
        .and_then(only_child)
        .is_some_and(|node| node.kind() == SyntaxKind::REDIRECTION)
}

fn only_child(node: Node<'_>) -> Option<Node<'_>> {
    let mut children = node.children();
    let first = children.next()?;
    children.next().is_none().then_some(first)
}

pub(super) fn is_body(part: &Part<'_>) -> bool {
    is_body_kind(part.kind())
}

fn is_body_kind(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        SyntaxKind::SCRIPT | SyntaxKind::JSON_ARRAY | SyntaxKind::OPAQUE
    )
}

fn has_json(body: &[Part<'_>]) -> bool {
    body.first()
        .is_some_and(|part| part.kind() == SyntaxKind::JSON_ARRAY)
}

/// Writes the keyword and the flags, each flag on a line of its own or all on one.
pub(super) fn write_flags<'t>(printer: &mut Printer<'t>, flags: &[Part<'t>], is_split: bool) {
    for (idx, part) in flags.iter().enumerate() {
        printer.hold_comments(&part.comments);
        if idx > 0 {
            printer.break_or_space(is_split && idx > 1, 1);
        }
        piece(printer, part);
    }
}

/// Returns whether a command is one to be laid out, rather than kept as it is.
pub(super) fn is_formatted(printer: &Printer<'_>, part: &Part<'_>) -> bool {
    printer.options.run == RunStyle::Pretty
        && part.element.into_node().is_some_and(|node| {
            node.kind() == SyntaxKind::SCRIPT
                && !printer.has_shell_error(node.range())
                && shell::is_understood(node)
        })
}

/// Writes a blank and the command, when it can stay on the line.
pub(super) fn write_body_on_line<'t>(
    printer: &mut Printer<'t>,
    body: &[Part<'t>],
    is_run: bool,
) -> bool {
    let Some(part) = body.first() else {
        return true;
    };
    if !is_formatted(printer, part) {
        return false;
    }
    printer.space();
    part.element
        .into_node()
        .is_some_and(|script| shell::try_one_line(printer, script, is_run))
}

/// Writes a command. `at` is the level of the line on which its first word comes to stand.
pub(super) fn write_body<'t>(
    printer: &mut Printer<'t>,
    node: Node<'t>,
    body: &[Part<'t>],
    is_broken: bool,
    is_run: bool,
    at: usize,
) {
    let Some(part) = body.first() else {
        return;
    };
    if is_formatted(printer, part)
        && let Some(script) = part.element.into_node()
    {
        let mark = printer.mark();
        if at == 0 && !part.has_comments() {
            printer.space();
            if !broken_inside(script) && shell::try_one_line(printer, script, is_run) {
                return;
            }
            printer.reset(mark);
        }
        printer.hold_comments(&part.comments);
        let at = if is_broken { 1 } else { at };
        let place = Place {
            at,
            chain: at.max(1),
            is_split: is_run,
        };
        let lead = if is_broken {
            Lead::Line(1)
        } else {
            Lead::Space(1)
        };
        shell::script(printer, script, lead, place);
        return;
    }
    printer.hold_comments(&part.comments);
    if part.kind() == SyntaxKind::JSON_ARRAY {
        printer.break_or_space(is_broken && at > 0, 1);
        if let Some(node) = part.element.into_node() {
            json::json_array(printer, node, usize::from(is_broken && at > 0));
        }
        return;
    }
    verbatim_body(printer, node, is_broken);
}

/// Returns whether a command goes over several lines, the one in front of its first word left out.
fn broken_inside(script: Node<'_>) -> bool {
    script
        .children_with_tokens()
        .skip_while(|element| element.kind().is_trivia())
        .any(|element| match element {
            Element::Token(token) => token.kind().is_line_joint(),
            Element::Node(node) => is_broken(node),
        })
}

/// Writes a command as it is, from its first character to its last.
fn verbatim_body<'t>(printer: &mut Printer<'t>, node: Node<'t>, is_broken: bool) {
    // What stands in front of the first character is no part of the command.
    let is_lead =
        |element: &Element<'_>| element.kind().is_trivia() && element.kind() != SyntaxKind::COMMENT;
    let mut elements: Vec<_> = node
        .children_with_tokens()
        .skip_while(|element| !is_body_kind(element.kind()))
        .take_while(|element| element.kind() != SyntaxKind::NEWLINE)
        .collect();
    if let [Element::Node(script), ..] = elements[..]
        && script.kind() == SyntaxKind::SCRIPT
    {
        elements = script.children_with_tokens().collect();
    }
    let first = elements
        .iter()
        .position(|element| !is_lead(element))
        .unwrap_or(0);
    let body = elements.split_off(first);
    for token in elements.into_iter().filter_map(Element::into_token) {
        if token.kind() == SyntaxKind::COMMENT_LINE {
            printer.hold_comments(&[OwnLine::Comment(token)]);
        }
    }
    let end = body
        .iter()
        .rposition(|element| !is_lead(element))
        .map_or(0, |idx| idx + 1);
    printer.break_or_space(is_broken, 1);
    for element in body.into_iter().take(end) {
        printer.verbatim(element);
    }
}
