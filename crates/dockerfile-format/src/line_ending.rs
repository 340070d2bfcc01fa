//! How the lines of a file end.

use crate::LineEnding;

/// Returns the line ending to write, given the text and the wish.
pub(crate) fn line_ending(text: &str, wish: LineEnding) -> &'static str {
    match wish {
        LineEnding::Lf => "\n",
        LineEnding::CrLf => "\r\n",
        LineEnding::Auto => {
            let all = text.bytes().filter(|byte| *byte == b'\n').count();
            let crlf = text.matches("\r\n").count();
            if crlf * 2 > all { "\r\n" } else { "\n" }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_majority() {
        assert_eq!(line_ending("a\r\nb\r\nc\n", LineEnding::Auto), "\r\n");
        assert_eq!(line_ending("a\r\nb\n", LineEnding::Auto), "\n");
        assert_eq!(line_ending("", LineEnding::Auto), "\n");
        assert_eq!(line_ending("a\n", LineEnding::CrLf), "\r\n");
    }
}
