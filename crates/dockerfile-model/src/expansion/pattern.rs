//! The patterns of `${name#pattern}`, `${name%pattern}` and `${name/pattern/replacement}`.
//!
//! BuildKit turns them into Go regular expressions (frontend/dockerfile/shell/lex.go, convertShellPatternToRegex): `*`
//! becomes `.*` or `.*?`, `?` becomes `.`, and `.` matches no line feed. For a sequence of literals, `.` and stars,
//! leftmost-first matching with greedy stars ends at the furthest possible place and with lazy stars at the nearest,
//! so no regular expression engine is needed: the parts between the stars are placed one after the other.

use super::budget::{Budget, Exhausted};
use super::name_character::{is_digit, is_letter};

/// A parsed pattern: the parts between the stars, in order.
#[derive(Debug)]
pub(super) struct Pattern {
    first: Part,
    rest: Vec<Part>,
}

/// A text without stars.
#[derive(Debug)]
enum Part {
    Literal(String),
    /// `None` stands for any one character but a line feed.
    Mixed(Vec<Option<char>>),
}

/// Which end of a match is wanted when several are possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    Shortest,
    Longest,
}

/// A `\` before a character that needs no escape; `None` at the end of the pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct InvalidEscape(pub(super) Option<char>);

impl Pattern {
    pub(super) fn parse(pattern: &str) -> Result<Pattern, InvalidEscape> {
        let mut parts = vec![Vec::new()];
        // Go's text/scanner drops a byte order mark at the start.
        let pattern = pattern.strip_prefix('\u{feff}').unwrap_or(pattern);
        let mut characters = pattern.chars().peekable();
        while let Some(ch) = characters.next() {
            let item = match ch {
                '*' => {
                    parts.push(Vec::new());
                    continue;
                }
                '?' => None,
                '\\' => match characters.peek() {
                    // `\/` and `\}` are escapes of `${}` itself, so the backslash just goes.
                    Some('}' | '/') => continue,
                    Some('*' | '?' | '\\') => characters.next(),
                    other => return Err(InvalidEscape(other.copied())),
                },
                ch => Some(ch),
            };
            if let Some(part) = parts.last_mut() {
                part.push(item);
            }
        }
        let mut parts = parts.into_iter().map(Part::new);
        let first = parts.next().unwrap_or(Part::Literal(String::new()));
        Ok(Pattern {
            first,
            rest: parts.collect(),
        })
    }

    /// Returns the end of the prefix of `value` that matches.
    pub(super) fn match_prefix(
        &self,
        value: &str,
        length: Length,
        budget: &mut Budget,
    ) -> Result<Option<usize>, Exhausted> {
        match self.first.match_at(value, 0, budget)? {
            Some(end) => self.match_rest(value, end, length, budget),
            None => Ok(None),
        }
    }

    /// Returns start and end of the first match at or after `from`, the longest one there.
    pub(super) fn find(
        &self,
        value: &str,
        mut from: usize,
        budget: &mut Budget,
    ) -> Result<Option<(usize, usize)>, Exhausted> {
        while let Some((start, end)) = self.first.find(value, from, value.len(), budget)? {
            if let Some(end) = self.match_rest(value, end, Length::Longest, budget)? {
                return Ok(Some((start, end)));
            }
            // The rest is nowhere in what the first star can reach. Later starts on the same line reach less.
            from = if self.first.holds_line_feed() {
                start + character_len(value, start)
            } else {
                line_end(value, end) + 1
            };
            if from > value.len() {
                return Ok(None);
            }
        }
        Ok(None)
    }

    /// Returns the end of the match whose first part ends at `position`.
    fn match_rest(
        &self,
        value: &str,
        mut position: usize,
        length: Length,
        budget: &mut Budget,
    ) -> Result<Option<usize>, Exhausted> {
        let Some((last, middle)) = self.rest.split_last() else {
            return Ok(Some(position));
        };
        // The nearest place for a part leaves the most room for those after it.
        for part in middle {
            match part.find(value, position, line_end(value, position), budget)? {
                Some((_, end)) => position = end,
                None => return Ok(None),
            }
        }
        let reach = line_end(value, position);
        let found = match length {
            Length::Shortest => last.find(value, position, reach, budget)?,
            Length::Longest => last.find_last(value, position, reach, budget)?,
        };
        Ok(found.map(|(_, end)| end))
    }
}

impl Part {
    fn new(items: Vec<Option<char>>) -> Part {
        match items.iter().copied().collect::<Option<String>>() {
            Some(literal) => Part::Literal(literal),
            None => Part::Mixed(items),
        }
    }

    fn holds_line_feed(&self) -> bool {
        match self {
            Part::Literal(literal) => literal.contains('\n'),
            Part::Mixed(items) => items.contains(&Some('\n')),
        }
    }

    /// Returns the end of the part when it matches at `start`.
    fn match_at(
        &self,
        value: &str,
        start: usize,
        budget: &mut Budget,
    ) -> Result<Option<usize>, Exhausted> {
        let Some(rest) = value.get(start..) else {
            return Ok(None);
        };
        match self {
            Part::Literal(literal) => {
                budget.spend(literal.len())?;
                Ok(rest
                    .starts_with(literal.as_str())
                    .then_some(start + literal.len()))
            }
            Part::Mixed(items) => {
                let mut characters = rest.char_indices();
                let mut compared = 0;
                let matches = items.iter().all(|item| {
                    compared += 1;
                    characters.next().is_some_and(|(_, ch)| match item {
                        Some(wanted) => *wanted == ch,
                        None => ch != '\n',
                    })
                });
                budget.spend(compared)?;
                Ok(matches.then(|| value.len() - characters.as_str().len()))
            }
        }
    }

    /// Returns the first place of the part that starts in `from..=reach`.
    fn find(
        &self,
        value: &str,
        from: usize,
        reach: usize,
        budget: &mut Budget,
    ) -> Result<Option<(usize, usize)>, Exhausted> {
        match self {
            Part::Literal(literal) => {
                let window = window(value, from, reach, literal.len());
                let found = window.find(literal.as_str());
                budget.spend(found.unwrap_or(window.len()))?;
                Ok(found.map(|at| (from + at, from + at + literal.len())))
            }
            Part::Mixed(_) => {
                for start in starts(value, from, reach) {
                    if let Some(end) = self.match_at(value, start, budget)? {
                        return Ok(Some((start, end)));
                    }
                }
                Ok(None)
            }
        }
    }

    /// Returns the last place of the part that starts in `from..=reach`.
    fn find_last(
        &self,
        value: &str,
        from: usize,
        reach: usize,
        budget: &mut Budget,
    ) -> Result<Option<(usize, usize)>, Exhausted> {
        match self {
            Part::Literal(literal) => {
                let window = window(value, from, reach, literal.len());
                let found = window.rfind(literal.as_str());
                budget.spend(window.len() - found.unwrap_or(0))?;
                Ok(found.map(|at| (from + at, from + at + literal.len())))
            }
            Part::Mixed(_) => {
                for start in starts(value, from, reach).rev() {
                    if let Some(end) = self.match_at(value, start, budget)? {
                        return Ok(Some((start, end)));
                    }
                }
                Ok(None)
            }
        }
    }
}

/// Returns the text in which a literal lies that starts in `from..=reach`.
fn window(value: &str, from: usize, reach: usize, literal_len: usize) -> &str {
    let mut end = reach.saturating_add(literal_len).min(value.len());
    // A literal cannot end inside a character.
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    value.get(from..end).unwrap_or("")
}

/// Returns the character boundaries in `from..=reach`.
fn starts(value: &str, from: usize, reach: usize) -> impl DoubleEndedIterator<Item = usize> {
    let text = value.get(from..reach).unwrap_or("");
    text.char_indices()
        .map(move |(at, _)| from + at)
        .chain(std::iter::once(reach))
}

/// Returns where the line that holds `from` ends: as far as a star can reach.
fn line_end(value: &str, from: usize) -> usize {
    value
        .get(from..)
        .and_then(|rest| rest.find('\n'))
        .map_or(value.len(), |at| from + at)
}

fn character_len(value: &str, at: usize) -> usize {
    value
        .get(at..)
        .and_then(|rest| rest.chars().next())
        .map_or(1, char::len_utf8)
}

/// Returns `value` with every match replaced, as Go's `Regexp.ReplaceAllString` does it.
pub(super) fn replace_all(
    pattern: &Pattern,
    value: &str,
    template: &str,
    budget: &mut Budget,
) -> Result<String, Exhausted> {
    let mut result = String::new();
    let mut copied = 0;
    let mut position = 0;
    while position <= value.len() {
        let Some((start, end)) = pattern.find(value, position, budget)? else {
            break;
        };
        result.push_str(value.get(copied..start).unwrap_or(""));
        // An empty match right after another match is not replaced.
        if end > copied || start == 0 {
            let before = result.len();
            expand_template(template, value.get(start..end).unwrap_or(""), &mut result);
            budget.spend(result.len() - before)?;
        }
        copied = end;
        position = end.max(position + character_len(value, position));
    }
    result.push_str(value.get(copied..).unwrap_or(""));
    Ok(result)
}

/// Adds a replacement text in which `$0` stands for the match, as Go's `Regexp.Expand` reads it: the other `$name`s
/// are groups that a shell pattern never has, and vanish.
fn expand_template(template: &str, matched: &str, result: &mut String) {
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        result.push_str(before);
        rest = after;
        if let Some(after) = rest.strip_prefix('$') {
            result.push('$');
            rest = after;
        } else if let Some((name, after)) = group_name(rest) {
            if name == "0" {
                result.push_str(matched);
            }
            rest = after;
        } else {
            result.push('$');
        }
    }
    result.push_str(rest);
}

/// Splits `name` or `{name}` off a text.
fn group_name(text: &str) -> Option<(&str, &str)> {
    let braced = text.strip_prefix('{');
    let start = braced.unwrap_or(text);
    let end = start
        .find(|ch| !(is_letter(ch) || is_digit(ch) || ch == '_'))
        .unwrap_or(start.len());
    let (name, rest) = start.split_at_checked(end)?;
    if name.is_empty() {
        return None;
    }
    match braced {
        Some(_) => rest.strip_prefix('}').map(|rest| (name, rest)),
        None => Some((name, rest)),
    }
}

/// Returns a pattern that matches the reversed texts of what `pattern` matches.
pub(super) fn reverse_pattern(pattern: &str) -> String {
    let mut pieces = Vec::new();
    let mut characters = pattern.char_indices();
    while let Some((start, ch)) = characters.next() {
        if ch == '\\' {
            characters.next();
        }
        let end = pattern.len() - characters.as_str().len();
        pieces.push(pattern.get(start..end).unwrap_or(""));
    }
    pieces.into_iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(pattern: &str, value: &str, template: &str) -> String {
        let pattern = Pattern::parse(pattern).expect("a valid pattern");
        replace_all(&pattern, value, template, &mut Budget::new(1_000_000)).expect("enough budget")
    }

    fn prefix(pattern: &str, value: &str, length: Length) -> Option<usize> {
        let pattern = Pattern::parse(pattern).expect("a valid pattern");
        pattern
            .match_prefix(value, length, &mut Budget::new(1_000_000))
            .expect("enough budget")
    }

    #[test]
    fn matches_shortest_and_longest_prefix() {
        for (pattern, value, shortest, longest) in [
            ("*/", "/usr/local/x", Some(1), Some(11)),
            ("*", "abc", Some(0), Some(3)),
            ("a*b", "axbxb", Some(3), Some(5)),
            ("a*b*", "axbxb", Some(3), Some(5)),
            ("*a*b", "abab", Some(2), Some(4)),
            ("a?", "abc", Some(2), Some(2)),
            ("*?c", "abcbc", Some(3), Some(5)),
            ("b", "abc", None, None),
            ("*z", "abc", None, None),
            ("", "abc", Some(0), Some(0)),
            ("?", "", None, None),
            ("*é", "aéé", Some(3), Some(5)),
        ] {
            assert_eq!(
                prefix(pattern, value, Length::Shortest),
                shortest,
                "{pattern} on {value}"
            );
            assert_eq!(
                prefix(pattern, value, Length::Longest),
                longest,
                "{pattern} on {value}"
            );
        }
    }

    #[test]
    fn wildcards_stop_at_a_line_feed() {
        assert_eq!(prefix("*b", "a\nb", Length::Longest), None);
        assert_eq!(prefix("*\n*b", "a\nxb", Length::Longest), Some(4));
        assert_eq!(prefix("?", "\n", Length::Longest), None);
        assert_eq!(replaced("*", "ab\ncd", "_"), "_\n_");
        assert_eq!(replaced("a*b", "a\nab", "_"), "a\n_");
    }

    #[test]
    fn replaces_like_go_regular_expressions() {
        for (pattern, value, template, expected) in [
            ("b", "abcabc", "Z", "aZcaZc"),
            ("", "ab", "_", "_a_b_"),
            ("", "é", "_", "_é_"),
            ("*", "ab", "_", "_"),
            ("*", "", "_", "_"),
            ("a*", "xaab", "_", "x_"),
            ("a*c", "abcabc", "_", "_"),
            ("a?", "abac", "<$0>", "<ab><ac>"),
            ("b", "abc", "$$", "a$c"),
            ("b", "abc", "[$1]", "a[]c"),
            ("b", "abc", "${0}0", "ab0c"),
            ("b", "abc", "${name", "a${namec"),
            ("b", "abc", "$-", "a$-c"),
            ("b", "abc", "$00", "ac"),
            ("x", "abc", "y", "abc"),
        ] {
            assert_eq!(
                replaced(pattern, value, template),
                expected,
                "{pattern} on {value}"
            );
        }
    }

    #[test]
    fn escapes_only_what_has_a_meaning() {
        assert_eq!(replaced(r"\*", "a*b", "_"), "a_b");
        assert_eq!(replaced(r"\/", "a/b", "_"), "a_b");
        assert_eq!(replaced(r"[.]", "a[.]b", "_"), "a_b");
        assert_eq!(Pattern::parse(r"\a").err(), Some(InvalidEscape(Some('a'))));
        assert_eq!(Pattern::parse(r"a\").err(), Some(InvalidEscape(None)));
    }

    #[test]
    fn reverses_without_tearing_escapes() {
        assert_eq!(reverse_pattern(r"a\*c"), r"c\*a");
        assert_eq!(reverse_pattern(r"\\\ab"), r"b\a\\");
        assert_eq!(reverse_pattern(r"ab\"), r"\ba");
        assert_eq!(reverse_pattern(r"é\🚀x"), r"x\🚀é");
    }

    #[test]
    fn gives_up_on_hostile_patterns() {
        let pattern = Pattern::parse(&format!("{}z", "?".repeat(10_000))).expect("a valid pattern");
        let value = "a".repeat(100_000);
        assert_eq!(
            pattern.find(&value, 0, &mut Budget::new(10_000_000)),
            Err(Exhausted)
        );
    }

    #[test]
    fn long_values_cost_linear_work() {
        let value = "ab".repeat(500_000);
        let pattern = Pattern::parse("a").expect("a valid pattern");
        let mut budget = Budget::new(4 * value.len());
        let result = replace_all(&pattern, &value, "b", &mut budget).expect("linear work");
        assert_eq!(result, "bb".repeat(500_000));
        let pattern = Pattern::parse("a*z").expect("a valid pattern");
        let mut budget = Budget::new(4 * value.len());
        assert_eq!(pattern.find(&value, 0, &mut budget), Ok(None));
    }
}
