//! `$0` marks a place in a fixture.

use dockerfile_source::TextSize;

const MARK: &str = "$0";

/// Takes the one `$0` out of a fixture and returns the text and where the mark stood.
#[track_caller]
pub fn cursor(fixture: &str) -> (String, TextSize) {
    let (before, after) = fixture
        .split_once(MARK)
        .expect("the fixture has a cursor, written `$0`");
    assert!(!after.contains(MARK), "the fixture has one cursor only");
    let offset = u32::try_from(before.len()).expect("a fixture is small");
    (format!("{before}{after}"), TextSize::new(offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_mark_out() {
        assert_eq!(
            cursor("FROM $0a\n"),
            ("FROM a\n".to_owned(), TextSize::new(5))
        );
    }
}
