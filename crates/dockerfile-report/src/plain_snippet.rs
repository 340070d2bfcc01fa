//! The snippet that nearly all findings have, without codespan: one range on one short line of ASCII, no colour.
//!
//! codespan formats each character on its own, 6 µs a finding; a run over thousands of files with a quarter of a million
//! findings would spend more time on carets than on rules. The bytes are the same, and a test compares them.

use std::io::{self, Write};

use codespan_reporting::diagnostic::{Diagnostic, LabelStyle, Severity};
use codespan_reporting::files::Files;

use crate::excerpt::Excerpt;
use crate::visible::is_plain_ascii;

/// What there is to write when the short way can be taken.
struct Snippet<'e> {
    line: &'e str,
    line_number: String,
    column: usize,
    carets: usize,
}

/// Writes a finding as codespan would without colours; returns `false`, and writes nothing, when it takes codespan.
pub(crate) fn write_plain(
    excerpt: &Excerpt<'_>,
    diagnostic: &Diagnostic<()>,
    out: &mut impl Write,
) -> io::Result<bool> {
    let Some(snippet) = snippet(excerpt, diagnostic) else {
        return Ok(false);
    };
    let severity = match diagnostic.severity {
        Severity::Bug | Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note | Severity::Help => "info",
    };
    out.write_all(severity.as_bytes())?;
    if let Some(code) = diagnostic.code.as_deref().filter(|code| !code.is_empty()) {
        parts(out, &["[", code, "]"])?;
    }
    parts(out, &[": ", &diagnostic.message, "\n"])?;
    let gutter = snippet.line_number.len();
    spaces(out, gutter)?;
    writeln!(out, " ┌─ {}", excerpt.address())?;
    spaces(out, gutter)?;
    parts(
        out,
        &[" │\n", &snippet.line_number, " │ ", snippet.line, "\n"],
    )?;
    spaces(out, gutter)?;
    parts(out, &[" │ "])?;
    spaces(out, snippet.column)?;
    repeat(out, '^', snippet.carets)?;
    parts(out, &["\n"])?;
    spaces(out, gutter)?;
    parts(out, &[" │\n"])?;
    for note in &diagnostic.notes {
        for (at, line) in note.lines().enumerate() {
            spaces(out, gutter)?;
            parts(out, &[if at == 0 { " = " } else { "   " }, line, "\n"])?;
        }
    }
    parts(out, &["\n"])?;
    Ok(true)
}

fn snippet<'e>(excerpt: &'e Excerpt<'_>, diagnostic: &Diagnostic<()>) -> Option<Snippet<'e>> {
    let [label] = diagnostic.labels.as_slice() else {
        return None;
    };
    let index = excerpt.line_index((), label.range.start).ok()?;
    let range = excerpt.line_range((), index).ok()?;
    let line = excerpt.source(()).ok()?.get(range.clone())?;
    let is_simple = label.style == LabelStyle::Primary
        && label.message.is_empty()
        && range.start <= label.range.start
        && label.range.end <= range.end
        && is_plain_ascii(line);
    is_simple.then(|| Snippet {
        line,
        line_number: (index + 1).to_string(),
        column: label.range.start - range.start,
        // An empty range is shown as one character.
        carets: label.range.len().max(1),
    })
}

fn parts(out: &mut impl Write, parts: &[&str]) -> io::Result<()> {
    parts
        .iter()
        .try_for_each(|part| out.write_all(part.as_bytes()))
}

fn spaces(out: &mut impl Write, count: usize) -> io::Result<()> {
    repeat(out, ' ', count)
}

fn repeat(out: &mut impl Write, character: char, count: usize) -> io::Result<()> {
    let mut bytes = [0; 64];
    bytes.fill(character as u8);
    let mut left = count;
    while left > 0 {
        let piece = bytes.get(..left.min(bytes.len())).unwrap_or_default();
        out.write_all(piece)?;
        left -= piece.len();
    }
    Ok(())
}
