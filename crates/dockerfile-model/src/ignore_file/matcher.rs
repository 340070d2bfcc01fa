//! What one pattern matches: Pattern.compile and Pattern.match in moby/patternmatcher.

use crate::go_match::BadPattern;

use super::regex::Regex;

/// How a cleaned pattern is compared with a path.
#[derive(Clone, Debug)]
pub(super) enum Matcher {
    Exact(String),
    Prefix(String),
    /// The text behind a `**` at the start.
    Suffix(String),
    Regex(Box<Regex>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Exact,
    Prefix,
    Suffix,
    Regex,
}

impl Matcher {
    pub(super) fn compile(pattern: &str) -> Result<Matcher, BadPattern> {
        let (kind, expression) = convert(pattern);
        Ok(match kind {
            Kind::Exact => Matcher::Exact(pattern.to_owned()),
            Kind::Prefix => {
                Matcher::Prefix(pattern.strip_suffix("**").unwrap_or(pattern).to_owned())
            }
            Kind::Suffix => {
                Matcher::Suffix(pattern.strip_prefix("**").unwrap_or(pattern).to_owned())
            }
            Kind::Regex => Matcher::Regex(Box::new(Regex::parse(&expression)?)),
        })
    }

    pub(super) fn is_match(&self, path: &str) -> bool {
        match self {
            Matcher::Exact(pattern) => path == pattern,
            Matcher::Prefix(prefix) => path.starts_with(prefix.as_str()),
            // `**/x` takes `x` as well.
            Matcher::Suffix(suffix) => {
                path.ends_with(suffix.as_str()) || suffix.strip_prefix('/') == Some(path)
            }
            Matcher::Regex(regex) => regex.is_match(path),
        }
    }
}

/// Returns the kind of a pattern, and its expression, which means something only for the kind `Regex`.
///
/// The order of the decisions is upstream's, odd results included: `[*]` is no class of a star, and a `\` before a letter
/// is an escape of Go's regular expressions.
fn convert(pattern: &str) -> (Kind, String) {
    let mut kind = Kind::Exact;
    let mut expression = String::with_capacity(pattern.len() + 8);
    // Go's text/scanner drops a byte order mark at the start.
    let mut characters = pattern
        .strip_prefix('\u{feff}')
        .unwrap_or(pattern)
        .chars()
        .peekable();
    let mut is_at_start = true;
    while let Some(ch) = characters.next() {
        match ch {
            '*' if characters.next_if_eq(&'*').is_some() => {
                // `**/` is `**`.
                characters.next_if_eq(&'/');
                if characters.peek().is_some() {
                    expression.push_str("(.*/)?");
                    kind = Kind::Regex;
                } else if kind == Kind::Exact {
                    kind = Kind::Prefix;
                } else {
                    expression.push_str(".*");
                    kind = Kind::Regex;
                }
                if is_at_start {
                    kind = Kind::Suffix;
                }
            }
            '*' => {
                expression.push_str("[^/]*");
                kind = Kind::Regex;
            }
            '?' => {
                expression.push_str("[^/]");
                kind = Kind::Regex;
            }
            '.' | '+' | '(' | ')' | '|' | '{' | '}' | '$' => {
                expression.push('\\');
                expression.push(ch);
            }
            '\\' => {
                expression.push('\\');
                if let Some(escaped) = characters.next() {
                    expression.push(escaped);
                    kind = Kind::Regex;
                }
            }
            '[' | ']' => {
                expression.push(ch);
                kind = Kind::Regex;
            }
            ch => expression.push(ch),
        }
        is_at_start = false;
    }
    (kind, expression)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_like_patternmatcher() {
        for (pattern, path, expected) in [
            ("**", "file", true),
            ("**", "dir/file", true),
            ("**/**", "dir/file", true),
            ("**/file", "file", true),
            ("**/file", "dir/dir/file", true),
            ("**/file", "dirfile", false),
            ("**file", "dirfile", true),
            ("**/dir/*", "a/dir/f", true),
            ("**/dir/*", "a/dir/b/f", false),
            ("**/*.go", "x.go", true),
            ("**/*.go", "a/b/x.go", true),
            ("a/**", "a/b/c", true),
            ("a/**", "a", false),
            ("a**", "abc/d", true),
            ("a/**/b", "a/b", true),
            ("a/**/b", "a/x/y/b", true),
            ("a/**/b", "a/xb", false),
            ("a/**/**/b", "a/b", true),
            ("a**b", "axb", false),
            ("a**b", "ab", true),
            ("a**b", "ax/b", true),
            ("*/b/**", "a/b/c", true),
            ("*/b/**", "a/b", false),
            ("a.b", "axb", false),
            ("a?b", "a/b", false),
            ("*a(b|c)*", "xa(b|c)y", true),
            ("*$", "a$", true),
            ("[a-c].md", "b.md", true),
            ("[^a]b", "/b", true),
            ("[*]", "*", false),
            (r"\*a", "*a", true),
            (r"\*a", "ba", false),
            (r"a\d", "a5", true),
            (r"a\.b*", "a.bc", true),
            ("*^a", "x^a", false),
            ("x^a", "x^a", true),
            ("é*", "éa", true),
            ("a]", "a]", true),
        ] {
            let matcher = Matcher::compile(pattern).expect(pattern);
            assert_eq!(matcher.is_match(path), expected, "{pattern} on {path}");
        }
        for pattern in [r"obj\Release", r"a\é", "[b-a]"] {
            assert!(Matcher::compile(pattern).is_err(), "{pattern}");
        }
    }
}
