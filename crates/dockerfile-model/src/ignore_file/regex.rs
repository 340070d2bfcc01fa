//! The regular expressions that moby/patternmatcher makes of patterns, in Go's syntax.
//!
//! Only what can come out of that conversion is here: characters, `.`, classes, `*` after one of them, `(.*/)?`, and the
//! assertions and classes that a `\` before a letter means to Go. The expression always spans the whole path. Matching
//! follows all possibilities at once, so that no pattern takes more than linear time in the length of the path.

use crate::go_match::BadPattern;

use super::regex_class::{Class, parse_class, parse_escaped_character, parse_escaped_class};
use super::state_set::StateSet;

/// A compiled expression.
#[derive(Clone, Debug)]
pub(super) struct Regex {
    items: Vec<Item>,
    /// Text that every match starts with.
    prefix: String,
    /// How many items at the end take one character each of every match.
    tail_len: usize,
}

#[derive(Clone, Debug)]
enum Item {
    One(Unit),
    Star(Unit),
    /// The next `n` items may be left out.
    Optional(usize),
    Assertion(Assertion),
}

#[derive(Clone, Debug)]
enum Unit {
    Character(char),
    /// `.`
    AnyButLineFeed,
    /// `[^/]`, which a single star or question mark becomes.
    AnyButSlash,
    Class(Class),
}

#[derive(Clone, Copy, Debug)]
enum Assertion {
    Start,
    End,
    WordBoundary,
    NoWordBoundary,
    Never,
}

impl Regex {
    /// Compiles an expression without the `^` and `$` around it.
    pub(super) fn parse(mut source: &str) -> Result<Regex, BadPattern> {
        let mut items = Vec::new();
        while let Some(first) = source.chars().next() {
            if let Some(rest) = source.strip_prefix("(.*/)?") {
                items.push(Item::Optional(2));
                items.push(Item::Star(Unit::AnyButLineFeed));
                items.push(Item::One(Unit::Character('/')));
                source = rest;
                continue;
            }
            if let Some((assertion, rest)) = parse_assertion(source) {
                items.push(Item::Assertion(assertion));
                source = rest;
                continue;
            }
            let (unit, rest) = parse_unit(first, source)?;
            source = rest;
            match source.strip_prefix('*') {
                // Go refuses to repeat what is repeated.
                Some(rest) if rest.starts_with('*') => return Err(BadPattern),
                Some(rest) => {
                    items.push(Item::Star(unit));
                    source = rest;
                }
                None => items.push(Item::One(unit)),
            }
        }
        let prefix = items.iter().map_while(Item::literal).collect();
        let is_one = |item: &&Item| matches!(item, Item::One(_));
        let trailing = items.iter().rev().take_while(is_one).count();
        // The `/` of `(.*/)?` may be left out.
        let is_after_option = items
            .iter()
            .rev()
            .nth(trailing + 1)
            .is_some_and(|item| matches!(item, Item::Optional(_)));
        Ok(Regex {
            items,
            prefix,
            tail_len: trailing.saturating_sub(usize::from(is_after_option)),
        })
    }

    /// Returns whether the whole text matches.
    pub(super) fn is_match(&self, text: &str) -> bool {
        if !text.starts_with(&self.prefix) || !self.tail_matches(text) {
            return false;
        }
        let mut previous = None;
        let mut states = StateSet::new(self.items.len() + 1);
        let mut next_states = states.clone();
        states.insert(0);
        for ch in text.chars() {
            self.follow_empty_steps(&mut states, previous, Some(ch));
            self.step(&states, ch, &mut next_states);
            if next_states.is_empty() {
                return false;
            }
            std::mem::swap(&mut states, &mut next_states);
            previous = Some(ch);
        }
        self.follow_empty_steps(&mut states, previous, None);
        states.contains(self.items.len())
    }

    /// Compares the end of a text, which is what most paths differ in.
    fn tail_matches(&self, text: &str) -> bool {
        let mut characters = text.chars().rev();
        let mut tail = self.items.iter().rev().take(self.tail_len);
        tail.all(|item| match item {
            Item::One(unit) => characters.next().is_some_and(|ch| unit.matches(ch)),
            _ => false,
        })
    }

    /// Adds the states that can be reached without a character; all such steps lead forward.
    fn follow_empty_steps(
        &self,
        states: &mut StateSet,
        previous: Option<char>,
        next: Option<char>,
    ) {
        let mut from = 0;
        while let Some(idx) = states.next_from(from) {
            match self.items.get(idx) {
                Some(Item::Star(_)) => states.insert(idx + 1),
                Some(Item::Optional(count)) => {
                    states.insert(idx + 1);
                    states.insert(idx + 1 + count);
                }
                Some(Item::Assertion(assertion)) if assertion.holds(previous, next) => {
                    states.insert(idx + 1);
                }
                _ => {}
            }
            from = idx + 1;
        }
    }

    /// Fills in the states that a character leads to.
    fn step(&self, states: &StateSet, ch: char, next_states: &mut StateSet) {
        next_states.clear();
        let mut from = 0;
        while let Some(idx) = states.next_from(from) {
            match self.items.get(idx) {
                Some(Item::One(unit)) if unit.matches(ch) => next_states.insert(idx + 1),
                Some(Item::Star(unit)) if unit.matches(ch) => next_states.insert(idx),
                _ => {}
            }
            from = idx + 1;
        }
    }
}

impl Item {
    fn literal(&self) -> Option<char> {
        match self {
            Item::One(Unit::Character(ch)) => Some(*ch),
            _ => None,
        }
    }
}

impl Unit {
    fn matches(&self, ch: char) -> bool {
        match self {
            Unit::Character(wanted) => *wanted == ch,
            Unit::AnyButLineFeed => ch != '\n',
            Unit::AnyButSlash => ch != '/',
            Unit::Class(class) => class.contains(ch),
        }
    }
}

impl Assertion {
    fn holds(self, previous: Option<char>, next: Option<char>) -> bool {
        let is_word =
            |ch: Option<char>| ch.is_some_and(|ch| ch.is_ascii_alphanumeric() || ch == '_');
        match self {
            Assertion::Start => previous.is_none(),
            Assertion::End => next.is_none(),
            Assertion::WordBoundary => is_word(previous) != is_word(next),
            Assertion::NoWordBoundary => is_word(previous) == is_word(next),
            Assertion::Never => false,
        }
    }
}

fn parse_assertion(source: &str) -> Option<(Assertion, &str)> {
    if let Some(rest) = source.strip_prefix('^') {
        return Some((Assertion::Start, rest));
    }
    let rest = source.strip_prefix('\\')?;
    let mut characters = rest.chars();
    let assertion = match characters.next()? {
        'A' => Assertion::Start,
        'z' => Assertion::End,
        'b' => Assertion::WordBoundary,
        'B' => Assertion::NoWordBoundary,
        // `\Q` makes all that follows literal, also the `$` that ends the expression. No path is like that.
        'Q' => return Some((Assertion::Never, "")),
        _ => return None,
    };
    Some((assertion, characters.as_str()))
}

fn parse_unit(first: char, source: &str) -> Result<(Unit, &str), BadPattern> {
    if let Some(rest) = source.strip_prefix("[^/]") {
        return Ok((Unit::AnyButSlash, rest));
    }
    let rest = source.get(first.len_utf8()..).unwrap_or("");
    match first {
        '.' => Ok((Unit::AnyButLineFeed, rest)),
        '[' => parse_class(rest).map(|(class, rest)| (Unit::Class(class), rest)),
        '\\' => match parse_escaped_class(rest)? {
            Some((class, rest)) => Ok((Unit::Class(class), rest)),
            None => parse_escaped_character(rest).map(|(ch, rest)| (Unit::Character(ch), rest)),
        },
        '*' => Err(BadPattern),
        ch => Ok((Unit::Character(ch), rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(source: &str, text: &str) -> bool {
        Regex::parse(source).expect(source).is_match(text)
    }

    #[test]
    fn matches_what_patterns_become() {
        for (source, text, expected) in [
            ("a[^/]*", "abc", true),
            ("a[^/]*", "ab/c", false),
            ("(.*/)?a", "a", true),
            ("(.*/)?a", "x/y/a", true),
            ("(.*/)?a", "xa", false),
            ("x/(.*/)?a", "x/a", true),
            ("x/(.*/)?", "x/", true),
            ("x/(.*/)?", "x/y/", true),
            ("x/(.*/)?y", "x/", false),
            ("a/.*", "a/b/c", true),
            ("a/.*", "a/", true),
            ("[a-c]]", "b]", true),
            ("é[^/]x", "éöx", true),
            ("a^b", "a^b", false),
            ("^a", "a", true),
            (r"a\bb", "ab", false),
            (r"a\b/", "a/", true),
            (r"a\Bb", "ab", true),
            (r"a\z", "a", true),
            (r"a\Qb", "ab", false),
            (r"\d\.", "4.", true),
            (r"\D", "4", false),
            (r"\101", "A", true),
            (r"\x41", "A", true),
            (r"\t", "\t", true),
            (r"[[^/]*]", "[[^]", true),
            (".*", "a\nb", false),
            ("[^/]*", "a\nb", true),
        ] {
            assert_eq!(matches(source, text), expected, "{source} on {text}");
        }
    }

    #[test]
    fn refuses_what_go_refuses() {
        for source in [
            "[a", "a**", r"\R", r"\é", r"\8", r"\1", r"\xg0", r"\pu", "[b-a]", "[[:no:]]", r"\",
        ] {
            assert!(Regex::parse(source).is_err(), "{source}");
        }
    }

    #[test]
    fn takes_linear_time() {
        let source = "(.*/)?[^/]*a".repeat(20);
        let text = "a/".repeat(5_000);
        assert!(!matches(&source, &text));
    }
}
