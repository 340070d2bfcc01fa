//! `.dockerignore`: which files of the context a build never sees.
//!
//! Reading follows moby/patternmatcher/ignorefile, matching follows moby/patternmatcher (MatchesOrParentMatches and
//! MatchesUsingParentResults), and `can_skip_directory` the walk of tonistiigi/fsutil, which BuildKit sends the context with.

mod clean_path;
mod matcher;
mod regex;
mod regex_class;
mod state_set;

use dockerfile_source::{TextRange, TextSize};
use thiserror::Error;

use crate::go_match::{BadPattern, go_match};

use clean_path::clean_path;
use matcher::Matcher;

/// The patterns of a `.dockerignore` file, in order.
#[derive(Clone, Debug, Default)]
pub struct IgnoreFile {
    patterns: Vec<IgnorePattern>,
    has_exceptions: bool,
    /// Whether no exception has wildcards but for `/*` or `/**` at its end.
    has_plain_exceptions_only: bool,
}

/// One line of a `.dockerignore` file that says something.
#[derive(Clone, Debug)]
pub struct IgnorePattern {
    /// The pattern as it is compared: cleaned, relative, without `!`.
    pub pattern: String,
    /// The line starts with `!`: what matches is kept after all.
    pub is_exception: bool,
    /// 0-based.
    pub line: u32,
    /// The bytes of the line without the blanks around, `!` included.
    pub range: TextRange,
    matcher: Matcher,
}

/// A `.dockerignore` file that no build accepts.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{kind}")]
pub struct IgnoreError {
    pub kind: IgnoreErrorKind,
    /// 0-based.
    pub line: u32,
    /// The bytes of the line without the blanks around.
    pub range: TextRange,
}

/// What is wrong with a line of a `.dockerignore` file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum IgnoreErrorKind {
    #[error("`!` has no pattern after it")]
    EmptyException,
    #[error("the pattern has a syntax error: an unclosed `[`, a broken range or a stray `\\`")]
    BadPattern,
    #[error("the line is longer than 65535 bytes")]
    LineTooLong,
}

/// Which patterns matched a directory or one of its parents; the state of a walk through a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParentMatches {
    // Invariant: empty, or one entry a pattern.
    matched: Vec<bool>,
}

/// The buffer of Go's bufio.Scanner, which has to hold a line and its end.
const LINE_LIMIT: usize = 64 * 1024;

impl IgnoreFile {
    /// Returns the patterns of a file, or what is wrong with the first line that no build accepts.
    pub fn parse(text: &str) -> Result<IgnoreFile, IgnoreError> {
        let mut patterns = Vec::new();
        let mut line_start = 0;
        for (number, line) in text.split('\n').enumerate() {
            let number = number as u32;
            let place = trimmed_range(line, line_start);
            let fail = |kind| IgnoreError {
                kind,
                line: number,
                range: place,
            };
            if line.len() >= LINE_LIMIT {
                return Err(fail(IgnoreErrorKind::LineTooLong));
            }
            line_start += line.len() + 1;
            let line = match number {
                0 => line.strip_prefix('\u{feff}').unwrap_or(line),
                _ => line,
            };
            if let Some((is_exception, pattern)) = read_pattern(line).map_err(fail)? {
                let matcher =
                    Matcher::compile(&pattern).map_err(|_| fail(IgnoreErrorKind::BadPattern))?;
                patterns.push(IgnorePattern {
                    pattern,
                    is_exception,
                    line: number,
                    range: place,
                    matcher,
                });
            }
        }
        let exceptions = || patterns.iter().filter(|pattern| pattern.is_exception);
        Ok(IgnoreFile {
            has_exceptions: exceptions().next().is_some(),
            has_plain_exceptions_only: exceptions().all(|exception| {
                !without_trailing_wildcard(&exception.pattern)
                    .contains(['*', '[', ']', '?', '^', '\\'])
            }),
            patterns,
        })
    }

    pub fn patterns(&self) -> &[IgnorePattern] {
        &self.patterns
    }

    /// Returns whether a file or directory is left out; `path` is relative to the context, with slashes.
    ///
    /// The context itself (`.`) is never left out. A directory that is left out still comes along when something in it
    /// does not.
    pub fn is_ignored(&self, path: &str) -> bool {
        let path = clean_path(path);
        path != "."
            && self
                .matches_with_parents(&path, &ParentMatches::default())
                .0
    }

    /// Returns whether a path is left out, and the state for the paths directly below it.
    ///
    /// `parents` is the state that the directory of `path` returned, or the default for the top of the context or when
    /// that is not known; `path` is clean, relative and has slashes.
    pub fn matches_with_parents(
        &self,
        path: &str,
        parents: &ParentMatches,
    ) -> (bool, ParentMatches) {
        let mut is_ignored = false;
        let mut matched = vec![false; self.patterns.len()];
        for (idx, (pattern, slot)) in self.patterns.iter().zip(&mut matched).enumerate() {
            let parent = parents.matched.get(idx).copied();
            if parent == Some(true) {
                *slot = true;
            } else if pattern.is_exception == is_ignored {
                *slot = pattern.matcher.is_match(path)
                    || (parent.is_none() && pattern.matches_a_parent(path));
            } else {
                // The pattern could not change the outcome, so it is not even tried.
                continue;
            }
            if *slot {
                is_ignored = !pattern.is_exception;
            }
        }
        (is_ignored, ParentMatches { matched })
    }

    /// Returns whether a walk may leave out the inside of a directory that `is_ignored`: no exception can bring back
    /// anything of it.
    pub fn can_skip_directory(&self, path: &str) -> bool {
        if !self.has_exceptions {
            return true;
        }
        self.has_plain_exceptions_only
            && !self
                .patterns
                .iter()
                .filter(|pattern| pattern.is_exception)
                .any(|exception| {
                    is_at_or_below(without_trailing_wildcard(&exception.pattern), path)
                })
    }

    /// Returns whether the whole context is left out, whatever is in it.
    pub fn excludes_everything(&self) -> bool {
        self.everything_pattern().is_some()
    }

    /// Returns the pattern that leaves out all that is in the context, unless a later exception brings something back.
    pub fn everything_pattern(&self) -> Option<&IgnorePattern> {
        self.patterns
            .iter()
            .rev()
            .take_while(|pattern| !pattern.is_exception)
            .find(|pattern| matches!(pattern.pattern.as_str(), "*" | "**" | "**/*" | "**/**"))
    }
}

impl IgnorePattern {
    /// Returns whether the pattern itself takes a path, without its parents and without the other patterns.
    pub fn matches(&self, path: &str) -> bool {
        self.matcher.is_match(path)
    }

    fn matches_a_parent(&self, path: &str) -> bool {
        path.match_indices('/')
            .filter_map(|(at, _)| path.get(..at))
            .any(|parent| self.matcher.is_match(parent))
    }
}

/// Returns what a line says: whether it is an exception, and the cleaned pattern.
fn read_pattern(line: &str) -> Result<Option<(bool, String)>, IgnoreErrorKind> {
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.starts_with('#') {
        return Ok(None);
    }
    let line = line.trim();
    if line.is_empty() {
        return Ok(None);
    }
    let (sign, pattern) = match line.strip_prefix('!') {
        Some(pattern) => ("!", pattern.trim()),
        None => ("", line),
    };
    let pattern = match pattern {
        "" => String::new(),
        pattern => clean_path(pattern),
    };
    let pattern = match pattern.strip_prefix('/') {
        Some(relative) if !relative.is_empty() => relative,
        _ => &pattern,
    };
    // Upstream cleans a second time with the `!` on.
    let cleaned = clean_path(format!("{sign}{pattern}").trim());
    let (is_exception, pattern) = match cleaned.strip_prefix('!') {
        Some("") => return Err(IgnoreErrorKind::EmptyException),
        Some(pattern) => (true, pattern),
        None => (false, cleaned.as_str()),
    };
    match go_match(pattern, ".") {
        Ok(_) => Ok(Some((is_exception, pattern.to_owned()))),
        Err(BadPattern) => Err(IgnoreErrorKind::BadPattern),
    }
}

/// Returns where the text between the blanks of a line stands in the file.
fn trimmed_range(line: &str, line_start: usize) -> TextRange {
    let is_padding = |ch: char| ch.is_whitespace() || ch == '\u{feff}';
    let trimmed_start = line.trim_start_matches(is_padding);
    let start = line_start + line.len() - trimmed_start.len();
    let end = start + trimmed_start.trim_end().len();
    TextRange::new(TextSize::new(start as u32), TextSize::new(end as u32))
}

fn without_trailing_wildcard(pattern: &str) -> &str {
    let pattern = pattern.strip_suffix("/**").unwrap_or(pattern);
    pattern.strip_suffix("/*").unwrap_or(pattern)
}

fn is_at_or_below(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> IgnoreFile {
        IgnoreFile::parse(text).expect(text)
    }

    #[test]
    fn reads_lines_like_ignorefile() {
        let text = "\u{feff}# comment\n/a/\r\n\n  b/../c \n # no comment\n! /d\n!  e\n../f\n/\n";
        let patterns: Vec<_> = file(text)
            .patterns
            .iter()
            .map(|found| {
                let range = usize::from(found.range.start())..usize::from(found.range.end());
                (
                    found.is_exception,
                    found.pattern.clone(),
                    found.line,
                    text[range].to_owned(),
                )
            })
            .collect();
        let expected = [
            (false, "a", 1, "/a/"),
            (false, "c", 3, "b/../c"),
            (false, "# no comment", 4, "# no comment"),
            (true, "d", 5, "! /d"),
            (true, "e", 6, "!  e"),
            (false, "../f", 7, "../f"),
            (false, "/", 8, "/"),
        ];
        let expected = expected.map(|(is_exception, pattern, line, source)| {
            (is_exception, pattern.to_owned(), line, source.to_owned())
        });
        assert_eq!(patterns, expected);
    }

    #[test]
    fn leaves_out_what_patterns_and_parents_match() {
        for (text, path, expected) in [
            ("", "a", false),
            ("a", "a", true),
            ("a", "a/b/c", true),
            ("a", "b/a", false),
            ("a", "ab", false),
            ("*", "a/b", true),
            ("*", ".hidden", true),
            ("*.txt", "d/a.txt", false),
            ("**/*.txt", "d/a.txt", true),
            ("*/b", "a/b/c/d", true),
            ("d\n!d/e", "d/e/f", false),
            ("d\n!d/e", "d/f", true),
            ("!d/e\nd", "d/e", true),
            ("*\n!d\nd/e\n!d/e/keep", "d/e/keep", false),
            ("*\n!d\nd/e\n!d/e/keep", "d/e/x", true),
            ("*\n!d\nd/e\n!d/e/keep", "d/x", false),
            ("!a", "a", false),
            (".", "a", false),
            ("*", ".", false),
            ("a", "./a/", true),
            ("a b", "a b", true),
        ] {
            assert_eq!(file(text).is_ignored(path), expected, "{text:?} on {path}");
        }
    }

    #[test]
    fn walk_agrees_with_single_questions() {
        let texts = [
            "d\n!d/e",
            "*\n!d\nd/e\n!d/e/keep",
            "**/x\n!d/**/x",
            "d/*\n!d/e/*",
            "**\n!**/keep",
        ];
        for text in texts {
            let ignore = file(text);
            let (top, parents) = ignore.matches_with_parents("d", &ParentMatches::default());
            assert_eq!(top, ignore.is_ignored("d"), "{text:?}");
            let (middle, parents) = ignore.matches_with_parents("d/e", &parents);
            assert_eq!(middle, ignore.is_ignored("d/e"), "{text:?}");
            for path in ["d/e/keep", "d/e/x"] {
                let (leaf, _) = ignore.matches_with_parents(path, &parents);
                assert_eq!(leaf, ignore.is_ignored(path), "{text:?} on {path}");
            }
        }
    }

    #[test]
    fn skips_directories_without_exceptions() {
        assert!(file("d").can_skip_directory("d"));
        assert!(file("d\n!e/f").can_skip_directory("d"));
        assert!(!file("d\n!d/e/f").can_skip_directory("d"));
        assert!(!file("d\n!d/e/f").can_skip_directory("d/e"));
        assert!(file("d\n!d/e/f").can_skip_directory("d/x"));
        assert!(!file("d\n!d/e/**").can_skip_directory("d/e"));
        assert!(!file("d\n!**/keep").can_skip_directory("d"));
    }

    #[test]
    fn knows_when_nothing_is_left() {
        for (text, expected) in [
            ("*", true),
            ("**", true),
            ("**/*", true),
            ("a\n/*\nb", true),
            ("!a\n*", true),
            ("*\n!a", false),
            ("a", false),
            (".", false),
            ("", false),
        ] {
            assert_eq!(file(text).excludes_everything(), expected, "{text:?}");
        }
    }

    #[test]
    fn refuses_what_no_build_accepts() {
        for (text, kind, line, source) in [
            ("a\n [b \n", IgnoreErrorKind::BadPattern, 1, "[b"),
            ("!\n", IgnoreErrorKind::EmptyException, 0, "!"),
            ("!/\n", IgnoreErrorKind::EmptyException, 0, "!/"),
            ("a\\", IgnoreErrorKind::BadPattern, 0, "a\\"),
            (
                "bin\\Release",
                IgnoreErrorKind::BadPattern,
                0,
                "bin\\Release",
            ),
        ] {
            let error = IgnoreFile::parse(text).expect_err(text);
            let range = usize::from(error.range.start())..usize::from(error.range.end());
            assert_eq!((error.kind, error.line, &text[range]), (kind, line, source));
        }
        let long = "a".repeat(LINE_LIMIT);
        let error = IgnoreFile::parse(&long).expect_err("a long line");
        assert_eq!(error.kind, IgnoreErrorKind::LineTooLong);
        assert!(IgnoreFile::parse(&format!("{}\n", "a".repeat(LINE_LIMIT - 1))).is_ok());
    }
}
