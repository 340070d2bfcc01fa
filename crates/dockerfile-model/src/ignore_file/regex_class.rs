//! Character classes and escapes of Go's regular expressions (regexp/syntax).

use crate::expansion::is_unicode_letter;
use crate::go_match::BadPattern;

/// A set of characters: `[a-z]`, `\d`.
#[derive(Clone, Debug, Default)]
pub(super) struct Class {
    is_negated: bool,
    members: Vec<Member>,
}

#[derive(Clone, Debug)]
enum Member {
    Range(char, char),
    Class(Class),
    UnicodeLetters,
    UnicodeNumbers,
}

impl Class {
    pub(super) fn contains(&self, ch: char) -> bool {
        let is_member = self.members.iter().any(|member| match member {
            Member::Range(low, high) => (*low..=*high).contains(&ch),
            Member::Class(class) => class.contains(ch),
            Member::UnicodeLetters => is_unicode_letter(ch),
            Member::UnicodeNumbers => ch.is_numeric(),
        });
        is_member != self.is_negated
    }

    fn of_ranges(ranges: &[(char, char)], is_negated: bool) -> Class {
        Class {
            is_negated,
            members: ranges
                .iter()
                .map(|(low, high)| Member::Range(*low, *high))
                .collect(),
        }
    }
}

/// Parses a class from behind its `[`.
pub(super) fn parse_class(source: &str) -> Result<(Class, &str), BadPattern> {
    let mut class = Class::default();
    let mut rest = source;
    if let Some(after) = rest.strip_prefix('^') {
        class.is_negated = true;
        rest = after;
    }
    let mut is_first = true;
    loop {
        if let (false, Some(after)) = (is_first, rest.strip_prefix(']')) {
            return Ok((class, after));
        }
        is_first = false;
        if let Some((named, after)) = parse_named_class(rest)? {
            class.members.push(Member::Class(named));
            rest = after;
            continue;
        }
        if let Some(escaped) = rest.strip_prefix('\\')
            && let Some((escaped, after)) = parse_escaped_class(escaped)?
        {
            class.members.push(Member::Class(escaped));
            rest = after;
            continue;
        }
        let (low, after) = parse_class_character(rest)?;
        rest = after;
        let high = match rest.strip_prefix('-') {
            Some(after) if !after.is_empty() && !after.starts_with(']') => {
                let (high, after) = parse_class_character(after)?;
                rest = after;
                high
            }
            _ => low,
        };
        if high < low {
            return Err(BadPattern);
        }
        class.members.push(Member::Range(low, high));
    }
}

fn parse_class_character(source: &str) -> Result<(char, &str), BadPattern> {
    if let Some(escaped) = source.strip_prefix('\\') {
        return parse_escaped_character(escaped);
    }
    let mut characters = source.chars();
    let ch = characters.next().ok_or(BadPattern)?;
    Ok((ch, characters.as_str()))
}

/// Parses `[:alpha:]` inside of a class.
fn parse_named_class(source: &str) -> Result<Option<(Class, &str)>, BadPattern> {
    let Some((name, rest)) = source
        .strip_prefix("[:")
        .and_then(|inside| inside.split_once(":]"))
    else {
        return Ok(None);
    };
    let positive = name.strip_prefix('^');
    let ranges: &[(char, char)] = match positive.unwrap_or(name) {
        "alnum" => &[('0', '9'), ('A', 'Z'), ('a', 'z')],
        "alpha" => &[('A', 'Z'), ('a', 'z')],
        "ascii" => &[('\0', '\u{7f}')],
        "blank" => &[('\t', '\t'), (' ', ' ')],
        "cntrl" => &[('\0', '\u{1f}'), ('\u{7f}', '\u{7f}')],
        "digit" => &[('0', '9')],
        "graph" => &[('!', '~')],
        "lower" => &[('a', 'z')],
        "print" => &[(' ', '~')],
        "punct" => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        "space" => &[('\t', '\r'), (' ', ' ')],
        "upper" => &[('A', 'Z')],
        "word" => &[('0', '9'), ('A', 'Z'), ('a', 'z'), ('_', '_')],
        "xdigit" => &[('0', '9'), ('A', 'F'), ('a', 'f')],
        _ => return Err(BadPattern),
    };
    Ok(Some((Class::of_ranges(ranges, positive.is_some()), rest)))
}

/// Parses `d`, `s`, `w`, `p` or their capitals from behind a `\`; of the Unicode categories only L and N are known.
pub(super) fn parse_escaped_class(source: &str) -> Result<Option<(Class, &str)>, BadPattern> {
    let mut characters = source.chars();
    let Some(letter) = characters.next() else {
        return Ok(None);
    };
    let is_negated = letter.is_ascii_uppercase();
    let ranges: &[(char, char)] = match letter.to_ascii_lowercase() {
        'd' => &[('0', '9')],
        's' => &[('\t', '\n'), ('\u{c}', '\r'), (' ', ' ')],
        'w' => &[('0', '9'), ('A', 'Z'), ('a', 'z'), ('_', '_')],
        'p' => {
            let member = match characters.next() {
                Some('L') => Member::UnicodeLetters,
                Some('N') => Member::UnicodeNumbers,
                _ => return Err(BadPattern),
            };
            let class = Class {
                is_negated,
                members: vec![member],
            };
            return Ok(Some((class, characters.as_str())));
        }
        _ => return Ok(None),
    };
    Ok(Some((
        Class::of_ranges(ranges, is_negated),
        characters.as_str(),
    )))
}

/// Parses one character from behind a `\`.
pub(super) fn parse_escaped_character(source: &str) -> Result<(char, &str), BadPattern> {
    let mut characters = source.chars();
    let ch = characters.next().ok_or(BadPattern)?;
    let rest = characters.as_str();
    let meaning = match ch {
        ch if ch.is_ascii() && !ch.is_ascii_alphanumeric() => ch,
        'a' => '\u{7}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        'x' => return parse_number(rest, 2, 2, 16),
        '0' => return parse_number(source, 1, 3, 8),
        // A single digit would refer to a group.
        '1'..='7' => return parse_number(source, 2, 3, 8),
        _ => return Err(BadPattern),
    };
    Ok((meaning, rest))
}

fn parse_number(
    source: &str,
    least: usize,
    most: usize,
    radix: u32,
) -> Result<(char, &str), BadPattern> {
    let len = source
        .bytes()
        .take(most)
        .take_while(|byte| char::from(*byte).is_digit(radix))
        .count();
    let (digits, rest) = source.split_at_checked(len).ok_or(BadPattern)?;
    let code = u32::from_str_radix(digits, radix).ok();
    code.filter(|_| len >= least)
        .and_then(char::from_u32)
        .map(|ch| (ch, rest))
        .ok_or(BadPattern)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_classes_like_go() {
        for (source, members, others) in [
            ("abc]", "abc", "d]"),
            ("^a]", "b/\n", "a"),
            ("]a]", "]a", "b"),
            ("a-]", "a-", "b"),
            ("a-cx]", "abcx", "d-"),
            (r"\]\d]", "]5", "a\\"),
            ("[:alpha:]5]", "az5", "6:"),
            ("[:^digit:]]", "a", "1"),
            ("[a]", "[a", "]"),
            (r"\W]", "-é", "a_"),
            (r"\pL]", "éa", "1"),
        ] {
            let (class, rest) = parse_class(source).expect(source);
            assert_eq!(rest, "", "{source}");
            for ch in members.chars() {
                assert!(class.contains(ch), "{ch} in {source}");
            }
            for ch in others.chars() {
                assert!(!class.contains(ch), "{ch} not in {source}");
            }
        }
    }
}
