//! Values of ENV and LABEL, written so that the builder reads what is meant.

/// Returns whether the builder reads a text as one word of ENV: no blank outside of quotes. None when a quote is not
/// closed.
///
/// The states are those of BuildKit's `parser/line_parsers.go`, `parseWords`.
fn is_one_word(text: &str, escape: char) -> Option<bool> {
    let mut quote = None;
    let mut is_one = true;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match quote {
            Some(open) if character == open => quote = None,
            Some(open) if character == escape && open != '\'' => {
                characters.next();
            }
            Some(_) => {}
            None if matches!(character, '"' | '\'') => quote = Some(character),
            None if character == escape => {
                characters.next();
            }
            None if character.is_whitespace() => is_one = false,
            None => {}
        }
    }
    quote.is_none().then_some(is_one)
}

/// How a value that stands behind a blank is written behind `=`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// As it stands.
    AsIs,
    /// In double quotes.
    InQuotes,
    /// As this text: the quotes that stand inside are moved to the ends.
    Rewritten(String),
}

/// Returns how `ENV KEY TEXT` is written as `ENV KEY=...` with the same value; none where that is not certain.
pub(crate) fn spelling(text: &str, escape: char) -> Option<Spelling> {
    if is_one_word(text, escape)? {
        return Some(Spelling::AsIs);
    }
    if text.contains(escape) {
        return None;
    }
    if !text.contains(['"', '\'']) {
        return Some(Spelling::InQuotes);
    }
    // Quotes inside of `${...}` belong to it.
    if text.contains('{') {
        return None;
    }
    let mut inner = String::with_capacity(text.len());
    let mut quote = None;
    for character in text.chars() {
        match quote {
            Some(open) if character == open => quote = None,
            // In single quotes these are plain characters, in double quotes they are not.
            Some('\'') if matches!(character, '$' | '"') => return None,
            None if matches!(character, '"' | '\'') => quote = Some(character),
            _ => inner.push(character),
        }
    }
    // A name that ended at a quote would now run on.
    (!inner.contains('$')).then(|| Spelling::Rewritten(format!("\"{inner}\"")))
}

/// Returns a text in double quotes, so that the builder reads it as it is.
pub(crate) fn quoted(text: &str, escape: char) -> String {
    let mut result = String::with_capacity(text.len() + 2);
    result.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '$') || character == escape {
            result.push(escape);
        }
        result.push(character);
    }
    result.push('"');
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_word_stays_as_it_is() {
        for text in ["b", "\"b c\"", "'b c'", "a=b", "b\\ c", "$X", "a\"b c\"d"] {
            assert_eq!(spelling(text, '\\'), Some(Spelling::AsIs), "{text}");
        }
    }

    #[test]
    fn blanks_need_quotes() {
        for text in ["b c", "$X  ${Y:-z}", "a  b"] {
            assert_eq!(spelling(text, '\\'), Some(Spelling::InQuotes), "{text}");
        }
    }

    #[test]
    fn inner_quotes_move_to_the_ends() {
        let rewritten = |text: &str| Some(Spelling::Rewritten(text.to_owned()));
        assert_eq!(spelling("-a=\"x y\" -b", '\\'), rewritten("\"-a=x y -b\""));
        assert_eq!(spelling("'x y' z", '\\'), rewritten("\"x y z\""));
    }

    #[test]
    fn what_is_not_certain_is_left_alone() {
        for text in [
            "it's",
            "a \\b",
            "'$X' y",
            "'\"' y",
            "${X:-'a'} y",
            "\"$X\"y z",
            "\"open",
        ] {
            assert_eq!(spelling(text, '\\'), None, "{text}");
        }
    }

    #[test]
    fn quoting_keeps_special_characters() {
        assert_eq!(quoted(r#"a "b" $c \d"#, '\\'), r#""a \"b\" \$c \\d""#);
        assert_eq!(quoted(r#"\ "x""#, '`'), r#""\ `"x`"""#);
    }
}
