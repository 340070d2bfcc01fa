//! Colours for codespan's renderer, as ANSI sequences.

use std::io::{self, Write};

use codespan_reporting::diagnostic::{LabelStyle, Severity};
use codespan_reporting::term::WriteStyle;

/// A writer that sends ANSI sequences when `color` is set and plain text when it is not.
pub(crate) struct StyledWriter<'w, W: Write> {
    out: &'w mut W,
    color: bool,
    at_header: bool,
}

impl<'w, W: Write> StyledWriter<'w, W> {
    pub(crate) fn new(out: &'w mut W, color: bool) -> StyledWriter<'w, W> {
        StyledWriter {
            out,
            color,
            at_header: false,
        }
    }

    fn set(&mut self, sequence: &str) -> io::Result<()> {
        if self.color {
            self.out.write_all(sequence.as_bytes())?;
        }
        Ok(())
    }
}

impl<W: Write> Write for StyledWriter<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // codespan has no severity called "info"; both words have four letters.
        if std::mem::take(&mut self.at_header) && bytes == b"note" {
            self.out.write_all(b"info")?;
            return Ok(bytes.len());
        }
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Returns the sequence of a severity's colour, which also ends what was set before.
fn severity_color(severity: Severity) -> &'static str {
    match severity {
        Severity::Bug | Severity::Error => "\x1b[0;1;31m",
        Severity::Warning => "\x1b[0;1;33m",
        Severity::Note | Severity::Help => "\x1b[0;1;36m",
    }
}

const BORDER: &str = "\x1b[0;34m";

impl<W: Write> WriteStyle for StyledWriter<'_, W> {
    fn set_header(&mut self, severity: Severity) -> io::Result<()> {
        self.at_header = true;
        self.set(severity_color(severity))
    }

    fn set_header_message(&mut self) -> io::Result<()> {
        self.set("\x1b[0;1m")
    }

    fn set_line_number(&mut self) -> io::Result<()> {
        self.set(BORDER)
    }

    fn set_note_bullet(&mut self) -> io::Result<()> {
        self.set(BORDER)
    }

    fn set_source_border(&mut self) -> io::Result<()> {
        self.set(BORDER)
    }

    fn set_label(&mut self, severity: Severity, style: LabelStyle) -> io::Result<()> {
        self.set(match style {
            LabelStyle::Primary => severity_color(severity),
            LabelStyle::Secondary => BORDER,
        })
    }

    fn reset(&mut self) -> io::Result<()> {
        self.set("\x1b[0m")
    }
}
