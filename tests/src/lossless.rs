//! The first law: the tree holds the text, byte for byte.

use std::panic::catch_unwind;

/// Returns what is wrong with the tree of `text`, or `None` when nothing is.
pub fn fault(text: &str) -> Option<String> {
    let parsed = catch_unwind(|| {
        let parse = dockerfile_syntax::parse(text);
        (
            parse.text(),
            parse.syntax().text().to_string(),
            first_error_outside(&parse, text),
        )
    });
    let Ok((light, full, outside)) = parsed else {
        return Some("the parser panicked".to_owned());
    };
    if light != text {
        return Some(format!(
            "the text of the tree differs{}",
            first_difference(&light, text)
        ));
    }
    if full != text {
        return Some(format!(
            "the text of the syntax tree differs{}",
            first_difference(&full, text)
        ));
    }
    outside
}

fn first_error_outside(parse: &dockerfile_syntax::Parse, text: &str) -> Option<String> {
    parse
        .errors()
        .iter()
        .find(|error| {
            let range = usize::from(error.range.start())..usize::from(error.range.end());
            text.get(range).is_none()
        })
        .map(|error| format!("the error `{}` points outside of the text", error.message))
}

fn first_difference(left: &str, right: &str) -> String {
    let same = left
        .bytes()
        .zip(right.bytes())
        .take_while(|(left, right)| left == right)
        .count();
    format!(
        " at byte {same} (lengths {} and {})",
        left.len(),
        right.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_no_fault_in_an_empty_text() {
        assert_eq!(fault(""), None);
    }

    #[test]
    fn says_where_two_texts_differ() {
        assert_eq!(
            first_difference("abc", "abd"),
            " at byte 2 (lengths 3 and 3)"
        );
    }
}
