//! The change of a text as a unified diff that `patch -p0` and `git apply -p0` take.

use std::io::{self, Write};
use std::ops::Range;

use similar::{Algorithm, DiffOp, DiffTag, capture_diff_slices, group_diff_ops};

use crate::visible::visible;

/// Unchanged lines shown before and behind a change.
const CONTEXT: usize = 3;

/// Writes the difference between two versions of a file, or nothing when there is none.
///
/// Lines end with `\n` only, as everywhere in a Dockerfile, and are written as they are, a `\r` included.
pub fn diff(name: &str, old: &str, new: &str, color: bool, out: &mut impl Write) -> io::Result<()> {
    if old == new {
        return Ok(());
    }
    let old: Vec<&str> = old.split_inclusive('\n').collect();
    let new: Vec<&str> = new.split_inclusive('\n').collect();
    let name = visible(name);
    let paint = Paint { color };
    paint.line(out, "1", "--- ", &name)?;
    paint.line(out, "1", "+++ ", &name)?;
    for hunk in group_diff_ops(capture_diff_slices(Algorithm::Myers, &old, &new), CONTEXT) {
        write_hunk(paint, &old, &new, &hunk, out)?;
    }
    Ok(())
}

fn write_hunk(
    paint: Paint,
    old: &[&str],
    new: &[&str],
    hunk: &[DiffOp],
    out: &mut impl Write,
) -> io::Result<()> {
    let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else {
        return Ok(());
    };
    let old_lines = first.old_range().start..last.old_range().end;
    let new_lines = first.new_range().start..last.new_range().end;
    let header = format!("-{} +{} @@", extent(&old_lines), extent(&new_lines));
    paint.line(out, "36", "@@ ", &header)?;
    for op in hunk {
        let lines = |all: &[&str], range: Range<usize>, color, mark, out: &mut _| {
            all.get(range)
                .unwrap_or_default()
                .iter()
                .try_for_each(|line| paint.line(out, color, mark, line))
        };
        if op.tag() == DiffTag::Equal {
            lines(old, op.old_range(), "", " ", out)?;
        } else {
            lines(old, op.old_range(), "31", "-", out)?;
            lines(new, op.new_range(), "32", "+", out)?;
        }
    }
    Ok(())
}

/// Returns the lines of a hunk as its header has them: an empty extent stands behind the line before it.
fn extent(lines: &Range<usize>) -> String {
    match lines.len() {
        0 => format!("{},0", lines.start),
        1 => format!("{}", lines.start + 1),
        length => format!("{},{length}", lines.start + 1),
    }
}

#[derive(Clone, Copy)]
struct Paint {
    color: bool,
}

impl Paint {
    /// Writes one line of the diff; `color` is the number of an ANSI style, or empty.
    fn line(self, out: &mut impl Write, color: &str, mark: &str, line: &str) -> io::Result<()> {
        let (content, has_end) = match line.strip_suffix('\n') {
            Some(content) => (content, true),
            // Lines that this file made up have no line end; only those of the texts can lack one.
            None => (line, mark.len() > 1),
        };
        if self.color && !color.is_empty() {
            writeln!(out, "\x1b[{color}m{mark}{content}\x1b[0m")?;
        } else {
            writeln!(out, "{mark}{content}")?;
        }
        if !has_end {
            writeln!(out, "\\ No newline at end of file")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(old: &str, new: &str) -> String {
        let mut out = Vec::new();
        diff("app/Dockerfile", old, new, false, &mut out).expect("memory");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn equal_texts_have_no_diff() {
        assert_eq!(plain("a\n", "a\n"), "");
    }

    #[test]
    fn shows_three_lines_around_a_change() {
        assert_eq!(
            plain(
                "1\n2\n3\n4\n5\n6\n7\n8\n9\n",
                "1\n2\n3\n4\nfive\n6\n7\n8\n9\n"
            ),
            "\
--- app/Dockerfile
+++ app/Dockerfile
@@ -2,7 +2,7 @@
 2
 3
 4
-5
+five
 6
 7
 8
"
        );
    }

    #[test]
    fn says_that_the_last_line_has_no_end() {
        assert_eq!(
            plain("a\nb", "a\nb\n"),
            "\
--- app/Dockerfile
+++ app/Dockerfile
@@ -1,2 +1,2 @@
 a
-b
\\ No newline at end of file
+b
"
        );
    }

    #[test]
    fn keeps_carriage_returns_and_splits_at_line_feeds_only() {
        assert_eq!(
            plain("a\rb\r\nc\r\n", "a\rb\r\n"),
            "--- app/Dockerfile\n+++ app/Dockerfile\n@@ -1,2 +1 @@\n a\rb\r\n-c\r\n"
        );
    }

    #[test]
    fn an_empty_side_stands_at_line_zero() {
        assert_eq!(
            plain("", "a\n"),
            "--- app/Dockerfile\n+++ app/Dockerfile\n@@ -0,0 +1 @@\n+a\n"
        );
    }

    #[test]
    fn colours_changes_only_when_asked() {
        let mut out = Vec::new();
        diff("a", "x\n", "y\n", true, &mut out).expect("memory");
        let text = String::from_utf8(out).expect("UTF-8");
        assert!(
            text.contains("\x1b[31m-x\x1b[0m\n\x1b[32m+y\x1b[0m\n"),
            "{text:?}"
        );
    }
}
