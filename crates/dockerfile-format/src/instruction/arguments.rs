//! Words, pairs and JSON arrays behind a keyword.

use dockerfile_syntax::ast::{AstNode as _, Pair};
use dockerfile_syntax::{Element, Node, SyntaxKind};

use crate::parts::{Part, Parts, parts};
use crate::printer::Printer;
use crate::{json, legacy};

/// Writes an instruction whose arguments are words, pairs or a JSON array.
pub(super) fn arguments<'t>(printer: &mut Printer<'t>, head: &Parts<'t>, node: Node<'t>) {
    let is_pairs = head.list.iter().any(|part| part.kind() == SyntaxKind::PAIR);
    let arguments = head.list.iter().filter(|part| is_argument(part)).count();
    // These have one argument, or three that read as one.
    let is_joined = (is_pairs && arguments == 1)
        || matches!(
            node.kind(),
            SyntaxKind::FROM_INSTRUCTION
                | SyntaxKind::USER_INSTRUCTION
                | SyntaxKind::WORKDIR_INSTRUCTION
                | SyntaxKind::STOPSIGNAL_INSTRUCTION
                | SyntaxKind::MAINTAINER_INSTRUCTION
                | SyntaxKind::SHELL_INSTRUCTION
        );
    let is_broken = head.list.iter().any(|part| part.is_broken);
    let has_comments = head.list.iter().any(Part::has_comments);
    let mark = printer.mark();
    // A line end in front of the last of two words helps nobody when the first is too long by itself.
    let is_joined = is_joined
        || (!is_broken && arguments == 2 && !is_pairs && longest_argument(head) > width(printer));
    if has_comments || (is_broken && !is_joined) || !on_one_line(printer, head) {
        printer.reset(mark);
        if !is_broken && !has_comments && behind_flags(printer, head) {
            return;
        }
        printer.reset(mark);
        let keeps_lines = is_broken && !is_pairs;
        on_lines(printer, head, keeps_lines, is_joined);
    }
}

/// Writes all parts with a blank between them; returns whether they fit on the line.
fn on_one_line<'t>(printer: &mut Printer<'t>, head: &Parts<'t>) -> bool {
    for (idx, part) in head.list.iter().enumerate() {
        if idx > 0 {
            printer.space();
        }
        piece(printer, part);
    }
    printer.column() <= usize::from(printer.options.line_width)
}

/// Writes the arguments on the line behind the flags; returns whether there are flags and the arguments fit.
fn behind_flags<'t>(printer: &mut Printer<'t>, head: &Parts<'t>) -> bool {
    let mut is_behind = false;
    for (idx, part) in head.list.iter().enumerate() {
        let is_flag = part.kind() == SyntaxKind::FLAG;
        if idx > 0 {
            let is_break = is_behind && !is_flag;
            printer.break_or_space(is_break, 1);
            is_behind &= !is_break;
        }
        is_behind |= is_flag;
        piece(printer, part);
    }
    let has_flags = head.list.iter().any(|part| part.kind() == SyntaxKind::FLAG);
    has_flags && printer.column() <= usize::from(printer.options.line_width)
}

/// Writes the arguments over several lines: as the author has them, or an argument a line.
fn on_lines<'t>(printer: &mut Printer<'t>, head: &Parts<'t>, keeps_lines: bool, is_joined: bool) {
    let mut arguments = 0;
    for (idx, part) in head.list.iter().enumerate() {
        printer.hold_comments(&part.comments);
        let is_argument = is_argument(part);
        if arguments == 0 {
            printer.drop_bare_lines();
        }
        if idx > 0 {
            let is_break = if keeps_lines {
                part.is_broken
            } else if arguments == 0 {
                // The first stays on the line of the keyword, unless the author began with a line end.
                part.is_broken && is_argument
            } else {
                is_argument && !is_joined
            };
            printer.break_or_space(is_break, 1);
        }
        arguments += usize::from(is_argument);
        piece(printer, part);
    }
}

fn width(printer: &Printer<'_>) -> usize {
    usize::from(printer.options.line_width).saturating_sub(printer.indentation(1))
}

fn longest_argument(head: &Parts<'_>) -> usize {
    let arguments = head.list.iter().filter(|part| is_argument(part));
    let lengths = arguments.map(|part| usize::from(part.element.range().len()));
    lengths.max().unwrap_or(0)
}

fn is_argument(part: &Part<'_>) -> bool {
    matches!(part.kind(), SyntaxKind::WORD | SyntaxKind::PAIR)
}

/// Writes one part of an instruction that has no layout of its own.
pub(super) fn piece<'t>(printer: &mut Printer<'t>, part: &Part<'t>) {
    match part.element {
        Element::Token(token) if token.kind() == SyntaxKind::KEYWORD => {
            printer.keyword(token.text());
        }
        Element::Token(_) => printer.verbatim(part.element),
        Element::Node(node) => match node.kind() {
            SyntaxKind::JSON_ARRAY => json::json_array(printer, node, 0),
            SyntaxKind::STAGE_ALIAS => stage_alias(printer, node),
            SyntaxKind::PAIR => pair(printer, node),
            _ => printer.verbatim(part.element),
        },
    }
}

fn stage_alias<'t>(printer: &mut Printer<'t>, node: Node<'t>) {
    let parts = parts(node);
    for (idx, part) in parts.list.iter().enumerate() {
        printer.hold_comments(&part.comments);
        if idx > 0 {
            printer.break_or_space(false, 1);
        }
        piece(printer, part);
    }
}

fn pair<'t>(printer: &mut Printer<'t>, node: Node<'t>) {
    let modern = Pair::cast(node).and_then(legacy::modern_form);
    if let Some(modern) = modern {
        printer.text(&modern);
        return;
    }
    let parts = parts(node);
    let has_equals = node.token(SyntaxKind::EQ).is_some();
    for (idx, part) in parts.list.iter().enumerate() {
        printer.hold_comments(&part.comments);
        if idx > 0 && !has_equals {
            printer.break_or_space(part.is_broken, 1);
        }
        printer.verbatim(part.element);
    }
}
