//! Expansion of variables, quotes and escapes in the words of a Dockerfile.
//!
//! Follows BuildKit's frontend/dockerfile/shell/lex.go, its odd corners included, because what it makes of a word is
//! what gets built. Two things differ. An unterminated quote inside `${...}` is reported as such and not as a missing
//! brace. And what would take more than reasonable memory, time or stack is an error.

mod budget;
mod error;
mod name_character;
mod pattern;
mod substitution;
mod word_list;
mod word_scanner;

use std::borrow::Cow;
use std::collections::BTreeMap;

use dockerfile_source::TextRange;

use word_scanner::WordScanner;

pub(crate) use name_character::is_letter as is_unicode_letter;

pub use error::{ExpansionError, ExpansionErrorKind};

/// The values of variables.
pub trait Environment {
    /// Returns the value of a variable, or `None` when it is not set. Names are case-sensitive but on Windows hosts;
    /// an environment that stands for one folds them itself.
    fn get(&self, name: &str) -> Option<&str>;
}

/// The environment in which nothing is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoVariables;

impl Environment for NoVariables {
    fn get(&self, _name: &str) -> Option<&str> {
        None
    }
}

impl Environment for BTreeMap<String, String> {
    fn get(&self, name: &str) -> Option<&str> {
        self.get(name).map(String::as_str)
    }
}

/// What becomes of a variable that is not set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnsetVariables {
    /// It stands for an empty text.
    #[default]
    Empty,
    /// It stays as it is written (BuildKit's `SkipUnsetEnv`). As in BuildKit, the text inside of `${...}` still loses
    /// its quotes, and `${x//a/b}` becomes `${x/a/b}`.
    Keep,
}

/// What becomes of quotes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Quotes {
    /// They do their work and vanish.
    #[default]
    Remove,
    /// They do their work and stay (BuildKit's `RawQuotes`).
    Keep,
    /// They are characters like others, as in heredocs (BuildKit's `SkipProcessQuotes`).
    Ordinary,
}

/// What becomes of the escape character.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Escapes {
    /// It does its work and vanishes.
    #[default]
    Remove,
    /// It does its work and stays (BuildKit's `RawEscapes`).
    Keep,
}

/// Expands words of one Dockerfile in one environment.
#[derive(Clone, Copy)]
pub struct Expander<'e> {
    /// The escape character of the file: `\` or `` ` ``.
    pub escape: char,
    pub environment: &'e dyn Environment,
    pub unset: UnsetVariables,
    pub quotes: Quotes,
    pub escapes: Escapes,
    /// How many bytes an expanded word may be longer than the word itself.
    pub growth_limit: usize,
    /// How many bytes one word may make us copy and compare, on top of a few times its own length.
    pub work_limit: usize,
}

/// How a variable is named in `${name...}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Modifier {
    /// `${name-word}`, or `${name:-word}` that also takes an empty variable as unset.
    Default { or_empty: bool },
    /// `${name+word}` or `${name:+word}`.
    Alternative { or_empty: bool },
    /// `${name?message}` or `${name:?message}`.
    Required { or_empty: bool },
    /// `${name#pattern}` or `${name##pattern}`.
    RemovePrefix,
    /// `${name%pattern}` or `${name%%pattern}`.
    RemoveSuffix,
    /// `${name/pattern/replacement}`.
    ReplaceFirst,
    /// `${name//pattern/replacement}`.
    ReplaceAll,
    /// `${name:...}` with a modifier that is an error as soon as the variable is set or unset variables are not kept.
    Unknown,
}

/// One place where a word names a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariableUse {
    /// The name; may be one of the special parameters `@*#?-$!0`, a number, or empty as in `${-x}`.
    pub name: String,
    /// The bytes of the word from `$` to the end of the name or to `}`.
    pub range: TextRange,
    /// The modifier, if the name stands in braces and is followed by one.
    pub modifier: Option<Modifier>,
    pub is_set: bool,
}

impl VariableUse {
    /// Returns whether the word says itself what to do when the variable is not set.
    pub fn handles_unset(&self) -> bool {
        matches!(
            self.modifier,
            Some(
                Modifier::Default { .. } | Modifier::Alternative { .. } | Modifier::Required { .. }
            )
        )
    }
}

/// An expanded word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expansion<'w> {
    pub value: Cow<'w, str>,
    /// The variables of the word, also those that a default hides, sorted by where they start.
    pub variables: Vec<VariableUse>,
}

/// A text that was expanded and split into words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpandedWords {
    pub words: Vec<String>,
    /// The variables of the text, sorted by where they start.
    pub variables: Vec<VariableUse>,
}

/// What `Expander::work_limit` grants unless it is set.
const DEFAULT_WORK_LIMIT: usize = 64 << 20;

/// Bytes that `Expander::growth_limit` grants unless it is set.
///
/// Linux takes no single argument or variable above 128 KiB, so no image can use more.
const DEFAULT_GROWTH_LIMIT: usize = 1 << 20;

impl<'e> Expander<'e> {
    /// Returns an expander with BuildKit's defaults: unset variables, quotes and escapes vanish.
    pub fn new(escape: char, environment: &'e dyn Environment) -> Expander<'e> {
        Expander {
            escape,
            environment,
            unset: UnsetVariables::default(),
            quotes: Quotes::default(),
            escapes: Escapes::default(),
            growth_limit: DEFAULT_GROWTH_LIMIT,
            work_limit: DEFAULT_WORK_LIMIT,
        }
    }

    /// Expands a word; blanks in it, and in the values put into it, are kept (BuildKit's `ProcessWord`).
    pub fn expand_word<'w>(&self, word: &'w str) -> Result<Expansion<'w>, ExpansionError> {
        self.expand_word_with_work(word).0
    }

    /// Expands a word and says how much of `work_limit` that took, also when it came to nothing.
    pub(crate) fn expand_word_with_work<'w>(
        &self,
        word: &'w str,
    ) -> (Result<Expansion<'w>, ExpansionError>, usize) {
        if !self.has_special_character(word) {
            let expansion = Expansion {
                value: Cow::Borrowed(without_byte_order_mark(word)),
                variables: Vec::new(),
            };
            return (Ok(expansion), 0);
        }
        let mut scanner = WordScanner::new(self, word, false);
        let value = scanner.scan_word();
        let work = scanner.budget.spent();
        let result = value.map(|value| Expansion {
            value: Cow::Owned(value),
            variables: scanner.finish().1,
        });
        (result, work)
    }

    /// Returns the variables of a word whose expansion fails over a value.
    pub(crate) fn uses(&self, word: &str) -> Vec<VariableUse> {
        let unset = Expander {
            environment: &NoVariables,
            unset: UnsetVariables::Keep,
            ..*self
        };
        unset
            .expand_word(word)
            .map_or_else(|_| Vec::new(), |expansion| expansion.variables)
    }

    /// Expands a text and splits the result at blanks that are neither quoted nor escaped (BuildKit's `ProcessWords`).
    pub fn expand_words(&self, text: &str) -> Result<ExpandedWords, ExpansionError> {
        let mut scanner = WordScanner::new(self, text, true);
        scanner.scan_word()?;
        let (words, variables) = scanner.finish();
        Ok(ExpandedWords { words, variables })
    }

    fn has_special_character(&self, word: &str) -> bool {
        let quotes_matter = self.quotes != Quotes::Ordinary;
        let is_special = |byte: u8| byte == b'$' || (quotes_matter && matches!(byte, b'"' | b'\''));
        word.bytes().any(is_special) || word.contains(self.escape)
    }
}

/// Returns a word without its quotes and escapes, and with its variables as they are written.
pub fn unquote(word: &str, escape: char) -> Result<Cow<'_, str>, ExpansionError> {
    let expander = Expander {
        unset: UnsetVariables::Keep,
        ..Expander::new(escape, &NoVariables)
    };
    expander.expand_word(word).map(|expansion| expansion.value)
}

/// Go's text/scanner, through which BuildKit reads a word, drops a byte order mark at the start.
fn without_byte_order_mark(word: &str) -> &str {
    word.strip_prefix('\u{feff}').unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment() -> BTreeMap<String, String> {
        [
            ("X", "abcabc"),
            ("EMPTY", ""),
            ("BLANKS", "a  b"),
            ("PATTERN", "#*b"),
            ("P", "/usr/local/foo.tar.gz"),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
    }

    fn expand(word: &str) -> String {
        let environment = environment();
        match Expander::new('\\', &environment).expand_word(word) {
            Ok(expansion) => expansion.value.into_owned(),
            Err(error) => format!("error: {error}"),
        }
    }

    fn fault(word: &str) -> (ExpansionErrorKind, &str) {
        let environment = environment();
        let error = Expander::new('\\', &environment)
            .expand_word(word)
            .expect_err("a broken word");
        (error.kind, &word[error.range])
    }

    #[test]
    fn borrows_a_word_without_special_characters() {
        let expander = Expander::new('\\', &NoVariables);
        let expansion = expander.expand_word("plain/ümlaut").expect("a plain word");
        assert!(matches!(expansion.value, Cow::Borrowed("plain/ümlaut")));
    }

    #[test]
    fn applies_every_modifier() {
        for (word, value) in [
            ("${X-d}", "abcabc"),
            ("${N-d}", "d"),
            ("${EMPTY-d}", ""),
            ("${EMPTY:-d}", "d"),
            ("${X+y}", "y"),
            ("${EMPTY+y}", "y"),
            ("${EMPTY:+y}", ""),
            ("${X?no}", "abcabc"),
            ("${X#*b}", "cabc"),
            ("${X##*b}", "c"),
            ("${X%b*}", "abca"),
            ("${X%%b*}", "a"),
            ("${P##*/}", "foo.tar.gz"),
            ("${P%%.*}", "/usr/local/foo"),
            ("${X/b/-}", "a-cabc"),
            ("${X//b/-}", "a-ca-c"),
            ("${P//\\//_}", "_usr_local_foo.tar.gz"),
            ("${X/z/-}", "abcabc"),
        ] {
            assert_eq!(expand(word), value, "{word}");
        }
    }

    #[test]
    fn doubled_hash_may_come_from_a_value() {
        // BuildKit looks for the second `#` after it has expanded the pattern.
        assert_eq!(expand("${X#$PATTERN}"), "c");
    }

    #[test]
    fn dollar_in_a_replacement_is_a_group_of_the_match() {
        assert_eq!(expand("${X//b/'<$0>'}"), "a<b>ca<b>c");
        assert_eq!(expand("${X/b/'<$0>'}"), "a<$0>cabc");
    }

    #[test]
    fn double_quotes_in_a_pattern_double_a_useless_escape() {
        assert_eq!(expand(r#"${X#"\q"}"#), "abcabc");
    }

    #[test]
    fn points_at_the_fault() {
        use ExpansionErrorKind as Kind;
        assert_eq!(fault("a'b"), (Kind::UnterminatedSingleQuote, "'"));
        assert_eq!(fault("a\"b"), (Kind::UnterminatedDoubleQuote, "\""));
        assert_eq!(fault("a${X"), (Kind::MissingClosingBrace, "${"));
        assert_eq!(fault("a${X:-${Y}"), (Kind::MissingClosingBrace, "${"));
        assert_eq!(fault("${X:-'a}"), (Kind::UnterminatedSingleQuote, "'"));
        assert_eq!(fault("x${X/b}"), (Kind::MissingSlash, "${"));
        assert_eq!(fault("x${}y"), (Kind::BadSubstitution, "${}"));
        assert_eq!(fault("x${é-"), (Kind::MissingClosingBrace, "${"));
        let unsupported = |modifier: &str| Kind::UnsupportedModifier {
            modifier: modifier.to_owned(),
        };
        assert_eq!(fault("x${X^^}y"), (unsupported("^"), "^"));
        assert_eq!(fault("x${X:=b}y"), (unsupported(":="), ":="));
        assert_eq!(fault("x${X:#b}y"), (unsupported(":#"), ":#"));
        let (kind, text) = fault("x${N:?no}y");
        assert_eq!((kind.to_string().as_str(), text), ("`N`: no", "${N:?no}"));
        let (kind, text) = fault(r"x${X#\a}y");
        assert_eq!(text, r"${X#\a}");
        assert_eq!(
            kind.to_string(),
            r"`\a` is not an escape in the pattern `\a`"
        );
    }

    #[test]
    fn reports_each_variable_with_its_range() {
        let environment = environment();
        let word = r#"a$X"${N:-${EMPTY}}"'$no'\$no${1+z}"#;
        let expansion = Expander::new('\\', &environment)
            .expand_word(word)
            .expect("a valid word");
        assert_eq!(expansion.value, "aabcabc$no$no");
        let uses: Vec<_> = expansion
            .variables
            .iter()
            .map(|found| {
                (
                    found.name.as_str(),
                    &word[found.range],
                    found.is_set,
                    found.handles_unset(),
                )
            })
            .collect();
        assert_eq!(
            uses,
            [
                ("X", "$X", true, false),
                ("N", "${N:-${EMPTY}}", false, true),
                ("EMPTY", "${EMPTY}", true, false),
                ("1", "${1+z}", false, true),
            ]
        );
    }

    #[test]
    fn range_counts_from_before_a_byte_order_mark() {
        let word = "\u{feff}a$X";
        let environment = environment();
        let expansion = Expander::new('\\', &environment)
            .expand_word(word)
            .expect("a valid word");
        assert_eq!(expansion.value, "aabcabc");
        assert_eq!(&word[expansion.variables[0].range], "$X");
    }

    #[test]
    fn splits_at_unquoted_blanks_only() {
        let environment = environment();
        let split = |text: &str| {
            Expander::new('\\', &environment)
                .expand_words(text)
                .expect("a valid text")
                .words
        };
        assert_eq!(
            split(r#"x$BLANKS "$BLANKS" a\ b '' "c d""#),
            ["xa", "b", "a  b", "a b", "c d"]
        );
        assert_eq!(
            split("cat <<  EOF >x <<-\tA"),
            ["cat", "<<  EOF", ">x", "<<-", "A"]
        );
        assert_eq!(split("  "), Vec::<String>::new());
        assert_eq!(split("${BLANKS}x${BLANKS}"), ["a", "bxa", "b"]);
    }

    #[test]
    fn words_lose_what_stands_before_a_modifier() {
        let environment = environment();
        // FIXME: BuildKit shares one buffer between a word and the words inside of its `${...}`, so that `EXPOSE
        // 80${N:-81}` exposes port 81 and not 8081. Kept for as long as BuildKit does it.
        let words = Expander::new('\\', &environment)
            .expand_words("80${N:-81} 90${X+91}2")
            .expect("a valid text")
            .words;
        assert_eq!(words, ["81", "912"]);
        assert_eq!(expand("80${N:-81}"), "8081");
    }

    #[test]
    fn unquote_keeps_variables() {
        for (word, value) in [
            (r#""a b"'c'\d"#, "a bcd"),
            ("$X${Y}", "$X${Y}"),
            ("${Q:-\"a b\"}", "${Q:-a b}"),
            ("${Q//a/b}", "${Q/a/b}"),
            ("${Q:0:2}", "${Q:0:2}"),
            ("${Q:?no}", "${Q:?no}"),
        ] {
            assert_eq!(unquote(word, '\\').as_deref(), Ok(value), "{word}");
        }
        assert_eq!(unquote("c:\\a`$X", '`').as_deref(), Ok("c:\\a$X"));
    }

    #[test]
    fn quotes_and_escapes_can_stay() {
        let environment = environment();
        let raw = Expander {
            quotes: Quotes::Keep,
            escapes: Escapes::Keep,
            ..Expander::new('\\', &environment)
        };
        let value = |expander: &Expander<'_>, word: &str| {
            expander
                .expand_word(word)
                .map(|expansion| expansion.value.into_owned())
        };
        assert_eq!(
            value(&raw, r#"'a$X'"\$X"\b"#).as_deref(),
            Ok(r#"'a$X'"\$X"\b"#)
        );
        let heredoc = Expander {
            quotes: Quotes::Ordinary,
            ..Expander::new('\\', &environment)
        };
        assert_eq!(
            value(&heredoc, r#"it's "$X" \$X"#).as_deref(),
            Ok(r#"it's "abcabc" $X"#)
        );
    }

    #[test]
    fn nesting_has_a_limit() {
        for piece in ["${X:-", "\"${X:-", "${X#", "${X/a/"] {
            let error = Expander::new('\\', &NoVariables)
                .expand_word(&piece.repeat(200_000))
                .expect_err("too deep");
            assert!(matches!(
                error.kind,
                ExpansionErrorKind::NestedTooDeeply { .. }
            ));
        }
        let braces = Expander::new('\\', &NoVariables)
            .expand_word(&"${".repeat(1_000_000))
            .expect_err("`$` is a name, `{` no modifier");
        assert_eq!(
            braces.kind,
            ExpansionErrorKind::UnsupportedModifier {
                modifier: "{".to_owned()
            }
        );
    }

    #[test]
    fn size_has_a_limit() {
        let mut environment = BTreeMap::new();
        environment.insert("A".to_owned(), "a".repeat(1 << 19));
        let expander = Expander::new('\\', &environment);
        for word in ["$A$A$A", "${A//a/$A}", &"${A//*/}".repeat(10_000)] {
            let error = expander.expand_word(word).expect_err("too much");
            assert_eq!(error.kind, ExpansionErrorKind::TooLarge);
        }
        let long = format!("${{A//a/bb}}{}", "x".repeat(1 << 20));
        assert_eq!(
            expander
                .expand_word(&long)
                .map(|expansion| expansion.value.len()),
            Ok(1 << 21)
        );
    }
}
