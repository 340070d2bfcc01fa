//! HEALTHCHECK: flags, CMD, and a command.

use dockerfile_syntax::{Node, SyntaxKind};

use super::arguments::piece;
use super::command::{is_body, is_formatted, write_body, write_body_on_line, write_flags};
use crate::parts::{Parts, is_broken};
use crate::printer::Printer;
use crate::shell::{self, Lead, Place};

/// Writes HEALTHCHECK: its flags, and CMD on the same line or on the next.
pub(super) fn healthcheck<'t>(printer: &mut Printer<'t>, head: &Parts<'t>, node: Node<'t>) {
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
