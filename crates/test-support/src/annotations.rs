//! `^^^ text` under a line says what a check must find there.
//!
//! ```text
//! FROM ubuntu
//!      ^^^^^^ untagged-base-image
//! ```
//!
//! A line that holds blanks, carets and a text, and nothing else, annotates the line above it and is not part of the
//! fixture. One line may be annotated several times. `^` alone marks one character; a range over several lines is
//! annotated at its first line, where `^^^...` in front of the text says that it goes on.

use std::fmt::Write;

use dockerfile_source::{LineColumn, LineIndex, TextRange, TextSize};

/// What a fixture expects at one place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Annotation {
    /// Where the marked characters start and end; the end of the line when the range goes on.
    pub range: (TextSize, TextSize),
    /// Whether the range goes on behind the line.
    pub goes_on: bool,
    pub text: String,
}

/// Takes the annotations out of a fixture and returns the text and what it expects, in order of position.
#[track_caller]
pub fn annotations(fixture: &str) -> (String, Vec<Annotation>) {
    let mut text = String::with_capacity(fixture.len());
    let mut found = Vec::new();
    let mut line_start = None;
    for line in fixture.split_inclusive('\n') {
        let Some(mark) = parse_mark(line) else {
            line_start = Some(text.len());
            text.push_str(line);
            continue;
        };
        let start = line_start.expect("an annotation has a line above it");
        let annotated = text
            .get(start..)
            .unwrap_or("")
            .trim_end_matches(['\n', '\r']);
        let offset = |column: usize| {
            let in_line = annotated
                .char_indices()
                .map(|(at, _)| at)
                .chain([annotated.len()])
                .nth(column);
            let in_line = in_line.unwrap_or_else(|| {
                panic!(
                    "the annotation `{}` stands behind the end of its line",
                    line.trim_end()
                )
            });
            TextSize::new(u32::try_from(start + in_line).expect("a fixture is small"))
        };
        let range = (offset(mark.columns.0), offset(mark.columns.1));
        found.push(Annotation {
            range,
            goes_on: mark.goes_on,
            text: mark.text,
        });
    }
    found.sort();
    (text, found)
}

/// Runs `check` on the text of a fixture and compares what it returns with the annotations.
///
/// Panics with both, drawn under the text, when they differ.
#[track_caller]
pub fn check_annotations(fixture: &str, check: impl FnOnce(&str) -> Vec<(TextRange, String)>) {
    let (text, expected) = annotations(fixture);
    let actual = to_annotations(&text, &check(&text));
    assert!(
        actual == expected,
        "expected:\n{}\nfound:\n{}",
        draw(&text, &expected),
        draw(&text, &actual)
    );
}

/// Returns the text with what was found drawn under its lines, as a fixture is written.
pub fn render_annotations(text: &str, found: &[(TextRange, String)]) -> String {
    draw(text, &to_annotations(text, found))
}

struct Mark {
    columns: (usize, usize),
    goes_on: bool,
    text: String,
}

fn parse_mark(line: &str) -> Option<Mark> {
    let line = line.trim_end();
    let marked = line.trim_start_matches(' ');
    let rest = marked.trim_start_matches('^');
    let carets = marked.len() - rest.len();
    if carets == 0 {
        return None;
    }
    let (goes_on, rest) = match rest.strip_prefix("...") {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let text = if rest.is_empty() {
        rest
    } else {
        rest.strip_prefix(' ')?
    };
    let start = line.len() - marked.len();
    Some(Mark {
        columns: (start, start + carets),
        goes_on,
        text: text.trim().to_owned(),
    })
}

fn to_annotations(text: &str, found: &[(TextRange, String)]) -> Vec<Annotation> {
    let index = LineIndex::new(text);
    let mut annotations: Vec<Annotation> = found
        .iter()
        .map(|(range, message)| {
            let line_end = line_end(text, &index, range.start());
            Annotation {
                range: (range.start(), range.end().min(line_end).max(range.start())),
                goes_on: range.end() > line_end,
                text: message.clone(),
            }
        })
        .collect();
    annotations.sort();
    annotations
}

/// Returns the offset behind the last character of the line, before its line end.
fn line_end(text: &str, index: &LineIndex, offset: TextSize) -> TextSize {
    let range = index.line_range(index.line(offset));
    let range = range.unwrap_or_else(|| TextRange::empty(offset));
    let line = text
        .get(usize::from(range.start())..usize::from(range.end()))
        .unwrap_or("");
    let content = line.trim_end_matches(['\n', '\r']);
    range.start() + TextSize::of(content)
}

fn draw(text: &str, annotations: &[Annotation]) -> String {
    let index = LineIndex::new(text);
    let column = |offset| index.line_column_utf32(text, offset);
    let mut drawn = String::with_capacity(text.len() * 2);
    for (idx, line) in text.split_inclusive('\n').enumerate() {
        drawn.push_str(line);
        if !line.ends_with('\n') {
            drawn.push('\n');
        }
        for annotation in annotations {
            let start: LineColumn = column(annotation.range.0);
            if start.line as usize != idx {
                continue;
            }
            let end = column(annotation.range.1);
            let blanks = " ".repeat(start.column as usize);
            let carets = "^".repeat(end.column.saturating_sub(start.column).max(1) as usize);
            let more = if annotation.goes_on { "..." } else { "" };
            writeln!(drawn, "{blanks}{carets}{more} {}", annotation.text)
                .expect("a string takes any text");
        }
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIXTURE: &str = "\
FROM ubuntu
     ^^^^^^ untagged
^^^^ shouting
RUN é \\
    ^... long
  b
";

    fn range(start: u32, end: u32) -> TextRange {
        TextRange::new(TextSize::new(start), TextSize::new(end))
    }

    #[test]
    fn reads_what_a_fixture_expects() {
        let (text, found) = annotations(FIXTURE);
        assert_eq!(text, "FROM ubuntu\nRUN é \\\n  b\n");
        let texts: Vec<&str> = found
            .iter()
            .map(|annotation| annotation.text.as_str())
            .collect();
        assert_eq!(texts, ["shouting", "untagged", "long"]);
        let first = found.first().expect("there are three");
        assert_eq!(first.range, (TextSize::new(0), TextSize::new(4)));
    }

    #[test]
    fn compares_findings_with_the_fixture() {
        check_annotations("FROM ubuntu\n     ^^^^^^ untagged\n", |text| {
            assert_eq!(text, "FROM ubuntu\n");
            vec![(range(5, 11), "untagged".to_owned())]
        });
    }

    #[test]
    fn draws_what_was_found() {
        let found = [
            (range(5, 11), "untagged".to_owned()),
            (range(12, 19), "long".to_owned()),
        ];
        assert_eq!(
            render_annotations("FROM ubuntu\nRUN a\\\nb", &found),
            "FROM ubuntu\n     ^^^^^^ untagged\nRUN a\\\n^^^^^^... long\nb\n"
        );
    }

    #[test]
    fn a_caret_in_a_command_is_no_annotation() {
        let text = "RUN cat <<EOF\n^^x\nEOF\n";
        assert_eq!(annotations(text), (text.to_owned(), Vec::new()));
    }
}
