//! Tokens of shell text, one enum for each lexical mode: unquoted, inside of `"..."`, inside of `${...}`.
//!
//! The modes read bytes. Every token starts and ends at an ASCII character or at an end of the text, so no token cuts a
//! character in two.

use logos::Logos;

/// What starts with `$` or `` ` `` and means the same in every mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Substitution {
    /// `$name`, `$1`, `$?`: the whole of it.
    Variable,
    /// `${`.
    Parameter,
    /// `$(`.
    Command,
    /// `$((`, which may turn out to be a command substitution that starts with a subshell.
    Arithmetic,
    /// `$[`.
    OldArithmetic,
    /// `` ` ``.
    Backquote,
}

/// A token outside of quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Logos)]
#[logos(utf8 = false)]
#[logos(subpattern plain = br#"[^ \t\n\r\\'"`$;&|<>()]"#)]
#[logos(subpattern name = br"[A-Za-z_][A-Za-z0-9_]*")]
pub(crate) enum ShellToken {
    /// Characters that stand for themselves.
    #[regex(br#"[^ \t\n\r\\'"`$;&|<>()#](?&plain)*"#)]
    Plain,
    /// The same with a `#` in front: a comment, unless it stands inside of a word.
    #[regex(br"#(?&plain)*")]
    Hash,
    #[regex(br"[ \t]+")]
    Blank,
    #[regex(br"\r*\n")]
    Newline,
    #[regex(br"\r+")]
    CarriageReturn,
    #[regex(br"\\\r*\n")]
    Continuation,
    #[regex(br"\\([\x00-\x09\x0b-\x7f]|[\xc0-\xff][\x80-\xbf]*)")]
    Escape,
    /// A backslash at the end of the text.
    #[token(br"\")]
    Backslash,
    #[regex(br"'[^']*'")]
    SingleQuoted,
    #[regex(br"'[^']*")]
    OpenSingleQuoted,
    #[regex(br"\$'([^'\\]|\\[\x00-\xff])*'")]
    AnsiQuoted,
    #[regex(br"\$'([^'\\]|\\[\x00-\xff])*\\?")]
    OpenAnsiQuoted,
    /// `"` or `$"`.
    #[regex(br#"\$?""#)]
    DoubleQuote,
    #[regex(br"\$(?&name)", |_| Substitution::Variable)]
    #[regex(br"\$[0-9@*#?$!-]", |_| Substitution::Variable)]
    #[token(b"${", |_| Substitution::Parameter)]
    #[token(b"$(", |_| Substitution::Command)]
    #[token(b"$((", |_| Substitution::Arithmetic)]
    #[token(b"$[", |_| Substitution::OldArithmetic)]
    #[token(b"`", |_| Substitution::Backquote)]
    Substitution(Substitution),
    /// A `$` that starts nothing.
    #[token(b"$")]
    Dollar,
    /// `<(` or `>(`.
    #[regex(br"[<>]\(")]
    Process,
    #[token(b"(")]
    LeftParen,
    #[token(b")")]
    RightParen,
    #[token(b"&&")]
    AndAnd,
    #[token(b"||")]
    OrOr,
    #[token(b"|")]
    Pipe,
    #[token(b"|&")]
    PipeAmp,
    #[token(b"&")]
    Amp,
    #[token(b";")]
    Semicolon,
    /// `;;`, `;&` or `;;&`.
    #[regex(br";;&?|;&")]
    CaseEnd,
    #[regex(br"<|<<<|<&|<>|>|>>|>&|>\||&>|&>>")]
    Redirection,
    /// `<<` or `<<-`.
    #[regex(br"<<-?")]
    HereDocument,
    /// The end of the text; never produced by the tokeniser itself.
    End,
}

/// A token inside of double quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Logos)]
#[logos(utf8 = false)]
#[logos(subpattern name = br"[A-Za-z_][A-Za-z0-9_]*")]
pub(crate) enum QuotedToken {
    #[regex(br#"([^"$`\\]|\\[^"$`\\\r\n])+"#)]
    Text,
    #[regex(br#"\\["$`\\]"#)]
    Escape,
    #[regex(br"\\\r*\n")]
    Continuation,
    /// A backslash that protects nothing.
    #[regex(br"\\\r*")]
    Backslash,
    #[token(b"\"")]
    Quote,
    #[regex(br"\$(?&name)", |_| Substitution::Variable)]
    #[regex(br"\$[0-9@*#?$!-]", |_| Substitution::Variable)]
    #[token(b"${", |_| Substitution::Parameter)]
    #[token(b"$(", |_| Substitution::Command)]
    #[token(b"$((", |_| Substitution::Arithmetic)]
    #[token(b"$[", |_| Substitution::OldArithmetic)]
    #[token(b"`", |_| Substitution::Backquote)]
    Substitution(Substitution),
    #[token(b"$")]
    Dollar,
}

/// A token of a word inside of `${...}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Logos)]
#[logos(utf8 = false)]
#[logos(subpattern name = br"[A-Za-z_][A-Za-z0-9_]*")]
pub(crate) enum OperandToken {
    #[regex(br#"[^}/:'"`$\\]+"#)]
    Text,
    #[token(b"}")]
    RightBrace,
    /// Parts the pattern from the replacement.
    #[token(b"/")]
    Slash,
    /// Parts the offset from the length.
    #[token(b":")]
    Colon,
    #[regex(br"\\([\x00-\x09\x0b-\x7f]|[\xc0-\xff][\x80-\xbf]*)")]
    Escape,
    #[regex(br"\\\r*\n")]
    Continuation,
    #[token(br"\")]
    Backslash,
    #[token(b"'")]
    SingleQuote,
    #[token(b"$'")]
    AnsiQuote,
    #[token(b"\"")]
    DoubleQuote,
    #[regex(br"\$(?&name)", |_| Substitution::Variable)]
    #[regex(br"\$[0-9@*#?$!-]", |_| Substitution::Variable)]
    #[token(b"${", |_| Substitution::Parameter)]
    #[token(b"$(", |_| Substitution::Command)]
    #[token(b"$((", |_| Substitution::Arithmetic)]
    #[token(b"$[", |_| Substitution::OldArithmetic)]
    #[token(b"`", |_| Substitution::Backquote)]
    Substitution(Substitution),
    #[token(b"$")]
    Dollar,
}

/// Whether a byte is part of `ShellToken::Plain` wherever it stands in it.
const IS_PLAIN: [bool; 256] = {
    let mut is_plain = [true; 256];
    let special = b" \t\n\r\\'\"`$;&|<>()";
    let mut idx = 0;
    while idx < special.len() {
        is_plain[special[idx] as usize] = false;
        idx += 1;
    }
    is_plain
};

/// Returns the length of the `ShellToken::Plain` at the start, 0 when there is none: what the tokeniser finds, sooner.
#[inline]
pub(crate) fn plain_len(bytes: &[u8]) -> usize {
    if bytes.first() == Some(&b'#') {
        return 0;
    }
    bytes
        .iter()
        .take_while(|byte| IS_PLAIN[usize::from(**byte)])
        .count()
}

impl ShellToken {
    /// Returns whether a word can start with this token.
    pub(crate) fn starts_word(self) -> bool {
        matches!(
            self,
            ShellToken::Plain
                | ShellToken::CarriageReturn
                | ShellToken::Escape
                | ShellToken::Backslash
                | ShellToken::SingleQuoted
                | ShellToken::OpenSingleQuoted
                | ShellToken::AnsiQuoted
                | ShellToken::OpenAnsiQuoted
                | ShellToken::DoubleQuote
                | ShellToken::Substitution(_)
                | ShellToken::Dollar
                | ShellToken::Process
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<(ShellToken, &str)> {
        ShellToken::lexer(text.as_bytes())
            .spanned()
            .map(|(token, span)| (token.expect("every byte is some token"), &text[span]))
            .collect()
    }

    #[test]
    fn plain_text_goes_up_to_the_next_special_character() {
        use ShellToken::{AndAnd, Blank, Hash, Newline, Plain};
        assert_eq!(
            tokens("é{a,b}=#1 #x&&\r\n"),
            [
                (Plain, "é{a,b}=#1"),
                (Blank, " "),
                (Hash, "#x"),
                (AndAnd, "&&"),
                (Newline, "\r\n")
            ]
        );
    }

    #[test]
    fn the_short_cut_finds_what_the_tokeniser_finds() {
        for byte in 0..=255 {
            for bytes in [&[byte, b'a'][..], &[b'a', byte, b'#']] {
                let mut lexer = ShellToken::lexer(bytes);
                let found = match lexer.next() {
                    Some(Ok(ShellToken::Plain)) => lexer.span().end,
                    _ => 0,
                };
                assert_eq!(plain_len(bytes), found, "{bytes:?}");
            }
        }
    }

    #[test]
    fn an_escape_takes_a_whole_character() {
        use ShellToken::{Backslash, Continuation, Escape, Plain};
        assert_eq!(
            tokens("\\éa\\\n\\"),
            [
                (Escape, "\\é"),
                (Plain, "a"),
                (Continuation, "\\\n"),
                (Backslash, "\\")
            ]
        );
    }

    #[test]
    fn a_quote_that_is_not_closed_takes_all_the_rest() {
        use ShellToken::{AnsiQuoted, OpenAnsiQuoted, OpenSingleQuoted, SingleQuoted};
        assert_eq!(
            tokens("'a b''c"),
            [(SingleQuoted, "'a b'"), (OpenSingleQuoted, "'c")]
        );
        assert_eq!(
            tokens("$'a\\'b'$'\\'"),
            [(AnsiQuoted, "$'a\\'b'"), (OpenAnsiQuoted, "$'\\'")]
        );
    }

    #[test]
    fn operators_are_as_long_as_they_can_be() {
        let kinds: Vec<_> = tokens("&>>a;;&<<-b<<<c|&>|")
            .into_iter()
            .filter(|(token, _)| *token != ShellToken::Plain)
            .map(|(_, text)| text)
            .collect();
        assert_eq!(kinds, ["&>>", ";;&", "<<-", "<<<", "|&", ">|"]);
    }
}
