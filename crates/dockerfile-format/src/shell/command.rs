//! One command with its words and redirections.

use dockerfile_syntax::{Node, SyntaxKind};

use super::flat::try_flat;
use super::packages::{PackageCall, package_call};
use crate::parts::{Part, is_broken, parts};
use crate::printer::Printer;

/// Writes a command that begins on a line of level `at`; its further lines are indented one level more.
pub(super) fn simple_command<'t>(printer: &mut Printer<'t>, node: Node<'t>, at: usize) {
    let is_broken = is_broken(node);
    if !is_broken && try_flat(printer, node) {
        return;
    }
    let parts = parts(node);
    match package_call(&parts.list) {
        Some(call) => package_lines(printer, &parts.list, call, at + 1),
        None if is_broken => author_lines(printer, &parts.list, at + 1),
        None => filled_lines(printer, &parts.list, at + 1),
    }
    printer.hold_comments(&parts.trailing_comments);
}

/// Writes `apt-get install -y` and behind it a package a line.
fn package_lines<'t>(
    printer: &mut Printer<'t>,
    list: &[Part<'t>],
    call: PackageCall,
    level: usize,
) {
    let mut belongs_to_last = false;
    for (idx, part) in list.iter().enumerate() {
        printer.hold_comments(&part.comments);
        let is_package =
            idx >= call.first_package && !belongs_to_last && part.kind() == SyntaxKind::WORD;
        if idx > 0 {
            printer.break_or_space(is_package, level);
        }
        printer.verbatim(part.element);
        belongs_to_last = idx >= call.first_package && call.takes_value(part);
    }
}

/// Writes the words on the lines that the author gave them.
fn author_lines<'t>(printer: &mut Printer<'t>, list: &[Part<'t>], level: usize) {
    for (idx, part) in list.iter().enumerate() {
        printer.hold_comments(&part.comments);
        if idx > 0 {
            printer.break_or_space(part.is_broken, level);
        }
        printer.verbatim(part.element);
    }
}

/// Fills lines with options and what stands behind them.
fn filled_lines<'t>(printer: &mut Printer<'t>, list: &[Part<'t>], level: usize) {
    let is_option = |part: &Part<'_>| {
        part.element.into_node().is_some_and(|node| {
            let mut starts = false;
            let mut is_first = true;
            node.for_each_token(&mut |token| {
                if is_first {
                    starts = token.text().starts_with('-') && token.text().len() > 1;
                    is_first = false;
                }
            });
            starts
        })
    };
    let len = |part: &Part<'_>| usize::from(part.element.range().len()) + 1;
    for (idx, part) in list.iter().enumerate() {
        if idx > 0 {
            let behind = list.get(idx + 1..).unwrap_or_default();
            let group: usize = len(part)
                + behind
                    .iter()
                    .take_while(|next| !is_option(next))
                    .map(len)
                    .sum::<usize>();
            let is_break = idx > 1 && is_option(part) && group > printer.room() && {
                // A new line helps when the group fits there, or when this line is long enough by itself.
                let width = usize::from(printer.options.line_width);
                group + printer.indentation(level) + 2 <= width || printer.column() > width / 2
            };
            printer.break_or_space(is_break, level);
        }
        printer.verbatim(part.element);
    }
}
