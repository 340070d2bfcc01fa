//! One instruction: its keyword, flags and arguments.

mod arguments;
mod command;
mod healthcheck;

use dockerfile_syntax::ast::{AstNode as _, Instruction};
use dockerfile_syntax::{Element, Node, SyntaxKind};

use self::arguments::{arguments, piece};
use self::command::command_instruction;
use self::healthcheck::healthcheck;
use crate::parts::{Part, Parts, holds, parts};
use crate::printer::Printer;
use crate::{RunStyle, shell};

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
                if is_pretty
                    && !printer.has_shell_error(heredoc.range())
                    && shell::is_document_script(heredoc)
                {
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
