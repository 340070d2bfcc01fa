//! Findings as a person reads them: a snippet of the file with the range underlined.

use std::io::{self, Write};

use codespan_reporting::diagnostic::{Diagnostic as Rendered, Label, Severity as Level};
use codespan_reporting::files::Error;
use codespan_reporting::term::{self, Config};
use dockerfile_source::{Applicability, Diagnostic, Severity, SourceFile};

use crate::excerpt::{Excerpt, Span};
use crate::position::Positions;
use crate::styled_writer::StyledWriter;
use crate::visible::visible;

/// Writes one finding and an empty line.
pub(crate) fn write_finding(
    config: &Config,
    color: bool,
    source: &SourceFile,
    positions: &mut Positions<'_>,
    diagnostic: &Diagnostic,
    out: &mut impl Write,
) -> io::Result<()> {
    let ranges =
        std::iter::once(diagnostic.range).chain(diagnostic.labels.iter().map(|label| label.range));
    let at = positions.start(diagnostic.range.start());
    let (excerpt, spans) = Excerpt::new(source, at, ranges);
    let rendered = Rendered {
        severity: match diagnostic.severity {
            Severity::Error => Level::Error,
            Severity::Warning => Level::Warning,
            Severity::Info => Level::Note,
        },
        code: Some(diagnostic.code.to_owned()),
        message: visible(&diagnostic.message).into_owned(),
        labels: labels(diagnostic, spans),
        notes: notes(diagnostic),
    };
    let mut out = StyledWriter::new(out, color);
    term::emit_to_write_style(&mut out, config, &excerpt, &rendered).map_err(|error| match error {
        Error::Io(error) => error,
        other => io::Error::other(other),
    })
}

fn labels(diagnostic: &Diagnostic, spans: Vec<Span>) -> Vec<Label<()>> {
    // The primary range says what its header says, so only the other labels have a text of their own.
    let messages = std::iter::once("").chain(diagnostic.labels.iter().map(|label| &*label.message));
    let mut labels: Vec<Label<()>> = Vec::with_capacity(spans.len());
    for (span, message) in spans.into_iter().zip(messages) {
        let label = if labels.is_empty() {
            Label::primary((), span.range)
        } else {
            Label::secondary((), span.range)
        };
        let message = visible(message);
        labels.push(label.with_message(match span.cut_at_line {
            Some(line) if message.is_empty() => format!("up to line {line}"),
            Some(line) => format!("{message} (up to line {line})"),
            None => message.into_owned(),
        }));
    }
    labels
}

fn notes(diagnostic: &Diagnostic) -> Vec<String> {
    let mut notes = Vec::with_capacity(3);
    if let Some(help) = &diagnostic.help {
        // Lines of a help stay lines: codespan indents them.
        let lines: Vec<_> = help.lines().map(visible).collect();
        notes.push(format!("help: {}", lines.join("\n      ")));
    }
    if let Some(fix) = &diagnostic.fix {
        let title = visible(&fix.title);
        notes.push(match fix.applicability {
            Applicability::Safe => format!("fix: {title} (dflint check --fix)"),
            Applicability::Unsafe => {
                format!("fix: {title} (dflint check --fix --unsafe-fixes)")
            }
            Applicability::DisplayOnly => format!("suggestion: {title}"),
        });
    }
    notes.push(format!("see: dflint explain {}", diagnostic.rule));
    notes
}
