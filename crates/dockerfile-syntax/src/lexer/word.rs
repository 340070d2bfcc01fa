//! Tokens inside of a Dockerfile word.

use logos::Logos;

/// A piece of a word outside of quotes.
///
/// Which of the two escape characters is one is known at run time only, so both are tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Logos)]
pub(crate) enum WordToken {
    #[regex(r#"[^$'"\\`{}/]+"#)]
    Text,
    #[token("{")]
    LeftBrace,
    #[token("}")]
    RightBrace,
    #[token("/")]
    Slash,
    #[token("\\")]
    Backslash,
    #[token("`")]
    Backtick,
    #[token("'")]
    SingleQuote,
    #[token("\"")]
    DoubleQuote,
    #[token("${")]
    DollarBrace,
    #[token("$")]
    Dollar,
}
