//! Whether a new layout reads as the old one did.
//!
//! Two instructions of the same tree, blanks, line ends and comments left out, build the same thing. Where the trees
//! differ, as they do when a legacy form is modernised, what they mean is compared.

use dockerfile_model::{Meaning, Model, ModelInput};
use dockerfile_syntax::ast::{AstNode as _, File, Instruction};
use dockerfile_syntax::{Element, Node, Parse, SyntaxKind};

/// What may differ.
#[derive(Clone, Copy)]
pub(crate) struct Allowed {
    /// Whether the text of commands must be the same, blanks included.
    pub(crate) exact_commands: bool,
    /// Whether here-documents that are scripts may have another layout. Those within them may not.
    pub(crate) laid_out_heredocs: bool,
}

/// What the comparison found.
pub(crate) enum Outcome {
    Same,
    /// These instructions differ, by their index.
    Instructions(Vec<usize>),
    /// The files differ in something that is no instruction, or have not the same number of them.
    File,
}

/// Compares a file with its new layout. `allowed` says what may differ.
pub(crate) fn differences(before: &Parse, after: &Parse, allowed: Allowed) -> Outcome {
    let (Some(old), Some(new)) = (File::cast(before.root()), File::cast(after.root())) else {
        return Outcome::File;
    };
    let directives = |file: File<'_>| -> Vec<String> {
        file.directives()
            .map(|directive| directive.syntax().to_string())
            .collect()
    };
    if before.escape() != after.escape() || directives(old) != directives(new) {
        return Outcome::File;
    }
    if file_comments(before) != file_comments(after) {
        return Outcome::File;
    }
    let mut found = Vec::new();
    let mut others = new.instructions();
    for (idx, instruction) in old.instructions().enumerate() {
        match others.next() {
            Some(other) if is_same(instruction, other, allowed) => {}
            // From here on the instructions are not each other's.
            Some(other) if other.kind() != instruction.kind() => {
                found.push(idx.saturating_sub(1));
                found.push(idx);
                return Outcome::Instructions(found);
            }
            Some(_) => found.push(idx),
            None => {
                found.push(idx.saturating_sub(1));
                found.push(idx);
                return Outcome::Instructions(found);
            }
        }
    }
    if others.next().is_some() {
        return Outcome::File;
    }
    if !found.is_empty() {
        retain_unlike(before, after, &mut found);
    }
    if found.is_empty() {
        Outcome::Same
    } else {
        Outcome::Instructions(found)
    }
}

/// Drops the instructions that mean the same. Only pairs may be rewritten: all else has the same tree.
fn retain_unlike(before: &Parse, after: &Parse, found: &mut Vec<usize>) {
    let has_pairs = |parse: &Parse| -> Vec<bool> {
        let file = File::cast(parse.root());
        file.into_iter()
            .flat_map(File::instructions)
            .map(|instruction| instruction.trigger().unwrap_or(instruction))
            .map(|instruction| instruction.pairs().next().is_some())
            .collect()
    };
    let (old_pairs, new_pairs) = (has_pairs(before), has_pairs(after));
    let is_pairs = |idx: usize| {
        old_pairs.get(idx) == Some(&true) && new_pairs.get(idx) == Some(&true)
    };
    if !found.iter().any(|idx| is_pairs(*idx)) {
        return;
    }
    let input = ModelInput::default();
    let meaning = |parse: &Parse| Meaning::new(parse, &Model::new(parse, &input));
    let (old, new) = (meaning(before), meaning(after));
    found.retain(|idx| {
        !is_pairs(*idx)
            || old.instruction(*idx).is_none()
            || old.instruction(*idx) != new.instruction(*idx)
    });
}

fn is_same(before: Instruction<'_>, after: Instruction<'_>, allowed: Allowed) -> bool {
    same_nodes(before.syntax(), after.syntax(), allowed)
        && comment_lines(before.syntax()) == comment_lines(after.syntax())
}

/// Returns the comments between the instructions, without the blanks around them.
fn file_comments(parse: &Parse) -> Vec<&str> {
    parse
        .root()
        .tokens()
        .filter(|token| matches!(token.kind(), SyntaxKind::COMMENT | SyntaxKind::COMMENT_LINE))
        .map(|token| words_of(token.text()))
        .collect()
}

/// Returns the comment lines within an instruction, without the blanks around them.
fn comment_lines(node: Node<'_>) -> Vec<&str> {
    let mut lines = Vec::new();
    node.for_each_token(&mut |token| {
        if token.kind() == SyntaxKind::COMMENT_LINE {
            lines.push(words_of(token.text()));
        }
    });
    lines
}

fn words_of(comment: &str) -> &str {
    comment.trim().trim_start_matches('#').trim()
}

fn same_nodes(before: Node<'_>, after: Node<'_>, allowed: Allowed) -> bool {
    if before.kind() != after.kind() {
        return false;
    }
    match before.kind() {
        SyntaxKind::HEREDOC => return same_heredocs(before, after, allowed),
        SyntaxKind::WORD | SyntaxKind::ASSIGNMENT | SyntaxKind::FLAG | SyntaxKind::ERROR => {
            return same_text(before, after);
        }
        SyntaxKind::SCRIPT if allowed.exact_commands => {
            return before.logical_text().trim() == after.logical_text().trim();
        }
        _ => {}
    }
    let meaningful = |element: &Element<'_>| match element {
        Element::Token(token) => !token.kind().is_trivia() || token.kind() == SyntaxKind::COMMENT,
        Element::Node(_) => true,
    };
    let mut others = after.children_with_tokens().filter(meaningful);
    let is_same = before
        .children_with_tokens()
        .filter(meaningful)
        .all(|element| match (element, others.next()) {
            (Element::Node(node), Some(Element::Node(other))) => {
                same_nodes(node, other, allowed)
            }
            (Element::Token(token), Some(Element::Token(other))) => {
                token.kind() == other.kind()
                    && match token.kind() {
                        SyntaxKind::KEYWORD => token.text().eq_ignore_ascii_case(other.text()),
                        _ => token.text() == other.text(),
                    }
            }
            _ => false,
        });
    is_same && others.next().is_none()
}

/// Compares here-documents: byte for byte, or as scripts where these may be laid out.
fn same_heredocs(before: Node<'_>, after: Node<'_>, allowed: Allowed) -> bool {
    let (old, new) = (before.to_string(), after.to_string());
    if old == new {
        return true;
    }
    let (Some(script), Some(other)) = (
        before.child(SyntaxKind::SCRIPT),
        after.child(SyntaxKind::SCRIPT),
    ) else {
        return false;
    };
    let end = |node: Node<'_>| node.token(SyntaxKind::HEREDOC_END).map(|token| token.text().to_owned());
    allowed.laid_out_heredocs
        && old.starts_with("#!") == new.starts_with("#!")
        && end(before) == end(after)
        && same_nodes(script, other, Allowed { laid_out_heredocs: false, ..allowed })
}

/// Compares two nodes by what the builder reads of them.
fn same_text(before: Node<'_>, after: Node<'_>) -> bool {
    let mut elements = before.children_with_tokens();
    let mut others = after.children_with_tokens();
    if let (Some(Element::Token(token)), None, Some(Element::Token(other)), None) = (
        elements.next(),
        elements.next(),
        others.next(),
        others.next(),
    ) {
        return token.kind() == other.kind() && token.text() == other.text();
    }
    before.logical_text() == after.logical_text()
}
