//! `["a", "b"]`: on one line where it fits, else an element a line; the author's own lines stay.

use dockerfile_syntax::{Node, SyntaxKind};

use crate::parts::{Parts, parts};
use crate::printer::Printer;

pub(crate) fn json_array<'t>(printer: &mut Printer<'t>, node: Node<'t>, level: usize) {
    let parts = parts(node);
    // A string that goes over a line end is left alone, and so is what stands around it.
    if parts
        .list
        .iter()
        .any(|part| part.kind() == SyntaxKind::SPLIT_REST)
    {
        printer.verbatim(dockerfile_syntax::Element::Node(node));
        return;
    }
    let is_broken = parts.ends_broken || parts.list.iter().any(|part| part.is_broken);
    if !is_broken {
        let mark = printer.mark();
        on_one_line(printer, &parts);
        if printer.column() <= usize::from(printer.options.line_width) {
            return;
        }
        printer.reset(mark);
    }
    on_lines(printer, &parts, level, is_broken);
}

fn on_one_line<'t>(printer: &mut Printer<'t>, parts: &Parts<'t>) {
    for part in &parts.list {
        printer.verbatim(part.element);
        if part.kind() == SyntaxKind::COMMA {
            printer.space();
        }
    }
}

fn on_lines<'t>(printer: &mut Printer<'t>, parts: &Parts<'t>, level: usize, keeps_lines: bool) {
    let mut is_first = true;
    for part in &parts.list {
        printer.hold_comments(&part.comments);
        match part.kind() {
            SyntaxKind::JSON_STRING => {
                let is_break = is_first || part.is_broken || !keeps_lines;
                printer.break_or_space(is_break, level + 1);
                is_first = false;
            }
            SyntaxKind::R_BRACKET => {
                printer.hold_comments(&parts.trailing_comments);
                if !is_first || printer.has_comments() {
                    printer.line_break(level);
                }
            }
            _ => {}
        }
        printer.verbatim(part.element);
    }
}
