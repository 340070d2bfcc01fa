//! Words with the variables in them.

use dockerfile_source::TextRange;
use dockerfile_syntax::ast::{self, AstNode as _};
use dockerfile_syntax::{Element, Node, SyntaxKind};
use smol_str::SmolStr;

use super::Lowering;
use crate::word::text_of;
use crate::{JsonString, StageId, VariableUse, Word};

impl Lowering<'_> {
    /// Lowers a word that the builder expands with the variables of the stage.
    pub(super) fn word(&self, word: ast::Word<'_>) -> Word {
        self.expanded(word, self.stage)
    }

    /// Lowers a word that the builder expands with global variables: FROM.
    pub(super) fn global_word(&self, word: ast::Word<'_>) -> Word {
        self.expanded(word, None)
    }

    /// Lowers an element of a JSON array that the builder expands.
    pub(super) fn json_word(&self, string: JsonString) -> Word {
        Word::literal(string.value, string.range)
    }

    fn expanded(&self, word: ast::Word<'_>, stage: Option<StageId>) -> Word {
        let text = text_of(word);
        if word.plain_text().is_some() {
            return Word::literal(text, word.range());
        }
        let mut uses = Vec::new();
        let mut value = Some(String::new());
        self.provisional(word.syntax(), stage, &mut value, &mut uses);
        Word {
            text,
            range: word.range(),
            value: value.map(SmolStr::new),
            uses,
            error: None,
        }
    }

    fn provisional(
        &self,
        node: Node<'_>,
        stage: Option<StageId>,
        value: &mut Option<String>,
        uses: &mut Vec<VariableUse>,
    ) {
        for element in node.children_with_tokens() {
            match element {
                Element::Token(token) => {
                    let piece = match token.kind() {
                        SyntaxKind::TEXT => token.text(),
                        SyntaxKind::SINGLE_QUOTED => token.text().trim_matches('\''),
                        SyntaxKind::ESCAPE => token.text().get(1..).unwrap_or(""),
                        _ => "",
                    };
                    if let Some(value) = value {
                        value.push_str(piece)
                    }
                }
                Element::Node(child) if child.kind() == SyntaxKind::EXPANSION => {
                    let expansion = ast::Expansion::cast(child);
                    let Some(name) = expansion.and_then(ast::Expansion::name) else {
                        continue;
                    };
                    let (resolution, known) =
                        self.model.resolve_value(name.text(), self.current, stage);
                    let operator = expansion
                        .and_then(ast::Expansion::operator)
                        .map_or("", |token| token.text());
                    let handles_unset = operator.starts_with([':', '-', '+', '?']);
                    uses.push(VariableUse {
                        name: SmolStr::new(name.text()),
                        range: child.range(),
                        resolution,
                        handles_unset,
                    });
                    match known {
                        Some(known) if operator.is_empty() => {
                            if let Some(value) = value {
                                value.push_str(&known)
                            }
                        }
                        _ => *value = None,
                    }
                }
                Element::Node(child) => self.provisional(child, stage, value, uses),
            }
        }
        let _: TextRange = node.range();
    }
}
