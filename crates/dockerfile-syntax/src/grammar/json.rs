//! The JSON form of arguments: `["program", "argument"]`.
//!
//! BuildKit hands all of the arguments to Go's `encoding/json` (`parser/line_parsers.go`, `parseJSON`): text that is
//! not JSON to the last character falls back to the shell form without a word; JSON with something else than strings
//! in it is an error.

use std::ops::Range;

use crate::SyntaxKind::{COMMA, JSON_ARRAY, JSON_STRING, L_BRACKET, OPAQUE, R_BRACKET, WHITESPACE};
use crate::emitter::Emitter;

/// The elements of a JSON array of strings, or why it is none.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum JsonArray {
    /// Valid: the range of each string, its quotes included.
    Strings(Vec<Range<usize>>),
    /// Valid JSON, but the element at the range is no string.
    NotStrings(Vec<Range<usize>>, Range<usize>),
}

/// Reads `text[range]` as a JSON array, or returns `None` when it is not valid JSON.
pub(crate) fn read_json_array(text: &str, range: Range<usize>) -> Option<JsonArray> {
    let mut reader = Reader {
        bytes: text.as_bytes().get(..range.end)?,
        position: range.start,
    };
    let mut elements = Vec::new();
    let mut wrong = None;
    reader.expect(b'[')?;
    reader.blanks();
    if !reader.eat(b']') {
        loop {
            reader.blanks();
            let start = reader.position;
            let is_string = reader.peek() == Some(b'"');
            reader.value()?;
            elements.push(start..reader.position);
            if !is_string && wrong.is_none() {
                wrong = Some(start..reader.position);
            }
            reader.blanks();
            if reader.eat(b']') {
                break;
            }
            reader.expect(b',')?;
        }
    }
    reader.blanks();
    if reader.position != range.end {
        return None;
    }
    Some(match wrong {
        None => JsonArray::Strings(elements),
        Some(wrong) => JsonArray::NotStrings(elements, wrong),
    })
}

/// Adds a JSON array that `read_json_array` has read.
pub(super) fn emit_json_array(
    emitter: &mut Emitter<'_>,
    text: &str,
    elements: &[Range<usize>],
    end: usize,
) {
    emitter.start_node(JSON_ARRAY);
    emitter.token(L_BRACKET, emitter.position() + 1);
    for element in elements {
        punctuation(emitter, text, element.start);
        let is_string = text.as_bytes().get(element.start) == Some(&b'"');
        emitter.token(if is_string { JSON_STRING } else { OPAQUE }, element.end);
    }
    punctuation(emitter, text, end);
    emitter.finish_node();
}

/// Adds blanks, commas and the closing bracket up to `end`.
fn punctuation(emitter: &mut Emitter<'_>, text: &str, end: usize) {
    while emitter.position() < end {
        let position = emitter.position();
        match text.as_bytes().get(position) {
            Some(b',') => emitter.token(COMMA, position + 1),
            Some(b']') => emitter.token(R_BRACKET, position + 1),
            _ => {
                let rest = text.get(position..end).unwrap_or("");
                let len = rest.find([',', ']']).unwrap_or(rest.len());
                emitter.token(WHITESPACE, position + len);
            }
        }
    }
}

/// Returns the value of a JSON string, given with its quotes. A lone surrogate becomes U+FFFD, as in Go.
pub fn decode_json_string(quoted: &str) -> String {
    let inner = quoted
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or(quoted);
    if !inner.contains('\\') {
        return inner.to_owned();
    }
    let mut value = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        value.push_str(rest.get(..at).unwrap_or(""));
        let escape = rest.get(at + 1..).unwrap_or("");
        let (character, len) = decode_escape(escape);
        value.push(character);
        rest = escape.get(len..).unwrap_or("");
    }
    value.push_str(rest);
    value
}

/// Returns the character that an escape stands for, and how many bytes it takes behind the backslash.
fn decode_escape(escape: &str) -> (char, usize) {
    match escape.as_bytes().first() {
        Some(b'b') => ('\u{8}', 1),
        Some(b'f') => ('\u{c}', 1),
        Some(b'n') => ('\n', 1),
        Some(b'r') => ('\r', 1),
        Some(b't') => ('\t', 1),
        Some(b'u') => decode_unicode_escape(escape),
        Some(&byte) => (char::from(byte), 1),
        None => ('\\', 0),
    }
}

fn decode_unicode_escape(escape: &str) -> (char, usize) {
    let unit = |at: usize| -> Option<u32> { u32::from_str_radix(escape.get(at..at + 4)?, 16).ok() };
    let Some(first) = unit(1) else {
        return ('\u{fffd}', 1);
    };
    if (0xd800..0xdc00).contains(&first)
        && escape.get(5..7) == Some("\\u")
        && let Some(second) = unit(7).filter(|second| (0xdc00..0xe000).contains(second))
    {
        let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return (char::from_u32(code).unwrap_or('\u{fffd}'), 11);
    }
    (char::from_u32(first).unwrap_or('\u{fffd}'), 5)
}

struct Reader<'t> {
    bytes: &'t [u8],
    position: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.position).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.position += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.eat(byte).then_some(())
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.position += 1;
        }
    }

    /// Steps over one value of any type. Nesting costs a byte on a heap stack, not a frame.
    fn value(&mut self) -> Option<()> {
        let mut open = Vec::new();
        loop {
            self.blanks();
            match self.peek()? {
                bracket @ (b'[' | b'{') => {
                    self.position += 1;
                    self.blanks();
                    let closing = if bracket == b'[' { b']' } else { b'}' };
                    if !self.eat(closing) {
                        if bracket == b'{' {
                            self.key()?;
                        }
                        open.push(closing);
                        continue;
                    }
                }
                b'"' => self.string()?,
                b't' => self.literal(b"true")?,
                b'f' => self.literal(b"false")?,
                b'n' => self.literal(b"null")?,
                _ => self.number()?,
            }
            loop {
                let Some(&closing) = open.last() else {
                    return Some(());
                };
                self.blanks();
                if self.eat(closing) {
                    open.pop();
                    continue;
                }
                self.expect(b',')?;
                if closing == b'}' {
                    self.key()?;
                }
                break;
            }
        }
    }

    fn key(&mut self) -> Option<()> {
        self.blanks();
        self.string()?;
        self.blanks();
        self.expect(b':')
    }

    fn string(&mut self) -> Option<()> {
        self.expect(b'"')?;
        loop {
            let byte = self.peek()?;
            self.position += 1;
            match byte {
                b'"' => return Some(()),
                0..=0x1f => return None,
                b'\\' => {
                    let escape = self.peek()?;
                    self.position += 1;
                    match escape {
                        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                        b'u' => {
                            for _ in 0..4 {
                                self.peek().filter(u8::is_ascii_hexdigit)?;
                                self.position += 1;
                            }
                        }
                        _ => return None,
                    }
                }
                _ => {}
            }
        }
    }

    fn literal(&mut self, word: &[u8]) -> Option<()> {
        let end = self.position + word.len();
        (self.bytes.get(self.position..end)? == word).then(|| self.position = end)
    }

    fn number(&mut self) -> Option<()> {
        let start = self.position;
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.position += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.position += 1;
            }
            self.digits()?;
        }
        // Go refuses a number that no float64 holds, which makes it no JSON at all here.
        let text = std::str::from_utf8(self.bytes.get(start..self.position)?).ok()?;
        text.parse::<f64>()
            .ok()
            .filter(|value| value.is_finite())
            .map(|_| ())
    }

    fn digits(&mut self) -> Option<()> {
        self.peek().filter(u8::is_ascii_digit)?;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.position += 1;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<JsonArray> {
        read_json_array(text, 0..text.len())
    }

    #[test]
    fn takes_arrays_of_strings_only() {
        assert!(
            matches!(read(r#"["a", "b"]"#), Some(JsonArray::Strings(elements)) if elements.len() == 2)
        );
        assert!(matches!(read("[ ]"), Some(JsonArray::Strings(elements)) if elements.is_empty()));
        assert!(matches!(read("[1, 2]"), Some(JsonArray::NotStrings(..))));
        assert!(matches!(
            read(r#"[["a"], {"b": [null]}]"#),
            Some(JsonArray::NotStrings(..))
        ));
        assert!(
            matches!(read(r#"["a", null]"#), Some(JsonArray::NotStrings(_, wrong)) if wrong == (6..10))
        );
    }

    #[test]
    fn refuses_what_go_refuses() {
        for text in [
            "['a']",
            r#"["a",]"#,
            r#"["a"] x"#,
            r#"["\x"]"#,
            r#"["a"#,
            "[",
            "[01]",
            "[1e999]",
            "[ -f x ]",
            "[\"a\tb\"]",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn survives_deep_nesting() {
        assert_eq!(read(&"[".repeat(1_000_000)), None);
    }

    #[test]
    fn decodes_escapes() {
        assert_eq!(
            decode_json_string(r#""\u00e9\ud83d\ude00\n\"\/""#),
            "é😀\n\"/"
        );
        assert_eq!(decode_json_string(r#""\ud83d x""#), "\u{fffd} x");
        assert_eq!(decode_json_string(r#""plain""#), "plain");
    }
}
