//! What a command printed, as lines that are safe to show.
//!
//! The output is somebody else's: an escape sequence in it could repaint the terminal, change its title or answer in the name
//! of the user. Sequences are dropped whole (ECMA-48), and what a carriage return or a backspace would overwrite is overwritten.

use dockerfile_report::visible;

/// A line that is longer comes in pieces, so that a command without line ends does not fill the memory.
const LONGEST: usize = 64 * 1024;

/// Splits a stream into lines; characters and sequences may be cut anywhere.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    at: State,
    line: Vec<u8>,
    /// The next character starts the line anew, unless it ends it.
    returned: bool,
}

/// Where in an escape sequence the stream is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    Escape,
    /// `ESC [` up to a final byte.
    Control,
    /// `ESC ]`, `ESC P` and the like, up to BEL or `ESC \`.
    String,
    StringEscape,
    /// `ESC (` and the like: one more byte.
    Designation,
}

impl Lines {
    /// Takes the next bytes and hands on each line that is complete.
    pub(crate) fn feed(&mut self, bytes: &[u8], each: &mut dyn FnMut(&str)) {
        let mut rest = bytes;
        while let Some((&byte, after)) = rest.split_first() {
            if self.at == State::Text && is_text(byte) {
                let length = rest.iter().position(|byte| !is_text(*byte));
                let (text, behind) = rest.split_at(length.unwrap_or(rest.len()));
                self.add(text, each);
                rest = behind;
                continue;
            }
            rest = after;
            self.step(byte, each);
        }
    }

    /// Hands on what has no line end.
    pub(crate) fn finish(&mut self, each: &mut dyn FnMut(&str)) {
        if !self.line.is_empty() {
            self.end_line(each);
        }
        *self = Lines::default();
    }

    /// Returns the line that is not complete yet, such as a progress bar.
    pub(crate) fn unfinished(&self) -> Option<String> {
        (!self.line.is_empty()).then(|| shown(&self.line))
    }

    fn add(&mut self, text: &[u8], each: &mut dyn FnMut(&str)) {
        if std::mem::take(&mut self.returned) {
            self.line.clear();
        }
        for piece in text.chunks(LONGEST) {
            self.line.extend_from_slice(piece);
            if self.line.len() >= LONGEST {
                self.end_line(each);
            }
        }
    }

    fn end_line(&mut self, each: &mut dyn FnMut(&str)) {
        each(&shown(&self.line));
        self.line.clear();
    }

    fn step(&mut self, byte: u8, each: &mut dyn FnMut(&str)) {
        self.at = match (self.at, byte) {
            (State::Text, b'\n') => {
                self.returned = false;
                self.end_line(each);
                State::Text
            }
            (State::Text, b'\r') => {
                self.returned = true;
                State::Text
            }
            (State::Text, 0x08) => {
                while self.line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
                State::Text
            }
            (State::Text, 0x1b) => State::Escape,
            // A bell and its kind: nothing to see.
            (State::Text, _) => State::Text,
            (State::Escape, b'[') => State::Control,
            (State::Escape, b']' | b'P' | b'X' | b'^' | b'_') => State::String,
            (State::Escape, 0x20..=0x2f) => State::Designation,
            (State::Control, 0x40..=0x7e) => State::Text,
            (State::Control, 0x20..=0x3f) => State::Control,
            (State::Designation, 0x20..=0x2f) => State::Designation,
            (State::String, 0x07) | (State::StringEscape, b'\\') => State::Text,
            (State::String, 0x1b) => State::StringEscape,
            // A string that never ends must not swallow the whole log.
            (_, b'\n') => {
                self.end_line(each);
                State::Text
            }
            (State::String | State::StringEscape, _) => State::String,
            (_, 0x1b) => State::Escape,
            _ => State::Text,
        };
    }
}

/// Returns whether a byte is part of the text outside of sequences.
fn is_text(byte: u8) -> bool {
    byte == b'\t' || (byte >= 0x20 && byte != 0x7f)
}

fn shown(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    if text.contains('\t') {
        return visible(&expand_tabs(&text)).into_owned();
    }
    visible(&text).into_owned()
}

fn expand_tabs(text: &str) -> String {
    let mut expanded = String::with_capacity(text.len() + 8);
    let mut column = 0;
    for character in text.chars() {
        if character == '\t' {
            let count = 8 - column % 8;
            expanded.extend(std::iter::repeat_n(' ', count));
            column += count;
        } else {
            expanded.push(character);
            column += 1;
        }
    }
    expanded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(pieces: &[&[u8]]) -> Vec<String> {
        let mut lines = Lines::default();
        let mut found = Vec::new();
        for piece in pieces {
            lines.feed(piece, &mut |line| found.push(line.to_owned()));
        }
        lines.finish(&mut |line| found.push(line.to_owned()));
        found
    }

    #[test]
    fn lines_may_come_in_pieces() {
        assert_eq!(lines(&[b"a", b"b\nc", b"\r", b"\nd"]), ["ab", "c", "d"]);
    }

    #[test]
    fn characters_may_come_in_pieces() {
        assert_eq!(lines(&[b"\xe6\xbc", b"\xa2\n"]), ["漢"]);
        assert_eq!(lines(&[b"\xff\n"]), ["\u{fffd}"]);
    }

    #[test]
    fn sequences_are_dropped_wherever_they_are_cut() {
        let text = b"\x1b[1;31mred\x1b[0m \x1b]0;title\x07x\x1b]8;;u\x1b\\link\x1b(Bz\x1b7\n";
        let expected = ["red xlinkz"];
        assert_eq!(lines(&[text]), expected);
        let single: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(lines(&single), expected);
    }

    #[test]
    fn a_sequence_that_never_ends_costs_one_line() {
        assert_eq!(lines(&[b"a\x1b]0;b\nc\n"]), ["a", "c"]);
    }

    #[test]
    fn what_is_overwritten_is_gone() {
        assert_eq!(lines(&[b"10%\r50%\r100%\n"]), ["100%"]);
        assert_eq!(lines(&[b"ab\x08c\n"]), ["ac"]);
    }

    #[test]
    fn tabs_line_up() {
        assert_eq!(lines(&[b"a\tb\n"]), ["a       b"]);
    }

    #[test]
    fn a_line_without_end_comes_in_pieces() {
        let long = vec![b'x'; LONGEST * 2 + 5];
        let found = lines(&[&long]);
        let lengths: Vec<usize> = found.iter().map(String::len).collect();
        assert_eq!(lengths, [LONGEST, LONGEST, 5]);
    }
}
