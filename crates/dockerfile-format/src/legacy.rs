//! `ENV KEY VALUE`, the form without `=`.

use dockerfile_syntax::ast::{AstNode as _, Pair};
use dockerfile_syntax::{Element, Node, SyntaxKind};

/// Returns `KEY=VALUE` for a legacy pair whose value means the same in that form, whatever the variables hold.
pub(crate) fn modern_form(pair: Pair<'_>) -> Option<String> {
    if pair.has_equals() {
        return None;
    }
    let (key, value) = (pair.key()?.plain_text()?, pair.value()?);
    if goes_over_lines(pair) || !key.chars().all(is_plain) {
        return None;
    }
    let text = value.text();
    if !has_closed_quotes(value.syntax()) {
        return None;
    }
    if is_one_word(value.syntax()) {
        return Some(format!("{key}={text}"));
    }
    // Between double quotes only these mean what they mean outside.
    let is_unchanged = |c: char| c.is_alphanumeric() || "_-./:,@%+~=^*?!()&;|<>[]# ".contains(c);
    text.chars()
        .all(is_unchanged)
        .then(|| format!("{key}=\"{text}\""))
}

/// Returns whether a value has no blanks but quoted ones.
fn is_one_word(value: Node<'_>) -> bool {
    !value.range().is_empty()
        && value.children_with_tokens().all(|element| match element {
            Element::Node(node) if node.kind() == SyntaxKind::DOUBLE_QUOTED => true,
            Element::Node(node) => !node.text().contains(char::is_whitespace),
            Element::Token(token) if token.kind() == SyntaxKind::SINGLE_QUOTED => true,
            Element::Token(token) => !token.text().contains(char::is_whitespace),
        })
}

/// Returns whether every quote of a value has its other half.
fn has_closed_quotes(value: Node<'_>) -> bool {
    value.children_with_tokens().all(|element| match element {
        Element::Node(node) if node.kind() == SyntaxKind::DOUBLE_QUOTED => {
            let quotes = node
                .tokens()
                .filter(|token| token.kind() == SyntaxKind::DOUBLE_QUOTE);
            quotes.count() == 2
        }
        Element::Token(token) if token.kind() == SyntaxKind::SINGLE_QUOTED => {
            token.text().len() > 1 && token.text().ends_with('\'')
        }
        _ => true,
    })
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
}

fn goes_over_lines(pair: Pair<'_>) -> bool {
    crate::parts::holds(pair.syntax(), &SyntaxKind::is_line_joint)
}
