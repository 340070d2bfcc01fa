//! Bytes as the expectations write them: control characters, the backslash and what is not UTF-8 as `\xNN`.

use std::fmt::Write as _;

/// Returns `bytes` as one line of text without tabs.
pub(crate) fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c == '\\' || (c as u32) < 0x20 || c as u32 == 0x7f {
                push_byte(&mut text, c as u8);
            } else {
                text.push(c);
            }
        }
        for byte in chunk.invalid() {
            push_byte(&mut text, *byte);
        }
    }
    text
}

fn push_byte(text: &mut String, byte: u8) {
    // Writing to a string does not fail.
    let _ = write!(text, "\\x{byte:02x}");
}
