//! The file, and the parts that instructions are made of.

use dockerfile_source::TextRange;

use super::{AstNode, ast_nodes, child, children, token_text};
use crate::{Element, Node, SyntaxKind, Token, decode_json_string, unquote_flag};

ast_nodes! {
    /// The whole file.
    File = FILE;
    /// `# name=value` at the top of the file.
    Directive = DIRECTIVE;
    /// `--name=value`.
    Flag = FLAG;
    /// A word, with the quotes and expansions in it.
    Word = WORD;
    /// `KEY=VALUE`, `KEY VALUE` or `KEY`.
    Pair = PAIR;
    /// `["a", "b"]`.
    JsonArray = JSON_ARRAY;
    /// The body of a here-document and the line that ends it.
    Heredoc = HEREDOC;
    /// `$NAME` or `${NAME...}`.
    Expansion = EXPANSION;
}

impl<'t> File<'t> {
    pub fn directives(self) -> impl Iterator<Item = Directive<'t>> + Clone {
        children(self.0)
    }

    /// Returns the instructions, unknown ones included.
    pub fn instructions(self) -> impl Iterator<Item = super::Instruction<'t>> + Clone {
        self.0.children().filter_map(super::Instruction::cast)
    }
}

impl<'t> Directive<'t> {
    pub fn name(self) -> Option<Token<'t>> {
        self.0.token(SyntaxKind::DIRECTIVE_NAME)
    }

    pub fn value(self) -> Option<Token<'t>> {
        self.0.token(SyntaxKind::DIRECTIVE_VALUE)
    }
}

impl<'t> Flag<'t> {
    /// Returns the name without `--`; none for `--` alone.
    pub fn name(self) -> Option<String> {
        token_text(self.0, SyntaxKind::FLAG_NAME)
    }

    /// Returns where `--name` stands.
    pub fn name_range(self) -> TextRange {
        let end = self
            .0
            .tokens()
            .filter(|token| {
                matches!(
                    token.kind(),
                    SyntaxKind::FLAG_DASHES | SyntaxKind::FLAG_NAME
                )
            })
            .last();
        let start = self.0.range().start();
        TextRange::new(start, end.map_or(start, |token| token.range().end()))
    }

    /// Returns whether there is a `=`.
    pub fn has_value(self) -> bool {
        self.0.token(SyntaxKind::EQ).is_some()
    }

    /// Returns the value as it is written; none where nothing stands behind `=`.
    pub fn value(self) -> Option<Word<'t>> {
        child(self.0)
    }

    /// Returns the flag as the builder reads it, without quotes and escapes: `--name=value`.
    pub fn text(self) -> String {
        unquote_flag(&self.0.logical_text())
    }
}

impl<'t> Word<'t> {
    /// Returns the text of the word, quotes and escapes included, continuations left out.
    pub fn text(self) -> String {
        self.0.logical_text()
    }

    /// Returns the text of the word where it stands in the tree as one plain token: no quote, no escape, no expansion,
    /// no continuation.
    pub fn plain_text(self) -> Option<&'t str> {
        let mut elements = self.0.children_with_tokens();
        match (elements.next(), elements.next()) {
            (Some(Element::Token(token)), None) if token.kind() == SyntaxKind::TEXT => {
                Some(token.text())
            }
            _ => None,
        }
    }

    /// Returns the expansions of the word that stand in no other expansion.
    pub fn expansions(self) -> Vec<Expansion<'t>> {
        let mut found = Vec::new();
        collect_expansions(self.0, &mut found);
        found
    }

    pub fn range(self) -> TextRange {
        self.0.range()
    }
}

fn collect_expansions<'t>(node: Node<'t>, found: &mut Vec<Expansion<'t>>) {
    for child in node.children() {
        match Expansion::cast(child) {
            Some(expansion) => found.push(expansion),
            None => collect_expansions(child, found),
        }
    }
}

impl<'t> Expansion<'t> {
    pub fn name(self) -> Option<Token<'t>> {
        self.0.token(SyntaxKind::NAME)
    }

    /// Returns the operator behind the name, such as `:-`.
    pub fn operator(self) -> Option<Token<'t>> {
        self.0.token(SyntaxKind::EXPANSION_OPERATOR)
    }

    /// Returns the words behind the operator.
    pub fn operands(self) -> impl Iterator<Item = Word<'t>> + Clone {
        children(self.0)
    }
}

impl<'t> Pair<'t> {
    pub fn key(self) -> Option<Word<'t>> {
        let equals = self
            .0
            .token(SyntaxKind::EQ)
            .map(|token| token.range().start());
        child::<Word>(self.0)
            .filter(|word| equals.is_none_or(|equals| word.range().start() < equals))
    }

    pub fn value(self) -> Option<Word<'t>> {
        let key_end = self
            .key()
            .map_or(self.0.range().start(), |key| key.range().end());
        children::<Word>(self.0)
            .find(|word| word.range().start() >= key_end && !word.range().is_empty())
            .filter(|word| self.key().is_none_or(|key| key.range() != word.range()))
    }

    /// Returns whether key and value are joined by `=`.
    pub fn has_equals(self) -> bool {
        self.0.token(SyntaxKind::EQ).is_some()
    }
}

/// A string of a JSON array.
#[derive(Clone, Debug)]
pub struct JsonString {
    /// The decoded value.
    pub value: String,
    /// Where it stands, its quotes included.
    pub range: TextRange,
}

impl JsonArray<'_> {
    /// Returns the strings, decoded.
    pub fn strings(self) -> Vec<JsonString> {
        let mut strings: Vec<(String, TextRange)> = Vec::new();
        let mut in_string = false;
        for token in self.0.tokens() {
            match token.kind() {
                SyntaxKind::JSON_STRING => {
                    strings.push((token.text().to_owned(), token.range()));
                    in_string = true;
                }
                SyntaxKind::SPLIT_REST if in_string => {
                    if let Some((text, range)) = strings.last_mut() {
                        text.push_str(token.text());
                        *range = range.cover(token.range());
                    }
                }
                kind if kind.is_trivia() => {}
                _ => in_string = false,
            }
        }
        strings
            .into_iter()
            .map(|(text, range)| JsonString {
                value: decode_json_string(&text),
                range,
            })
            .collect()
    }
}

impl<'t> Heredoc<'t> {
    /// Returns the text between the first line and the last.
    pub fn body(self) -> String {
        let mut text = String::new();
        for element in self.0.children_with_tokens() {
            match element {
                Element::Token(token) if token.kind() == SyntaxKind::HEREDOC_TEXT => {
                    text.push_str(token.text());
                }
                Element::Node(node) if node.kind() == SyntaxKind::SCRIPT => {
                    text.push_str(&node.to_string());
                }
                _ => {}
            }
        }
        text
    }

    /// Returns the script, when the body is one.
    pub fn script(self) -> Option<Node<'t>> {
        self.0.child(SyntaxKind::SCRIPT)
    }

    /// Returns the line that ends the body; none where it is missing.
    pub fn end(self) -> Option<Token<'t>> {
        self.0.token(SyntaxKind::HEREDOC_END)
    }
}
