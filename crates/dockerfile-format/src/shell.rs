//! Commands of a shell, laid out on their tree: one step a line, blocks indented.
//!
//! Levels: `at` is the indentation of the line on which a statement begins, `chain` that of the lines on which the
//! further steps of a chain begin. What belongs to a statement is indented one level more than its line.

mod command;
mod compound;
mod document;
mod flat;
mod packages;

use dockerfile_syntax::{Element, Node, SyntaxKind};

use crate::parts::{Part, is_broken, parts};
use crate::printer::Printer;
pub(crate) use document::{document, is_document_script};
use flat::try_flat;

/// Where a statement stands.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    /// The level of the line on which it begins.
    pub(crate) at: usize,
    /// The level of the lines on which its chain goes on.
    pub(crate) chain: usize,
    /// Whether `&&` and `;` begin new lines even where all would fit on one.
    pub(crate) is_split: bool,
}

/// Returns whether the commands can be laid out: nothing broken, no line ends of their own, and no operator or reserved
/// word that goes over a line end. Words stay as they are, whatever is in them.
pub(crate) fn is_understood(node: Node<'_>) -> bool {
    node.children_with_tokens().all(|element| match element {
        Element::Token(token) => !matches!(
            token.kind(),
            SyntaxKind::OPAQUE | SyntaxKind::NEWLINE | SyntaxKind::SPLIT_REST
        ),
        Element::Node(child) => match child.kind() {
            SyntaxKind::WORD | SyntaxKind::ASSIGNMENT => true,
            SyntaxKind::ERROR | SyntaxKind::HEREDOC => false,
            _ => is_understood(child),
        },
    })
}

/// Returns whether the commands stay on one line. When they do, they are written.
pub(crate) fn try_one_line<'t>(
    printer: &mut Printer<'t>,
    script: Node<'t>,
    is_split: bool,
) -> bool {
    if is_broken(script) || (is_split && is_chain(script)) {
        return false;
    }
    try_flat(printer, script)
}

/// Returns whether the commands are several steps, at their highest level.
fn is_chain(script: Node<'_>) -> bool {
    let mut statements = script.children();
    match (statements.next(), statements.next()) {
        (Some(list), None) => list.token(SyntaxKind::AND_AND).is_some(),
        (_, second) => second.is_some(),
    }
}

/// What is written in front of the first statement of a list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lead {
    /// A blank, or a new line of this level where comment lines wait.
    Space(usize),
    /// A new line of this level.
    Line(usize),
}

/// Writes a list of commands. `place.at` is the level of the lines after the first.
pub(crate) fn script<'t>(printer: &mut Printer<'t>, node: Node<'t>, lead: Lead, place: Place) {
    let parts = parts(node);
    let statements = parts
        .list
        .iter()
        .filter(|part| part.element.into_node().is_some())
        .count();
    let place = if statements > 1 {
        // The steps of a chain stand out from the statements of the list.
        Place {
            at: place.chain,
            chain: place.chain + 1,
            is_split: false,
        }
    } else {
        place
    };
    let mut is_first = true;
    let mut start = printer.mark();
    for part in &parts.list {
        printer.hold_comments(&part.comments);
        match part.kind() {
            // A comment of the shell takes the rest of the joined line, as it is written.
            SyntaxKind::COMMENT => {
                printer.break_or_space(part.is_broken, place.at);
                node.children_with_tokens()
                    .skip_while(|child| child.range().start() < part.element.range().start())
                    .for_each(|child| printer.verbatim(child));
                return;
            }
            SyntaxKind::SEMICOLON => {
                // Behind a list of words some give it a line of its own, so that the last word is like the others.
                if part.is_broken && !printer.is_on_line_of(start) {
                    printer.line_break(place.at);
                }
                printer.verbatim(part.element);
            }
            SyntaxKind::AMP => {
                printer.space();
                printer.verbatim(part.element);
            }
            _ => {
                if std::mem::take(&mut is_first) {
                    // There is nothing in front that a bare line could set apart.
                    printer.drop_bare_lines();
                    match lead {
                        Lead::Space(level) => printer.break_or_space(false, level),
                        Lead::Line(level) => printer.line_break(level),
                    }
                } else {
                    printer.line_break(place.at);
                }
                start = printer.mark();
                statement(printer, part, place);
            }
        }
    }
    printer.hold_comments(&parts.trailing_comments);
}

/// Writes one statement. What stands in front of it is written already.
fn statement<'t>(printer: &mut Printer<'t>, part: &Part<'t>, place: Place) {
    let Some(node) = part.element.into_node() else {
        printer.verbatim(part.element);
        return;
    };
    match node.kind() {
        SyntaxKind::AND_OR_LIST => and_or_list(printer, node, place),
        SyntaxKind::PIPELINE => pipeline(printer, node, place),
        SyntaxKind::SIMPLE_COMMAND => command::simple_command(printer, node, place.at),
        _ => compound::compound(printer, node, place.at),
    }
}

/// Writes `a && b || c`: each `&&` on a line of its own, `||` behind its command where it fits.
fn and_or_list<'t>(printer: &mut Printer<'t>, node: Node<'t>, place: Place) {
    let parts = parts(node);
    let breaks = breaks_at_operators(&parts.list);
    let is_split = (place.is_split && node.token(SyntaxKind::AND_AND).is_some())
        || breaks
            .iter()
            .any(|(kind, is_broken)| *kind == SyntaxKind::AND_AND && *is_broken);
    if !is_split && !is_broken(node) && try_flat(printer, node) {
        return;
    }
    let inner = Place {
        at: place.chain,
        chain: place.chain + 1,
        is_split: false,
    };
    let mut operators = breaks.iter();
    let mut list = parts.list.iter().peekable();
    while let Some(part) = list.next() {
        printer.hold_comments(&part.comments);
        if !matches!(part.kind(), SyntaxKind::AND_AND | SyntaxKind::OR_OR) {
            statement(printer, part, inner);
            continue;
        }
        let is_and = part.kind() == SyntaxKind::AND_AND;
        let is_broken_here = operators.next().is_some_and(|(_, is_broken)| *is_broken);
        let Some(next) = list.next() else {
            printer.space();
            printer.verbatim(part.element);
            return;
        };
        printer.hold_comments(&next.comments);
        let is_break = is_and || is_broken_here || !fits(printer, next);
        printer.break_or_space(is_break, inner.at);
        printer.verbatim(part.element);
        printer.space();
        statement(printer, next, inner);
    }
}

/// Returns for each operator whether the author broke the line at it, before or behind.
fn breaks_at_operators(list: &[Part<'_>]) -> Vec<(SyntaxKind, bool)> {
    list.windows(2)
        .filter_map(|pair| match pair {
            [part, next] if matches!(part.kind(), SyntaxKind::AND_AND | SyntaxKind::OR_OR) => {
                Some((part.kind(), part.is_broken || next.is_broken))
            }
            _ => None,
        })
        .collect()
}

/// Returns whether an operator and the command behind it fit on the line.
fn fits<'t>(printer: &mut Printer<'t>, next: &Part<'t>) -> bool {
    let Some(node) = next.element.into_node() else {
        return true;
    };
    // What goes over several lines begins on this one.
    if is_broken(node) {
        return true;
    }
    let mark = printer.mark();
    printer.text(" || ");
    let fits = try_flat(printer, node);
    printer.reset(mark);
    fits
}

/// Writes `a | b | c`, on one line or each command on its own.
fn pipeline<'t>(printer: &mut Printer<'t>, node: Node<'t>, place: Place) {
    let parts = parts(node);
    let is_pipe = |part: &Part<'_>| matches!(part.kind(), SyntaxKind::PIPE | SyntaxKind::PIPE_AMP);
    let is_split = parts.list.windows(2).any(
        |pair| matches!(pair, [part, next] if is_pipe(part) && (part.is_broken || next.is_broken)),
    );
    if !is_broken(node) && try_flat(printer, node) {
        return;
    }
    let is_split = is_split || !is_broken(node);
    // The steps of a chain stand at this level already.
    let level = place.at + 1;
    let inner = |at: usize| Place {
        at,
        chain: at + 1,
        is_split: false,
    };
    let mut list = parts.list.iter();
    let mut is_first = true;
    while let Some(part) = list.next() {
        printer.hold_comments(&part.comments);
        if is_pipe(part) {
            let next = list.next();
            if let Some(next) = next {
                printer.hold_comments(&next.comments);
            }
            printer.break_or_space(is_split, level);
            printer.verbatim(part.element);
            if let Some(next) = next {
                printer.space();
                statement(
                    printer,
                    next,
                    inner(if is_split { level } else { place.at }),
                );
            }
        } else {
            if !is_first {
                printer.space();
            }
            statement(printer, part, inner(place.at));
        }
        is_first = false;
    }
}
