//! Why a word cannot be expanded.

use dockerfile_source::TextRange;
use thiserror::Error;

/// A word that cannot be expanded, and the part of it that is at fault.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{kind}")]
pub struct ExpansionError {
    pub kind: ExpansionErrorKind,
    /// Bytes of the word, as small as the fault.
    pub range: TextRange,
}

/// What is wrong with a word.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ExpansionErrorKind {
    #[error("the single quote is never closed")]
    UnterminatedSingleQuote,
    #[error("the double quote is never closed")]
    UnterminatedDoubleQuote,
    #[error("`${{` is never closed by `}}`")]
    MissingClosingBrace,
    #[error("the pattern of `${{name/pattern/replacement}}` is never closed by `/`")]
    MissingSlash,
    #[error("`${{` is not followed by a variable name")]
    BadSubstitution,
    #[error("`{modifier}` is not a modifier that a Dockerfile knows")]
    UnsupportedModifier { modifier: String },
    /// `${name?message}` or `${name:?message}` where the variable is missing.
    #[error("{}", required_message(name, message, *is_set))]
    RequiredVariable {
        name: String,
        message: String,
        /// The variable is set, but empty, and `:?` does not take that.
        is_set: bool,
    },
    /// In a pattern, `\` stands before `*`, `?`, `\`, `/` or `}` only.
    #[error("`\\{}` is not an escape in the pattern `{pattern}`", escaped.map(String::from).unwrap_or_default())]
    InvalidPattern {
        pattern: String,
        /// The character after `\`, or `None` when the pattern ends there.
        escaped: Option<char>,
    },
    #[error("variables are nested more than {limit} levels deep")]
    NestedTooDeeply { limit: usize },
    #[error("the expansion is too large")]
    TooLarge,
}

impl ExpansionErrorKind {
    /// Returns whether the word is at fault whatever the values of its variables are.
    pub fn is_syntax_error(&self) -> bool {
        !matches!(
            self,
            ExpansionErrorKind::RequiredVariable { .. }
                | ExpansionErrorKind::InvalidPattern { .. }
                | ExpansionErrorKind::TooLarge
        )
    }

    /// Returns whether the word ended too early.
    pub(super) fn is_unterminated(&self) -> bool {
        matches!(
            self,
            ExpansionErrorKind::UnterminatedSingleQuote
                | ExpansionErrorKind::UnterminatedDoubleQuote
                | ExpansionErrorKind::MissingClosingBrace
                | ExpansionErrorKind::MissingSlash
        )
    }
}

fn required_message(name: &str, message: &str, is_set: bool) -> String {
    if !message.is_empty() {
        format!("`{name}`: {message}")
    } else if is_set {
        format!("`{name}` is required, but it is empty")
    } else {
        format!("`{name}` is required, but it is not set")
    }
}
