//! Whether a new layout reads as the old one did.
//!
//! Two instructions of the same tree, blanks, line ends and comments left out, build the same thing. Where the trees
//! differ, as they do when a legacy form is modernised, what they mean is compared.

use dockerfile_model::{Meaning, Model, ModelInput};
use dockerfile_syntax::ast::{AstNode as _, File, Instruction};
use dockerfile_syntax::{Element, Node, Parse, SyntaxKind, Token};

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

fn directives(file: File<'_>) -> Vec<&str> {
    file.directives()
        .map(|directive| directive.syntax().text())
        .collect()
}

/// Drops the instructions that mean the same. Only pairs may be rewritten: all else has the same tree.
fn retain_unlike(before: &Parse, after: &Parse, found: &mut Vec<usize>) {
    let (old, new) = (rewritten(before, found), rewritten(after, found));
    let meanings = |texts: &[Option<&str>]| meanings(texts, before.escape());
    let (old_meanings, new_meanings) = (meanings(&old), meanings(&new));
    let mut position = 0;
    found.retain(|_| {
        let at = position;
        position += 1;
        let is_rewritten = matches!((old.get(at), new.get(at)), (Some(Some(_)), Some(Some(_))));
        let meaning = old_meanings.instruction(at + 1);
        !is_rewritten || meaning.is_none() || meaning != new_meanings.instruction(at + 1)
    });
}

/// Returns the texts of some instructions, by index; none for one that has no pairs.
fn rewritten<'t>(parse: &'t Parse, wanted: &[usize]) -> Vec<Option<&'t str>> {
    let mut wanted = wanted.iter().copied().peekable();
    File::cast(parse.root())
        .into_iter()
        .flat_map(File::instructions)
        .enumerate()
        .filter(|(idx, _)| wanted.next_if_eq(idx).is_some())
        .map(|(_, instruction)| {
            let inner = instruction.trigger().unwrap_or(instruction);
            let is_pairs = inner.pairs().next().is_some();
            is_pairs.then(|| instruction.syntax().text())
        })
        .collect()
}

/// Returns what instructions mean, in a file of nothing but them; the first is a FROM.
fn meanings(instructions: &[Option<&str>], escape: char) -> Meaning {
    let mut text = format!("# escape={escape}\nFROM scratch\n");
    for instruction in instructions {
        // One that is not to be compared keeps its place.
        text.push_str(instruction.unwrap_or("USER nobody"));
        text.push('\n');
    }
    let parse = dockerfile_syntax::parse(&text);
    Meaning::new(&parse, &Model::new(&parse, &ModelInput::default()))
}

fn is_same(before: Instruction<'_>, after: Instruction<'_>, allowed: Allowed) -> bool {
    let (before, after) = (before.syntax(), after.syntax());
    // The same text is read the same way, as long as all in front of it is.
    if before.kind() == after.kind() && before.text() == after.text() {
        return true;
    }
    same_nodes(before, after, allowed) && comment_lines(before) == comment_lines(after)
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
    if !node.text().contains('#') {
        return lines;
    }
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
        // What begins like this is read by its text alone.
        SyntaxKind::SIMPLE_COMMAND
        | SyntaxKind::REDIRECTION
        | SyntaxKind::PAIR
        | SyntaxKind::JSON_ARRAY
        | SyntaxKind::STAGE_ALIAS
            if before.text() == after.text() =>
        {
            return true;
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
            (Element::Node(node), Some(Element::Node(other))) => same_nodes(node, other, allowed),
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
    let (old, new) = (before.text(), after.text());
    if old == new {
        return true;
    }
    let (Some(script), Some(other)) = (
        before.child(SyntaxKind::SCRIPT),
        after.child(SyntaxKind::SCRIPT),
    ) else {
        return false;
    };
    let end = SyntaxKind::HEREDOC_END;
    allowed.laid_out_heredocs
        && old.starts_with("#!") == new.starts_with("#!")
        && before.token(end).map(Token::text) == after.token(end).map(Token::text)
        && same_nodes(
            script,
            other,
            Allowed {
                laid_out_heredocs: false,
                ..allowed
            },
        )
}

/// Compares two nodes by what the builder reads of them.
fn same_text(before: Node<'_>, after: Node<'_>) -> bool {
    before.text() == after.text() || before.logical_text() == after.logical_text()
}
