//! A reader of commands that knows nothing of our grammar: words, quotes and operators.
//!
//! Two commands with the same tokens are the same to a shell. It is as simple as it can be, so that a fault in our
//! grammar does not hide itself.

use std::str::Chars;

/// Returns the words and operators of a joined command line; blanks between them do not count.
pub fn tokens(command: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut word = String::new();
    let mut characters = command.chars();
    while let Some(c) = characters.next() {
        match c {
            ' ' | '\t' => push(&mut tokens, &mut word),
            // What is in `$(...)` and `${...}` stays as it is written.
            '(' | '{' if word.ends_with('$') => nested(c, &mut characters, &mut word),
            ';' | '&' | '|' | '(' | ')' => {
                push(&mut tokens, &mut word);
                tokens.push(c.to_string());
            }
            // `2>` is one thing, `a>` is two.
            '<' | '>' => {
                if !word.chars().all(|c| c.is_ascii_digit()) {
                    push(&mut tokens, &mut word);
                }
                word.push(c);
                push(&mut tokens, &mut word);
            }
            _ => one(c, &mut characters, &mut word),
        }
    }
    push(&mut tokens, &mut word);
    tokens
}

/// Takes a character, with all that it protects.
fn one(c: char, rest: &mut Chars<'_>, word: &mut String) {
    word.push(c);
    match c {
        '\\' => word.extend(rest.next()),
        '\'' => {
            for quoted in rest.by_ref() {
                word.push(quoted);
                if quoted == '\'' {
                    break;
                }
            }
        }
        '"' => {
            while let Some(quoted) = rest.next() {
                match quoted {
                    '"' => {
                        word.push(quoted);
                        break;
                    }
                    '(' | '{' if word.ends_with('$') => nested(quoted, rest, word),
                    // A single quote protects nothing here.
                    '\'' => word.push(quoted),
                    _ => one(quoted, rest, word),
                }
            }
        }
        _ => {}
    }
}

/// Takes the rest of `$(...)` or `${...}`.
fn nested(open: char, rest: &mut Chars<'_>, word: &mut String) {
    word.push(open);
    let close = if open == '(' { ')' } else { '}' };
    while let Some(c) = rest.next() {
        if c == close {
            word.push(c);
            return;
        }
        if c == open {
            nested(open, rest, word);
        } else {
            one(c, rest, word);
        }
    }
}

fn push(tokens: &mut Vec<String>, word: &mut String) {
    if !word.is_empty() {
        tokens.push(std::mem::take(word));
    }
}

/// Returns a word without its quotes and escapes, variables as they are written.
pub fn unquoted(word: &str) -> String {
    let mut text = String::new();
    let mut quote = None;
    let mut characters = word.chars();
    while let Some(c) = characters.next() {
        match (c, quote) {
            ('\'' | '"', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            ('\\', None | Some('"')) => match characters.next() {
                Some(next) if quote.is_none() || matches!(next, '"' | '$' | '\\') => {
                    text.push(next);
                }
                Some(next) => text.extend(['\\', next]),
                None => {}
            },
            _ => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_between_tokens_do_not_count_and_blanks_within_do() {
        assert_eq!(tokens("a  &&b; c"), tokens("a && b;c"));
        assert_eq!(tokens("( a )"), tokens("(a)"));
        assert_ne!(tokens("echo 'a  b'"), tokens("echo 'a b'"));
        assert_eq!(tokens("echo 'a'>>b"), tokens("echo 'a' >> b"));
        assert_ne!(tokens("a 2>b"), tokens("a 2 >b"));
        assert_eq!(tokens("\"$(a | b \"c d\")\" e").len(), 2);
        assert_ne!(tokens("a b"), tokens("ab"));
        assert_ne!(tokens("a $(b  c)"), tokens("a $(b c)"));
    }

    #[test]
    fn quotes_are_taken_off() {
        assert_eq!(unquoted(r#""a b"'c'\ d"#), "a bc d");
        assert_eq!(unquoted(r#""\a\$""#), "\\a$");
    }
}
