//! One command with its words and redirections.

use dockerfile_syntax::{Element, Node, SyntaxKind};

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
    if call.first_package + 1 == list.len() && on_one_line(printer, list) {
        return;
    }
    let mut belongs_to_last = false;
    for (idx, part) in list.iter().enumerate() {
        printer.hold_comments(&part.comments);
        let is_package =
            idx >= call.first_package && !belongs_to_last && part.kind() == SyntaxKind::WORD;
        if idx > 0 {
            printer.break_or_space(is_package, level);
        }
        word(printer, part);
        belongs_to_last = idx >= call.first_package && call.takes_value(part);
    }
}

/// Writes the words on one line, if nothing stands in the way and they fit; else writes nothing.
fn on_one_line<'t>(printer: &mut Printer<'t>, list: &[Part<'t>]) -> bool {
    if list.iter().any(Part::has_comments) {
        return false;
    }
    let mark = printer.mark();
    for (idx, part) in list.iter().enumerate() {
        if idx > 0 {
            printer.space();
        }
        word(printer, part);
    }
    let fits = printer.is_on_line_of(mark)
        && printer.column() <= usize::from(printer.options.line_width);
    if !fits {
        printer.reset(mark);
    }
    fits
}

/// Writes the words on the lines that the author gave them.
fn author_lines<'t>(printer: &mut Printer<'t>, list: &[Part<'t>], level: usize) {
    for (idx, part) in list.iter().enumerate() {
        printer.hold_comments(&part.comments);
        if idx > 0 {
            printer.break_or_space(part.is_broken, level);
        }
        word(printer, part);
    }
}

/// Writes a word or a redirection, whose file stands on the line of its operator.
pub(super) fn word<'t>(printer: &mut Printer<'t>, part: &Part<'t>) {
    let redirection = part
        .element
        .into_node()
        .filter(|node| node.kind() == SyntaxKind::REDIRECTION)
        .filter(|node| node.token(SyntaxKind::COMMENT_LINE).is_none());
    let Some(redirection) = redirection else {
        printer.verbatim(part.element);
        return;
    };
    let mut has_gap = false;
    for element in redirection.children_with_tokens() {
        if element.kind().is_trivia() {
            has_gap = true;
            continue;
        }
        if std::mem::take(&mut has_gap) {
            printer.space();
        }
        printer.verbatim(element);
    }
}

/// Fills lines with options and what stands behind them.
fn filled_lines<'t>(printer: &mut Printer<'t>, list: &[Part<'t>], level: usize) {
    // Where the line may be broken.
    let is_option = |part: &Part<'_>| part.kind() == SyntaxKind::REDIRECTION || is_option(part);
    // How long each option is, with what stands behind it and in front of the next.
    let mut groups = vec![0; list.len()];
    let mut behind = 0;
    for (part, group) in list.iter().zip(&mut groups).rev() {
        behind += usize::from(part.element.range().len()) + 1;
        *group = behind;
        if is_option(part) {
            behind = 0;
        }
    }
    for (idx, (part, group)) in list.iter().zip(groups).enumerate() {
        if idx > 0 {
            let is_break = idx > 1 && is_option(part) && group > printer.room() && {
                // A new line helps when the group fits there, or when this line is long enough by itself.
                let width = usize::from(printer.options.line_width);
                group + printer.indentation(level) + 2 <= width || printer.column() > width / 2
            };
            printer.break_or_space(is_break, level);
        }
        word(printer, part);
    }
}

/// Returns whether a word begins with `-` and has more to say.
fn is_option(part: &Part<'_>) -> bool {
    let mut node = part.element.into_node();
    while let Some(current) = node {
        match current.children_with_tokens().next() {
            Some(Element::Token(token)) => {
                return token.text().starts_with('-') && token.text().len() > 1;
            }
            first => node = first.and_then(Element::into_node),
        }
    }
    false
}
