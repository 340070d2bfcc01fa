//! Findings for programs: one JSON array over all files, one object a line.
//!
//! ```json
//! {"file": "Dockerfile", "rule": "untagged-base-image", "code": "DF101", "aliases": ["DL3006"],
//!  "severity": "warning", "message": "...", "help": null,
//!  "range": {"start": {"offset": 5, "line": 1, "column": 6}, "end": {"offset": 9, "line": 1, "column": 10}},
//!  "labels": [{"message": "...", "range": {...}}],
//!  "fix": {"title": "...", "applicability": "safe", "edits": [{"range": {...}, "insert": "..."}]}}
//! ```
//!
//! `offset` counts bytes from 0, a byte order mark included. `line` and `column` count from 1; columns are code points, and
//! a byte order mark is none. A range ends behind its last character. `help` and `fix` are null where there is none;
//! `applicability` is `safe`, `unsafe` or `display-only`. The edits of a fix are sorted and disjoint, and all refer to the
//! file as it was checked.

use std::io::{self, Write};

use dockerfile_source::{Diagnostic, Fix, SourceFile, TextRange};

use crate::position::{Position, Positions};

/// Writes one object, without a line end.
pub(crate) fn write_finding(
    source: &SourceFile,
    positions: &mut Positions<'_>,
    diagnostic: &Diagnostic,
    out: &mut impl Write,
) -> io::Result<()> {
    positions.start(diagnostic.range.start());
    member(out, "{\"file\":", source.name())?;
    member(out, ",\"rule\":", diagnostic.rule)?;
    member(out, ",\"code\":", diagnostic.code)?;
    out.write_all(b",\"aliases\":")?;
    serde_json::to_writer(&mut *out, diagnostic.aliases)?;
    member(out, ",\"severity\":", diagnostic.severity.as_str())?;
    member(out, ",\"message\":", &diagnostic.message)?;
    match &diagnostic.help {
        Some(help) => member(out, ",\"help\":", help)?,
        None => out.write_all(b",\"help\":null")?,
    }
    out.write_all(b",\"range\":")?;
    write_range(positions, diagnostic.range, out)?;
    out.write_all(b",\"labels\":[")?;
    for (at, label) in diagnostic.labels.iter().enumerate() {
        member(
            out,
            separated(at, "{\"message\":", ",{\"message\":"),
            &label.message,
        )?;
        out.write_all(b",\"range\":")?;
        write_range(positions, label.range, out)?;
        out.write_all(b"}")?;
    }
    out.write_all(b"],\"fix\":")?;
    match &diagnostic.fix {
        Some(fix) => write_fix(positions, fix, out)?,
        None => out.write_all(b"null")?,
    }
    out.write_all(b"}")
}

fn write_fix(positions: &Positions<'_>, fix: &Fix, out: &mut impl Write) -> io::Result<()> {
    member(out, "{\"title\":", &fix.title)?;
    member(out, ",\"applicability\":", fix.applicability.as_str())?;
    out.write_all(b",\"edits\":[")?;
    for (at, indel) in fix.edit.indels().iter().enumerate() {
        out.write_all(separated(at, "{\"range\":", ",{\"range\":").as_bytes())?;
        write_range(positions, indel.delete, out)?;
        member(out, ",\"insert\":", &indel.insert)?;
        out.write_all(b"}")?;
    }
    out.write_all(b"]}")
}

fn write_range(
    positions: &Positions<'_>,
    range: TextRange,
    out: &mut impl Write,
) -> io::Result<()> {
    let start = positions.at(range.start());
    let end = positions.at(range.end());
    let write = |out: &mut dyn Write, name: &str, at: Position| {
        write!(
            out,
            "\"{name}\":{{\"offset\":{},\"line\":{},\"column\":{}}}",
            at.offset, at.line, at.column
        )
    };
    out.write_all(b"{")?;
    write(out, "start", start)?;
    out.write_all(b",")?;
    write(out, "end", end)?;
    out.write_all(b"}")
}

fn member(out: &mut impl Write, lead: &str, value: &str) -> io::Result<()> {
    out.write_all(lead.as_bytes())?;
    serde_json::to_writer(out, value)?;
    Ok(())
}

fn separated(at: usize, first: &'static str, later: &'static str) -> &'static str {
    if at == 0 { first } else { later }
}
