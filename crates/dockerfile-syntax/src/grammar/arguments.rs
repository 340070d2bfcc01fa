//! The arguments of the instructions that are not shell commands.
//!
//! Each function mirrors one of BuildKit's line parsers (`parser/line_parsers.go`) and the check that follows it
//! (`instructions/parse.go`).

use std::ops::Range;

use super::instruction::InstructionGrammar;
use super::json::{JsonArray, emit_json_array, read_json_array};
use super::word::emit_word;
use crate::SyntaxErrorKind::{Instruction, Parser};
use crate::SyntaxKind::{EQ, ERROR, KEYWORD, PAIR, STAGE_ALIAS, TEXT, WHITESPACE, WORD};
use crate::logical_line::trim_start;

impl InstructionGrammar<'_, '_, '_> {
    /// FROM: an image, and `AS name`.
    pub(super) fn from(&mut self, arguments: Range<usize>) {
        let words: Vec<_> = split_on_blanks(self.text, arguments.clone()).collect();
        let word = |idx: usize| {
            words
                .get(idx)
                .and_then(|range| self.text.get(range.clone()))
        };
        let has_alias = word(1).is_some_and(|word| word.eq_ignore_ascii_case("as"));
        let image = word(0).unwrap_or("").to_owned();
        let alias = word(2).filter(|_| has_alias).map(str::to_owned);
        self.file.shells.from(&image, alias.as_deref());
        self.check_from(&words, has_alias, alias.as_deref());
        if let Some(image) = words.first() {
            self.word(image.clone());
        }
        let Some(second) = words.get(1) else { return };
        self.blanks(second.start);
        let stray = if has_alias {
            self.file.emitter.start_node(STAGE_ALIAS);
            self.file.emitter.token(KEYWORD, second.end);
            if let Some(name) = words.get(2) {
                self.blanks(name.start);
                self.word(name.clone());
            }
            self.file.emitter.finish_node();
            words.get(3)
        } else {
            Some(second)
        };
        if let Some(stray) = stray {
            self.stray(stray.start..arguments.end);
        }
    }

    fn check_from(&mut self, words: &[Range<usize>], has_alias: bool, alias: Option<&str>) {
        let image = |this: &Self| {
            let range = words.first().cloned().unwrap_or(0..0);
            this.text.get(range).unwrap_or("").to_owned()
        };
        match (words, has_alias) {
            ([], _) => self.missing("FROM needs an image"),
            ([_], _) => {}
            ([_, keyword], true) => {
                let help = format!("write `FROM {} AS name`", image(self));
                self.error(
                    Instruction,
                    keyword.clone(),
                    "no stage name follows `AS`".to_owned(),
                    Some(help),
                );
            }
            ([_, _, name], true) => {
                let alias = alias.unwrap_or("");
                if !is_valid_stage_name(alias) {
                    let message = format!("`{alias}` cannot be the name of a stage");
                    let help =
                        "a name starts with a letter; letters, digits, `-`, `_` and `.` may follow";
                    self.error(Instruction, name.clone(), message, Some(help.to_owned()));
                }
            }
            ([_, _, _, stray, ..], true) | ([_, stray, ..], _) => {
                let range = stray.start..words.last().map_or(stray.end, |last| last.end);
                let message = "FROM takes one image and, after `AS`, one stage name".to_owned();
                let help = self.help_with_stray(words, stray, has_alias);
                self.error(Instruction, range, message, Some(help));
            }
        }
    }

    /// Says what a word too many in FROM may have been meant as.
    fn help_with_stray(
        &self,
        words: &[Range<usize>],
        stray: &Range<usize>,
        has_alias: bool,
    ) -> String {
        let text = |range: &Range<usize>| self.text.get(range.clone()).unwrap_or("");
        let image = words.first().map_or("", text);
        let written = text(stray);
        if written.starts_with('#') {
            "a comment takes a line of its own".to_owned()
        } else if written.starts_with("--") {
            format!("write it before the image: `FROM {written} {image}`")
        } else if has_alias {
            "write the name of the stage as one word, such as `my-stage` for `my stage`".to_owned()
        } else if image.ends_with(':') {
            format!("write `{image}{written}`, without the blank")
        } else {
            format!("a name for the stage stands after `AS`: `FROM {image} AS {written}`")
        }
    }

    /// ENV and LABEL: `KEY=VALUE ...`, or the legacy `KEY VALUE`.
    pub(super) fn pairs(&mut self, arguments: Range<usize>) {
        let mut words = split_words(self.text, arguments.clone(), self.file.escape).peekable();
        let Some(first) = words.peek().cloned() else {
            let message = format!("{} needs `name=value`", self.keyword_upper());
            self.missing(&message);
            return;
        };
        if find_equals(self.text, first).is_none() {
            self.legacy_pair(arguments);
            return;
        }
        for word in words {
            self.blanks(word.start);
            if let Some(equals) = find_equals(self.text, word.clone()) {
                if equals == word.start {
                    let message = format!("{} with an empty name", self.keyword_upper());
                    self.error(Instruction, word.clone(), message, None);
                }
                self.pair(word, Some(equals));
            } else {
                let written = self.text.get(word.clone()).unwrap_or("");
                let message = format!("`{written}` has no `=`");
                let help = "write `name=value`, with quotes around a value that holds blanks";
                self.error(Parser, word.clone(), message, Some(help.to_owned()));
                self.stray(word);
            }
        }
    }

    /// `KEY VALUE`: the value is all the rest, blanks included.
    fn legacy_pair(&mut self, arguments: Range<usize>) {
        let text = self.text.get(arguments.clone()).unwrap_or("");
        let key_len = word_len(text);
        let key = arguments.start..arguments.start + key_len;
        let value_start = key_len + blanks_len(text.get(key_len..).unwrap_or(""));
        let value = arguments.start + value_start..arguments.end;
        if key_len == text.len() {
            let message = format!("{} `{text}` has no value", self.keyword_upper());
            let help = format!("write `{} {text}=value`", self.keyword_upper());
            self.error(Parser, key.clone(), message, Some(help));
        }
        self.file.emitter.start_node(PAIR);
        self.word(key);
        if !value.is_empty() {
            self.blanks(value.start);
            self.word(value);
        }
        self.file.emitter.finish_node();
    }

    /// ARG: `NAME` or `NAME=VALUE`, any number.
    pub(super) fn args(&mut self, arguments: Range<usize>) {
        if arguments.is_empty() {
            self.missing("ARG needs a name");
        }
        for word in split_words(self.text, arguments, self.file.escape) {
            self.blanks(word.start);
            let equals = find_equals(self.text, word.clone());
            if equals == Some(word.start) {
                self.error(
                    Instruction,
                    word.clone(),
                    "ARG with an empty name".to_owned(),
                    None,
                );
            }
            self.pair(word, equals);
        }
    }

    fn pair(&mut self, word: Range<usize>, equals: Option<usize>) {
        self.file.emitter.start_node(PAIR);
        let key_end = equals.unwrap_or(word.end);
        self.word(word.start..key_end);
        if equals.is_some() {
            self.file.emitter.token(EQ, key_end + 1);
            self.word(key_end + 1..word.end);
        }
        self.file.emitter.finish_node();
    }

    /// COPY, ADD and VOLUME: a JSON array or words.
    pub(super) fn json_or_words(&mut self, arguments: Range<usize>) -> usize {
        match self.opt_json(arguments.clone()) {
            Some(count) => count,
            None => self.words(arguments),
        }
    }

    /// Words between blanks, with no regard to quotes. Returns how many.
    pub(super) fn words(&mut self, arguments: Range<usize>) -> usize {
        let mut count = 0;
        for word in split_on_blanks(self.text, arguments) {
            self.blanks(word.start);
            self.word(word);
            count += 1;
        }
        count
    }

    /// A single value that takes up the whole line: USER, WORKDIR, STOPSIGNAL and MAINTAINER.
    pub(super) fn value(&mut self, arguments: Range<usize>) {
        if arguments.is_empty() {
            let message = format!("{} needs a value", self.keyword_upper());
            self.missing(&message);
        }
        self.word(arguments);
    }

    /// Adds a JSON array where the arguments are one, and returns how many elements it has.
    pub(super) fn opt_json(&mut self, arguments: Range<usize>) -> Option<usize> {
        if !self.text.get(arguments.clone())?.starts_with('[') {
            return None;
        }
        let elements = match read_json_array(self.text, arguments.clone())? {
            JsonArray::Strings(elements) => elements,
            JsonArray::NotStrings(elements, wrong) => {
                let written = self.text.get(wrong.clone()).unwrap_or("");
                let message = format!("`{written}` in a JSON array that takes strings only");
                let help = format!("write `\"{}\"`", written.replace(['"', '\\'], ""));
                self.error(Parser, wrong, message, Some(help));
                elements
            }
        };
        emit_json_array(&mut self.file.emitter, self.text, &elements, arguments.end);
        Some(elements.len())
    }

    pub(super) fn word(&mut self, range: Range<usize>) {
        emit_word(
            &mut self.file.emitter,
            self.text,
            range.end,
            self.file.escape,
        );
    }

    pub(super) fn blanks(&mut self, end: usize) {
        self.file.emitter.token(WHITESPACE, end);
    }

    /// Puts what does not belong here into an error node.
    pub(super) fn stray(&mut self, range: Range<usize>) {
        self.blanks(range.start);
        self.file.emitter.start_node(ERROR);
        self.file.emitter.one_token_node(WORD, TEXT, range.end);
        self.file.emitter.finish_node();
    }
}

/// Returns whether a name fits BuildKit's `^[a-z][a-z0-9-_.]*$`, after lower-casing.
fn is_valid_stage_name(name: &str) -> bool {
    let name = name.to_lowercase();
    name.starts_with(|character: char| character.is_ascii_lowercase())
        && name.chars().all(|character| {
            character.is_ascii_lowercase()
                || character.is_ascii_digit()
                || "-_.".contains(character)
        })
}

/// Returns whether a byte parts words where quotes do not count: BuildKit's `[\t\v\f\r ]+`.
pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b'\t' | 0xb | 0xc | b'\r' | b' ')
}

/// Returns how many blanks stand at the start.
pub(super) fn blanks_len(text: &str) -> usize {
    text.bytes().take_while(|byte| is_blank(*byte)).count()
}

/// Returns how much stands in front of the first blank.
pub(super) fn word_len(text: &str) -> usize {
    text.bytes().take_while(|byte| !is_blank(*byte)).count()
}

fn find_equals(text: &str, word: Range<usize>) -> Option<usize> {
    let at = memchr::memchr(b'=', text.as_bytes().get(word.clone())?)?;
    Some(word.start + at)
}

/// Returns the words between blanks.
pub(super) fn split_on_blanks(
    text: &str,
    range: Range<usize>,
) -> impl Iterator<Item = Range<usize>> {
    let Range { start, end } = range;
    let mut position = start;
    std::iter::from_fn(move || {
        let start = position + blanks_len(text.get(position..end)?);
        position = start + word_len(text.get(start..end)?);
        (start < position).then_some(start..position)
    })
}

/// Returns the words between blanks outside of quotes, as BuildKit's `parseWords` does.
fn split_words(
    text: &str,
    range: Range<usize>,
    escape: char,
) -> impl Iterator<Item = Range<usize>> {
    let Range { start, end } = range;
    let mut position = start;
    std::iter::from_fn(move || {
        let rest = text.get(position..end)?;
        let start = position + rest.len() - trim_start(rest).len();
        position = start + quoted_word_len(text.get(start..end)?, escape);
        (start < position).then_some(start..position)
    })
}

/// Returns how much stands in front of the first white space outside of quotes.
fn quoted_word_len(text: &str, escape: char) -> usize {
    let is_plain =
        |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'\'' | b'"' | b'\\' | b'`');
    let mut quote = None;
    let mut at = 0;
    loop {
        let rest = text.get(at..).unwrap_or("");
        let plain = rest.bytes().take_while(is_plain).count();
        at += plain;
        let mut characters = rest.get(plain..).unwrap_or("").chars();
        let Some(character) = characters.next() else {
            return at;
        };
        if quote.is_none() && character.is_whitespace() {
            return at;
        }
        at += character.len_utf8();
        if quote == Some(character) {
            quote = None;
        } else if character == escape && quote != Some('\'') {
            at += characters.next().map_or(0, char::len_utf8);
        } else if quote.is_none() && matches!(character, '\'' | '"') {
            quote = Some(character);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        split_words(text, 0..text.len(), '\\')
            .filter_map(|range| text.get(range))
            .collect()
    }

    #[test]
    fn quotes_and_escapes_hold_words_together() {
        assert_eq!(
            words(r#"A=b\ c D="e\" f" G='h\' i"#),
            [r"A=b\ c", r#"D="e\" f""#, r"G='h\'", "i"]
        );
        assert_eq!(words("  a\tb\u{a0}c "), ["a", "b", "c"]);
        assert_eq!(words("A=\"x y"), ["A=\"x y"]);
    }

    #[test]
    fn blanks_part_words_whatever_the_quotes() {
        let text = "\"a b\"  c";
        let words: Vec<_> = split_on_blanks(text, 0..text.len()).collect();
        assert_eq!(words, [0..2, 3..5, 7..8]);
    }
}
