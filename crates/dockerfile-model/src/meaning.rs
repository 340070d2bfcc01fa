//! Whether two texts build the same thing, and whether an edit changes nothing but what it touches.
//!
//! The meaning of an instruction is what the builder and the shell get to see: keyword, flags, words after expansion,
//! the elements of JSON arrays, the words and the shape of commands, here-documents. Layout, comments and continuations
//! are not in it.

use dockerfile_source::{TextEdit, TextLen, TextRange, TextSize};
use dockerfile_syntax::ast::{self, Arguments, AstNode as _, File};
use dockerfile_syntax::{Element, Node, Parse, SyntaxErrorKind, SyntaxKind};

use crate::expansion::unquote;
use crate::{Body, Instruction, Model, Word};

/// Where two texts differ in meaning: the instruction of the first and that of the second, by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference {
    pub before: Option<usize>,
    pub after: Option<usize>,
}

/// What a file means, one entry an instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meaning {
    instructions: Vec<String>,
    escape: char,
    directives: Vec<String>,
}

impl Meaning {
    pub fn new(parse: &Parse, model: &Model) -> Meaning {
        let instructions = match File::cast(parse.root()) {
            Some(file) => file
                .instructions()
                .zip(&model.instructions)
                .map(|(syntax, instruction)| {
                    instruction_meaning(syntax, instruction, parse.escape())
                })
                .collect(),
            None => Vec::new(),
        };
        let directives = [&model.syntax, &model.check]
            .into_iter()
            .map(|directive| {
                directive
                    .as_ref()
                    .map(|(value, _)| value.to_string())
                    .unwrap_or_default()
            })
            .collect();
        Meaning {
            instructions,
            escape: parse.escape(),
            directives,
        }
    }

    /// Returns the meaning of one instruction, as a text to compare.
    pub fn instruction(&self, idx: usize) -> Option<&str> {
        self.instructions.get(idx).map(String::as_str)
    }

    /// Returns the meaning of the instructions that are not touched, in order.
    pub fn untouched(&self, model: &Model, is_touched: impl Fn(TextRange) -> bool) -> Vec<&str> {
        self.instructions
            .iter()
            .zip(&model.instructions)
            .filter(|(_, instruction)| !is_touched(instruction.range))
            .map(|(meaning, _)| meaning.as_str())
            .collect()
    }

    /// Returns the first difference, or `None` when both build the same thing.
    pub fn first_difference(&self, after: &Meaning) -> Option<Difference> {
        if self.escape != after.escape || self.directives != after.directives {
            return Some(Difference {
                before: None,
                after: None,
            });
        }
        let count = self.instructions.len().max(after.instructions.len());
        (0..count)
            .find(|idx| self.instructions.get(*idx) != after.instructions.get(*idx))
            .map(|idx| Difference {
                before: (idx < self.instructions.len()).then_some(idx),
                after: (idx < after.instructions.len()).then_some(idx),
            })
    }
}

/// Returns whether two texts that were parsed build the same thing.
pub fn means_the_same(before: &Parse, after: &Parse) -> bool {
    let input = crate::ModelInput::default();
    let meaning = |parse: &Parse| Meaning::new(parse, &Model::new(parse, &input));
    meaning(before).first_difference(&meaning(after)).is_none()
}

const PART: char = '\u{1f}';
const OPEN: char = '\u{1d}';
const CLOSE: char = '\u{1e}';

fn instruction_meaning(
    syntax: ast::Instruction<'_>,
    instruction: &Instruction,
    escape: char,
) -> String {
    let mut text = instruction.keyword_text.to_lowercase();
    for flag in &instruction.flags {
        push(&mut text, &flag.name);
        if let Some(value) = &flag.value {
            push(&mut text, "=");
            push_word(&mut text, value, escape);
        }
    }
    match &instruction.body {
        Body::From(from) => {
            from.image
                .iter()
                .for_each(|image| push_word(&mut text, image, escape));
            from.alias
                .iter()
                .for_each(|alias| push(&mut text, &alias.text.to_lowercase()));
        }
        Body::Copy(copy) => {
            push(&mut text, if copy.is_json { "json" } else { "words" });
            copy.sources
                .iter()
                .chain(&copy.destination)
                .for_each(|word| push_word(&mut text, word, escape));
        }
        Body::Pairs(pairs) => {
            for pair in pairs {
                push_word(&mut text, &pair.key, escape);
                match &pair.value {
                    Some(value) => push_word(&mut text, value, escape),
                    None => text.push(CLOSE),
                }
            }
        }
        Body::Words(words) => words
            .iter()
            .for_each(|word| push_word(&mut text, word, escape)),
        Body::Value(value) => value
            .iter()
            .for_each(|word| push_word(&mut text, word, escape)),
        Body::Onbuild(trigger) => {
            if let (Some(syntax), Some(trigger)) = (syntax.trigger(), trigger) {
                push(&mut text, &instruction_meaning(syntax, trigger, escape));
            }
        }
        Body::Command(_) | Body::Healthcheck(_) | Body::Shell(_) | Body::Unknown => {
            push_command(&mut text, syntax);
        }
    }
    // What has no place in the grammar is compared as it is written.
    for error in syntax
        .syntax()
        .children()
        .filter(|child| child.kind() == SyntaxKind::ERROR)
    {
        push(&mut text, &error.logical_text());
    }
    for (heredoc, opener) in syntax.heredocs().zip(&instruction.heredocs) {
        push(&mut text, &opener.name);
        push(
            &mut text,
            if opener.expands { "expands" } else { "literal" },
        );
        push(
            &mut text,
            if opener.strips_tabs {
                "strips"
            } else {
                "keeps"
            },
        );
        push(&mut text, &heredoc.body());
    }
    text
}

fn push(text: &mut String, part: &str) {
    text.push(PART);
    text.push_str(part);
}

/// A word whose value is known means its value; another means what is written, with the uses of variables in it.
fn push_word(text: &mut String, word: &Word, escape: char) {
    if let Some(value) = &word.value {
        push(text, value);
    } else {
        text.push(OPEN);
        // Quotes around the whole mean the same as none; what cannot be read is compared as it is written.
        let unquoted = unquote(&word.text, escape);
        push(text, unquoted.as_deref().unwrap_or(&word.text));
    }
}

fn push_command(text: &mut String, syntax: ast::Instruction<'_>) {
    for token in syntax
        .syntax()
        .tokens()
        .filter(|token| token.kind() == SyntaxKind::KEYWORD)
        .skip(1)
    {
        push(text, &token.text().to_lowercase());
    }
    match syntax.arguments() {
        Arguments::Json(array) => {
            text.push(OPEN);
            for string in array.strings() {
                push(text, &string.value);
            }
        }
        Arguments::Script(script) => push_script(text, script),
        Arguments::Opaque { text: opaque, .. } => push(text, opaque.trim()),
        Arguments::Words => {}
    }
}

/// Writes down the words and the shape of a command, without blanks, continuations and comments.
fn push_script(text: &mut String, node: Node<'_>) {
    text.push(OPEN);
    text.push_str(&(node.kind() as u16).to_string());
    for element in node.children_with_tokens() {
        match element {
            Element::Token(token) if token.kind() == SyntaxKind::NEWLINE => {
                if !text.ends_with(['\n', OPEN]) {
                    push(text, "\n");
                }
            }
            Element::Token(token) if token.kind().is_trivia() => {}
            Element::Token(token) if token.kind() == SyntaxKind::SPLIT_REST => {
                text.push_str(token.text());
            }
            Element::Token(token) => push(text, token.text()),
            Element::Node(child)
                if matches!(child.kind(), SyntaxKind::WORD | SyntaxKind::ERROR) =>
            {
                push(text, &child.logical_text());
            }
            Element::Node(child) if child.kind() == SyntaxKind::HEREDOC => {
                push(text, &child.to_string());
            }
            Element::Node(child) => push_script(text, child),
        }
    }
    text.push(CLOSE);
}

/// Returns whether an edit changes nothing outside of itself: every token that it does not touch is there afterwards,
/// in the same order and of the same kind, and nothing is broken that was not broken before.
pub fn is_confined(before: &Parse, after: &Parse, edit: &TextEdit) -> bool {
    let fatal = |parse: &Parse| {
        parse
            .errors()
            .iter()
            .filter(|error| error.kind != SyntaxErrorKind::Deprecated)
            .count()
    };
    if fatal(after) > fatal(before) {
        return false;
    }
    let mut touched_before = Vec::new();
    let mut touched_after = Vec::new();
    let mut shift = 0_i64;
    let tokens = meaningful_tokens(before);
    for indel in edit.indels() {
        // An edit inside of a token touches the whole token, and what becomes of it.
        let whole = widen_to_tokens(&tokens, indel.delete);
        let start = i64::from(u32::from(whole.start())) + shift;
        let growth = i64::from(u32::from(indel.insert.text_len()))
            - i64::from(u32::from(indel.delete.len()));
        let len = i64::from(u32::from(whole.len())) + growth;
        let size = |value: i64| TextSize::new(u32::try_from(value).unwrap_or(0));
        touched_before.push(whole);
        touched_after.push(TextRange::at(size(start), size(len)));
        shift += growth;
    }
    untouched(&tokens, &touched_before) == untouched(&meaningful_tokens(after), &touched_after)
}

type MeaningfulToken<'t> = (TextRange, SyntaxKind, &'t str);

fn meaningful_tokens(parse: &Parse) -> Vec<MeaningfulToken<'_>> {
    let mut tokens = Vec::new();
    parse.root().for_each_token(&mut |token| {
        if !token.kind().is_trivia() {
            tokens.push((token.range(), token.kind(), token.text()));
        }
    });
    tokens
}

fn widen_to_tokens(tokens: &[MeaningfulToken<'_>], range: TextRange) -> TextRange {
    let first = tokens.partition_point(|(token, _, _)| token.end() <= range.start());
    let behind = tokens.get(first..).unwrap_or(&[]);
    behind
        .iter()
        .map(|(token, _, _)| *token)
        .take_while(|token| {
            token.start() < range.end() || (range.is_empty() && token.start() < range.start())
        })
        .fold(range, TextRange::cover)
}

/// Returns the tokens outside of all ranges, which ascend.
fn untouched<'t>(
    tokens: &[MeaningfulToken<'t>],
    touched: &[TextRange],
) -> Vec<(SyntaxKind, &'t str)> {
    let is_touched = |token: TextRange| {
        let first = touched.partition_point(|range| range.end() <= token.start());
        let behind = touched.get(first..).unwrap_or(&[]);
        behind
            .first()
            .is_some_and(|range| range.start() < token.end())
    };
    tokens
        .iter()
        .filter(|(range, _, _)| !is_touched(*range))
        .map(|(_, kind, text)| (*kind, *text))
        .collect()
}

#[cfg(test)]
mod tests {
    use dockerfile_syntax::parse;

    use super::*;

    fn same(before: &str, after: &str) -> bool {
        means_the_same(&parse(before), &parse(after))
    }

    #[test]
    fn layout_means_nothing() {
        assert!(same(
            "FROM a\nCOPY  b   c\n",
            "from a\n\n# c\ncopy b \\\n  c"
        ));
        assert!(same("ENV A b\n", "ENV A=b\n"));
        assert!(same("ENV A \"b c\"\n", "ENV A=\"b c\"\n"));
        assert!(same("CMD [\"a\",\"b\"]\n", "CMD [ \"a\", \"\\u0062\" ]\n"));
    }

    #[test]
    fn words_flags_and_forms_mean_something() {
        assert!(!same("ENV A b c\n", "ENV A=b c=\n"));
        assert!(!same("CMD [\"a\"]\n", "CMD a\n"));
        assert!(!same("COPY a b\n", "COPY --link a b\n"));
        assert!(!same("RUN <<E\na\nE\n", "RUN <<E\nb\nE\n"));
        assert!(!same("# escape=`\nFROM a\n", "FROM a\n"));
        assert!(!same("RUN a\nRUN b\n", "RUN a\n"));
    }

    #[test]
    fn an_edit_is_confined_when_all_else_stays() {
        let before = "FROM a\nADD x y\nRUN z\n";
        let edit = TextEdit::replace(TextRange::new(7.into(), 10.into()), "COPY");
        let after = edit.apply(before).expect("fits");
        assert!(is_confined(&parse(before), &parse(&after), &edit));
        let edit = TextEdit::insert(14.into(), " \\");
        let after = edit.apply(before).expect("fits");
        assert!(
            !is_confined(&parse(before), &parse(&after), &edit),
            "the next line became a part of this one"
        );
        let edit = TextEdit::replace(TextRange::new(11.into(), 12.into()), "xx");
        let after = edit.apply(before).expect("fits");
        assert!(is_confined(&parse(before), &parse(&after), &edit));
        let edit = TextEdit::insert(14.into(), "z");
        let after = edit.apply(before).expect("fits");
        assert!(
            !is_confined(&parse(before), &parse(&after), &edit),
            "the word grew"
        );
    }
}
