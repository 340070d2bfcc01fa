//! Control characters made visible.
//!
//! A Dockerfile is somebody else's text. An escape sequence in it could repaint the terminal of the person who reads a
//! finding, and a bidirectional override could show another line than the one that is built (CVE-2021-42574).

use std::borrow::Cow;

/// Returns the visible character that stands for one that a terminal would obey or hide, or `None` for any other.
pub(crate) fn stand_in(character: char) -> Option<char> {
    match character {
        '\u{0}'..='\u{1f}' => char::from_u32(0x2400 + u32::from(character)),
        '\u{7f}' => Some('\u{2421}'),
        // C1 controls, zero-width characters, bidirectional marks and overrides, line separators, the byte order mark.
        '\u{80}'..='\u{9f}'
        | '\u{ad}'
        | '\u{61c}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}' => Some('\u{fffd}'),
        _ => None,
    }
}

/// Returns `true` when a text needs no look at its single characters.
pub(crate) fn is_plain_ascii(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Returns a text that is safe to print on one line of a terminal.
pub fn visible(text: &str) -> Cow<'_, str> {
    if is_plain_ascii(text) || !text.chars().any(|character| stand_in(character).is_some()) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(
        text.chars()
            .map(|character| stand_in(character).unwrap_or(character))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_escape_sequences_instead_of_sending_them() {
        assert_eq!(visible("a\u{1b}[31mb\n\0"), "a␛[31mb␊␀");
        assert_eq!(visible("x\u{202e}y\u{85}"), "x\u{fffd}y\u{fffd}");
    }

    #[test]
    fn leaves_ordinary_text_alone() {
        assert!(matches!(visible("FROM déjà 漢字 🐳"), Cow::Borrowed(_)));
    }
}
