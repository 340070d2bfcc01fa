//! One instruction: its keyword, flags and arguments.

use dockerfile_syntax::ast::{AstNode as _, Instruction, Pair};
use dockerfile_syntax::{Element, Node, SyntaxKind};

use crate::parts::{OwnLine, Part, Parts, holds, is_broken, parts};
use crate::printer::Printer;
use crate::shell::{self, Lead, Place};
use crate::{RunStyle, json, legacy};

/// Writes an instruction in a tidy layout, without the line end behind it. Returns false, and leaves what was written
/// to be thrown away, when it is one to be left alone.
#[must_use]
pub(crate) fn instruction<'t>(printer: &mut Printer<'t>, node: Node<'t>) -> bool {
    if node.kind() == SyntaxKind::UNKNOWN_INSTRUCTION || node.child(SyntaxKind::ERROR).is_some() {
        return false;
    }
    let (head, heredocs) = split_heredocs(parts(node));
    if heredocs.iter().any(is_open_heredoc) {
        return false;
    }
    let is_cut = |part: &Part<'_>| part.kind() == SyntaxKind::SPLIT_REST;
    let opaque = head
        .list
        .iter()
        .position(|part| part.kind() == SyntaxKind::OPAQUE);
    // A keyword that goes over a line end.
    if head
        .list
        .iter()
        .take(opaque.unwrap_or(usize::MAX))
        .any(is_cut)
    {
        return false;
    }
    let is_written = match node.kind() {
        SyntaxKind::RUN_INSTRUCTION
        | SyntaxKind::CMD_INSTRUCTION
        | SyntaxKind::ENTRYPOINT_INSTRUCTION => {
            command_instruction(printer, &head, node);
            true
        }
        SyntaxKind::HEALTHCHECK_INSTRUCTION => {
            healthcheck(printer, &head, node);
            true
        }
        SyntaxKind::ONBUILD_INSTRUCTION => onbuild(printer, &head),
        _ => {
            arguments(printer, &head, node);
            true
        }
    };
    printer.hold_comments(&head.trailing_comments);
    if !is_written || printer.has_comments() {
        return false;
    }
    write_heredocs(printer, node, &heredocs);
    true
}

/// Writes here-documents: as they are, or as scripts where that is wished.
fn write_heredocs<'t>(printer: &mut Printer<'t>, node: Node<'t>, heredocs: &[Part<'t>]) {
    let is_pretty = printer.options.lays_out_heredocs();
    let mut openers = Vec::new();
    if is_pretty {
        openers = Instruction::cast(node).map_or_else(Vec::new, Instruction::heredoc_openers);
    }
    let mut openers = openers.iter();
    for part in heredocs {
        match part.element {
            Element::Node(heredoc) if heredoc.kind() == SyntaxKind::HEREDOC => {
                let strips_tabs = openers.next().is_some_and(|opener| opener.strips_tabs);
                if is_pretty && shell::is_document_script(heredoc) {
                    shell::document(printer, heredoc, strips_tabs);
                } else {
                    printer.verbatim(part.element);
                }
            }
            _ => printer.verbatim(part.element),
        }
    }
}

/// Returns whether a here-document has no end: where its body ends is a guess.
fn is_open_heredoc(part: &Part<'_>) -> bool {
    part.element.into_node().is_some_and(|node| {
        node.kind() == SyntaxKind::HEREDOC && node.token(SyntaxKind::HEREDOC_END).is_none()
    })
}

/// Cuts off the here-documents, with the line end in front of them.
fn split_heredocs(mut parts: Parts<'_>) -> (Parts<'_>, Vec<Part<'_>>) {
    let newline = parts
        .list
        .iter()
        .position(|part| part.kind() == SyntaxKind::NEWLINE)
        .unwrap_or(parts.list.len());
    let heredocs = parts.list.split_off(newline);
    (parts, heredocs)
}

/// Writes an instruction whose arguments are words, pairs or a JSON array.
fn arguments<'t>(printer: &mut Printer<'t>, head: &Parts<'t>, node: Node<'t>) {
    let is_pairs = head.list.iter().any(|part| part.kind() == SyntaxKind::PAIR);
    let arguments = head.list.iter().filter(|part| is_argument(part)).count();
    // These have one argument, or three that read as one.
    let is_joined = (is_pairs && arguments == 1) || matches!(
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
fn piece<'t>(printer: &mut Printer<'t>, part: &Part<'t>) {
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

/// Writes RUN, CMD or ENTRYPOINT: flags, then a command.
fn command_instruction<'t>(printer: &mut Printer<'t>, head: &Parts<'t>, node: Node<'t>) {
    let is_run = node.kind() == SyntaxKind::RUN_INSTRUCTION;
    let body = head
        .list
        .iter()
        .position(is_body)
        .unwrap_or(head.list.len());
    let (flags, body) = head.list.split_at(body);
    let has_flags = flags.len() > 1;
    let is_broken = flags.iter().chain(body.first()).any(|part| part.is_broken);
    let has_comments = flags
        .iter()
        .chain(body.first())
        .any(Part::has_comments);
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

fn is_body(part: &Part<'_>) -> bool {
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
fn write_flags<'t>(printer: &mut Printer<'t>, flags: &[Part<'t>], is_split: bool) {
    for (idx, part) in flags.iter().enumerate() {
        printer.hold_comments(&part.comments);
        if idx > 0 {
            printer.break_or_space(is_split && idx > 1, 1);
        }
        piece(printer, part);
    }
}

/// Returns whether a command is one to be laid out, rather than kept as it is.
fn is_formatted(printer: &Printer<'_>, part: &Part<'_>) -> bool {
    printer.options.run == RunStyle::Pretty
        && part
            .element
            .into_node()
            .is_some_and(|node| node.kind() == SyntaxKind::SCRIPT && shell::is_understood(node))
}

/// Writes a blank and the command, when it can stay on the line.
fn write_body_on_line<'t>(printer: &mut Printer<'t>, body: &[Part<'t>], is_run: bool) -> bool {
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
fn write_body<'t>(
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

/// Writes HEALTHCHECK: its flags, and CMD on the same line or on the next.
fn healthcheck<'t>(printer: &mut Printer<'t>, head: &Parts<'t>, node: Node<'t>) {
    let body = head
        .list
        .iter()
        .position(is_body)
        .unwrap_or(head.list.len());
    let (front, body) = head.list.split_at(body);
    let is_broken_front = front
        .iter()
        .any(|part| part.is_broken || !part.comments.is_empty());
    let mark = printer.mark();
    if !is_broken_front {
        write_flags(printer, front, false);
        if body.first().is_none_or(|part| is_formatted(printer, part)) {
            if write_body_on_line(printer, body, false) {
                return;
            }
        } else if !is_broken(node) {
            write_body(printer, node, body, false, false, 0);
            if printer.is_on_line_of(mark)
                && printer.column() <= usize::from(printer.options.line_width)
            {
                return;
            }
        }
        printer.reset(mark);
    }
    let has_flags = front.len() > 2;
    for (idx, part) in front.iter().enumerate() {
        printer.hold_comments(&part.comments);
        if idx > 0 {
            let is_command = part.kind() == SyntaxKind::KEYWORD;
            printer.break_or_space((is_command && has_flags) || part.is_broken, 1);
        }
        piece(printer, part);
    }
    if let Some(part) = body.first()
        && is_formatted(printer, part)
        && let Some(script) = part.element.into_node()
    {
        let at = usize::from(has_flags);
        let place = Place {
            at,
            chain: at + 1,
            is_split: false,
        };
        shell::script(printer, script, Lead::Space(at + 1), place);
        return;
    }
    write_body(printer, node, body, false, false, 0);
}

/// Writes ONBUILD and the instruction behind it.
fn onbuild<'t>(printer: &mut Printer<'t>, head: &Parts<'t>) -> bool {
    let mut is_written = true;
    for (idx, part) in head.list.iter().enumerate() {
        printer.hold_comments(&part.comments);
        if idx > 0 {
            printer.break_or_space(false, 1);
        }
        match part.element {
            // The text of the trigger is stored in the image.
            Element::Node(node)
                if node.kind().is_instruction() && printer.options.run == RunStyle::Keep =>
            {
                printer.verbatim(part.element);
            }
            Element::Node(node) if node.kind().is_instruction() => {
                is_written &= instruction(printer, node);
            }
            Element::Node(node) if holds(node, &|kind| kind == SyntaxKind::ERROR) => return false,
            _ => piece(printer, part),
        }
    }
    is_written
}
