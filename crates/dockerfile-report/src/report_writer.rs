//! Rendered files to one report.

use std::io::{self, Write};

use crate::{OutputFormat, Statistics, Summary};

/// Joins what a [`Renderer`](crate::Renderer) made of each file to one report, as it comes.
///
/// The pieces may come from several threads; the report has them in the order of the calls. A JSON report is a valid array
/// only after [`finish`](ReportWriter::finish).
pub struct ReportWriter<W: Write> {
    out: W,
    format: OutputFormat,
    is_empty: bool,
}

impl<W: Write> ReportWriter<W> {
    pub fn new(out: W, format: OutputFormat) -> ReportWriter<W> {
        ReportWriter {
            out,
            format,
            is_empty: true,
        }
    }

    /// Writes the rendered findings of one more file; an empty piece is a clean file.
    pub fn write_piece(&mut self, piece: &[u8]) -> io::Result<()> {
        if piece.is_empty() {
            return Ok(());
        }
        if self.format == OutputFormat::Json {
            let separator: &[u8] = if self.is_empty { b"[\n" } else { b",\n" };
            self.out.write_all(separator)?;
        }
        self.is_empty = false;
        self.out.write_all(piece)
    }

    /// Writes what belongs behind the last finding, flushes, and returns the writer. JSON has no room for a summary.
    pub fn finish(mut self, summary: Option<&Summary>) -> io::Result<W> {
        match (self.format, summary) {
            (OutputFormat::Json, _) if self.is_empty => self.out.write_all(b"[]\n")?,
            (OutputFormat::Json, _) => self.out.write_all(b"\n]\n")?,
            (_, Some(summary)) => writeln!(self.out, "{summary}")?,
            (_, None) => {}
        }
        self.out.flush()?;
        Ok(self.out)
    }

    /// Writes counts a rule in place of findings, flushes, and returns the writer.
    pub fn finish_with_statistics(
        mut self,
        statistics: &Statistics,
        summary: Option<&Summary>,
    ) -> io::Result<W> {
        if self.format == OutputFormat::Json {
            statistics.write_json(&mut self.out)?;
        } else {
            statistics.write_table(&mut self.out)?;
            if let Some(summary) = summary {
                writeln!(self.out, "{summary}")?;
            }
        }
        self.out.flush()?;
        Ok(self.out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(format: OutputFormat, pieces: &[&str]) -> String {
        let mut writer = ReportWriter::new(Vec::new(), format);
        for piece in pieces {
            writer.write_piece(piece.as_bytes()).expect("memory");
        }
        String::from_utf8(writer.finish(None).expect("memory")).expect("UTF-8")
    }

    #[test]
    fn json_is_one_array_whatever_pieces_are_empty() {
        assert_eq!(report(OutputFormat::Json, &[]), "[]\n");
        assert_eq!(report(OutputFormat::Json, &["", ""]), "[]\n");
        assert_eq!(
            report(OutputFormat::Json, &["", "{}", "", "{},\n{}"]),
            "[\n{},\n{},\n{}\n]\n"
        );
    }

    #[test]
    fn lines_are_joined_as_they_are() {
        assert_eq!(report(OutputFormat::Concise, &["a\n", "", "b\n"]), "a\nb\n");
    }
}
