//! The parts of a word, and its value.

use std::borrow::Cow;
use std::iter::Peekable;
use std::str::Chars;

use super::{
    Array, AstNode, CommandSubstitution, DoubleQuoted, Expansion, ProcessSubstitution, Word,
};
use crate::{Element, Node, SyntaxKind, Token};

/// A part of a word, or of the inside of double quotes.
#[derive(Clone, Copy, Debug)]
pub enum WordPart<'t> {
    Text(Token<'t>),
    /// The escape character and the character it protects.
    Escape(Token<'t>),
    /// `'...'`.
    SingleQuoted(Token<'t>),
    /// `$'...'`.
    AnsiCQuoted(Token<'t>),
    /// `"..."`.
    DoubleQuoted(DoubleQuoted<'t>),
    /// `$NAME` or `${NAME...}`.
    Expansion(Expansion<'t>),
    /// `$(...)` or `` `...` ``.
    CommandSubstitution(CommandSubstitution<'t>),
    /// `<(...)` or `>(...)`.
    ProcessSubstitution(ProcessSubstitution<'t>),
    /// `$((...))` or `$[...]`.
    Arithmetic(Token<'t>),
    /// The `(...)` of `declare name=(...)`.
    Array(Array<'t>),
    /// The rest of the token before it, behind a continuation.
    Rest(Token<'t>),
    /// Text that is not looked into.
    Opaque(Token<'t>),
}

impl<'t> WordPart<'t> {
    fn of(element: Element<'t>) -> Option<WordPart<'t>> {
        Some(match element {
            Element::Token(token) => match token.kind() {
                SyntaxKind::TEXT | SyntaxKind::WHITESPACE => WordPart::Text(token),
                SyntaxKind::ESCAPE => WordPart::Escape(token),
                SyntaxKind::SINGLE_QUOTED => WordPart::SingleQuoted(token),
                SyntaxKind::ANSI_C_QUOTED => WordPart::AnsiCQuoted(token),
                SyntaxKind::ARITHMETIC => WordPart::Arithmetic(token),
                SyntaxKind::SPLIT_REST => WordPart::Rest(token),
                SyntaxKind::OPAQUE => WordPart::Opaque(token),
                _ => return None,
            },
            Element::Node(node) => match node.kind() {
                SyntaxKind::DOUBLE_QUOTED => WordPart::DoubleQuoted(DoubleQuoted::cast(node)?),
                SyntaxKind::EXPANSION => WordPart::Expansion(Expansion::cast(node)?),
                SyntaxKind::COMMAND_SUBSTITUTION => {
                    WordPart::CommandSubstitution(CommandSubstitution::cast(node)?)
                }
                SyntaxKind::PROCESS_SUBSTITUTION => {
                    WordPart::ProcessSubstitution(ProcessSubstitution::cast(node)?)
                }
                SyntaxKind::ARRAY => WordPart::Array(Array::cast(node)?),
                _ => return None,
            },
        })
    }
}

impl<'t> Word<'t> {
    /// Returns the parts, quotes and expansions each in one piece.
    pub fn parts(self) -> impl Iterator<Item = WordPart<'t>> + Clone {
        parts(self.0)
    }

    /// Returns the value of the word after the shell has taken off the quotes; none where an expansion stands in it.
    ///
    /// Patterns, braces and `~` stand for themselves here.
    pub fn literal(self) -> Option<Cow<'t, str>> {
        if let Some(text) = self.plain_text() {
            return Some(Cow::Borrowed(text));
        }
        let mut value = String::new();
        push_literal(self.parts(), &mut value)?;
        Some(Cow::Owned(value))
    }
}

impl<'t> DoubleQuoted<'t> {
    /// Returns what stands between the quotes.
    pub fn parts(self) -> impl Iterator<Item = WordPart<'t>> + Clone {
        parts(self.0)
    }
}

fn parts(node: Node<'_>) -> impl Iterator<Item = WordPart<'_>> + Clone {
    node.children_with_tokens().filter_map(WordPart::of)
}

/// Appends the value of the parts, or returns `None` at the first expansion.
fn push_literal<'t>(parts: impl Iterator<Item = WordPart<'t>>, value: &mut String) -> Option<()> {
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        match part {
            WordPart::Text(token) => value.push_str(token.text()),
            WordPart::Escape(token) => {
                let text = whole_text(token, &mut parts);
                value.extend(text.chars().skip(1));
            }
            WordPart::SingleQuoted(token) => {
                let text = whole_text(token, &mut parts);
                let inside = text.strip_prefix('\'').unwrap_or(&text);
                value.push_str(inside.strip_suffix('\'').unwrap_or(inside));
            }
            WordPart::AnsiCQuoted(token) => {
                let text = whole_text(token, &mut parts);
                let inside = text.strip_prefix("$'").unwrap_or(&text);
                push_ansi_c(inside.strip_suffix('\'').unwrap_or(inside), value)?;
            }
            WordPart::DoubleQuoted(quoted) => push_literal(quoted.parts(), value)?,
            // `"` and the like are no parts, so this is the rest of none of them.
            WordPart::Rest(_) => return None,
            WordPart::Expansion(_)
            | WordPart::CommandSubstitution(_)
            | WordPart::ProcessSubstitution(_)
            | WordPart::Arithmetic(_)
            | WordPart::Array(_)
            | WordPart::Opaque(_) => return None,
        }
    }
    Some(())
}

/// Returns the text of a token and of the pieces behind it that a continuation cut off.
fn whole_text<'t>(
    token: Token<'t>,
    parts: &mut Peekable<impl Iterator<Item = WordPart<'t>>>,
) -> Cow<'t, str> {
    let mut text = Cow::Borrowed(token.text());
    while let Some(WordPart::Rest(rest)) = parts.peek() {
        text.to_mut().push_str(rest.text());
        parts.next();
    }
    text
}

/// Appends the value of the inside of `$'...'`, or returns `None` where it is no text.
fn push_ansi_c(inside: &str, value: &mut String) -> Option<()> {
    let mut characters = inside.chars().peekable();
    while let Some(character) = characters.next() {
        if character != '\\' {
            value.push(character);
            continue;
        }
        let Some(escape) = characters.next() else {
            value.push('\\');
            break;
        };
        let code = match escape {
            'a' => 0x07,
            'b' => 0x08,
            'e' | 'E' => 0x1b,
            'f' => 0x0c,
            'n' => 0x0a,
            'r' => 0x0d,
            't' => 0x09,
            'v' => 0x0b,
            '\\' | '\'' | '"' | '?' => u32::from(escape),
            '0'..='7' => {
                let first = escape.to_digit(8)?;
                let code = digits(&mut characters, 8, 2)
                    .map_or(first, |(code, count)| (first << (3 * count)) + code);
                byte_value(code)?
            }
            'x' => byte_value(digits(&mut characters, 16, 2)?.0)?,
            'u' => digits(&mut characters, 16, 4)?.0,
            'U' => digits(&mut characters, 16, 8)?.0,
            'c' => u32::from(characters.next()?) & 0x1f,
            _ => {
                value.push('\\');
                u32::from(escape)
            }
        };
        value.push(char::from_u32(code).filter(|character| *character != '\0')?);
    }
    Some(())
}

/// Returns the value of a byte where it is a character of its own.
fn byte_value(code: u32) -> Option<u32> {
    (code < 0x80).then_some(code)
}

/// Reads up to `most` digits and returns their value and how many there are.
fn digits(characters: &mut Peekable<Chars<'_>>, radix: u32, most: u32) -> Option<(u32, u32)> {
    let mut value = 0_u32;
    let mut count = 0;
    while count < most
        && let Some(digit) = characters.peek().and_then(|next| next.to_digit(radix))
    {
        value = value * radix + digit;
        count += 1;
        characters.next();
    }
    (count > 0).then_some((value, count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ast::{Command, Script, child};
    use crate::parse;

    /// Returns the literal of each word of a command.
    fn literals(command: &str) -> Vec<Option<String>> {
        let parse = parse(&format!("RUN {command}\n"));
        let run = parse.root().child(SyntaxKind::RUN_INSTRUCTION);
        let script: Script<'_> = run.and_then(child).expect("RUN has a script");
        let Some(Command::Simple(command)) = script.commands().next() else {
            panic!("the command is a simple one");
        };
        command
            .words()
            .map(|word| word.literal().map(Cow::into_owned))
            .collect()
    }

    #[track_caller]
    fn check(command: &str, expected: &[&str]) {
        let expected: Vec<_> = expected
            .iter()
            .map(|text| Some((*text).to_owned()))
            .collect();
        assert_eq!(literals(command), expected);
    }

    #[test]
    fn quotes_are_taken_off() {
        check(
            r#"a 'b c'd "e \"\$\f" \g\  '' "h'i""#,
            &["a", "b cd", "e \"$\\f", "g ", "", "h'i"],
        );
    }

    #[test]
    fn ansi_c_quotes_are_decoded() {
        check(
            r"$'a\tb\x41\101\u00e9\'\\\q' $'\e[0m'",
            &["a\tbAA\u{e9}'\\\\q", "\u{1b}[0m"],
        );
        assert_eq!(literals(r"$'\xff' $'\0'"), [None, None]);
    }

    #[test]
    fn continuations_are_no_part_of_the_value() {
        check("a\\\nb 'c\\\nd' \"e\\\nf\" g", &["ab", "cd", "ef", "g"]);
    }

    #[test]
    fn a_word_with_an_expansion_has_no_literal() {
        let command = "$a \"b$c\" `d` $(e) $((1)) <(f) ${g:-h}";
        assert_eq!(literals(command), vec![None; 7]);
    }
}
