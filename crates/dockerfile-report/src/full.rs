//! Findings as a person reads them: a snippet of the file with the range underlined.

use std::io::{self, Write};

use codespan_reporting::diagnostic::{Diagnostic as Rendered, Label, Severity as Level};
use codespan_reporting::files::Error;
use codespan_reporting::term::{Config, Renderer as TermRenderer, RichDiagnostic};
use dockerfile_source::{Applicability, Diagnostic, Severity, SourceFile};

use crate::excerpt::{Excerpt, Span};
use crate::plain_snippet;
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
    if !color && plain_snippet::write_plain(&excerpt, &rendered, out)? {
        return Ok(());
    }
    write_with_codespan(config, color, &excerpt, &rendered, out)
}

fn write_with_codespan(
    config: &Config,
    color: bool,
    excerpt: &Excerpt<'_>,
    rendered: &Rendered<()>,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut out = StyledWriter::new(out, color);
    // As `term::emit_to_write_style` does, without its second layer around the writer: codespan writes single characters.
    RichDiagnostic::new(rendered, config)
        .render(excerpt, &mut TermRenderer::new(&mut out, config))
        .map_err(|error| match error {
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
    // A failed build has no page.
    if !diagnostic.code.is_empty() {
        notes.push(format!("see: dflint explain {}", diagnostic.rule));
    }
    notes
}

#[cfg(test)]
mod tests {
    use dockerfile_source::TextRange;

    use super::*;

    fn both_ways(text: &str, start: u32, end: u32, help: Option<&str>) -> (String, Option<String>) {
        let source = SourceFile::new("app/Dockerfile", text);
        let diagnostic = Diagnostic {
            rule: "some-rule",
            code: "DF101",
            aliases: &[],
            severity: Severity::Info,
            message: "a message".to_owned(),
            range: TextRange::new(start.into(), end.into()),
            labels: Vec::new(),
            help: help.map(str::to_owned),
            fix: None,
        };
        let at = Positions::new(&source).at(diagnostic.range.start());
        let (excerpt, spans) = Excerpt::new(&source, at, std::iter::once(diagnostic.range));
        let rendered = Rendered {
            severity: Level::Note,
            code: Some("DF101".to_owned()),
            message: diagnostic.message.clone(),
            labels: labels(&diagnostic, spans),
            notes: notes(&diagnostic),
        };
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        let mut slow = Vec::new();
        write_with_codespan(&Config::default(), false, &excerpt, &rendered, &mut slow)
            .expect("memory");
        let mut quick = Vec::new();
        let is_written =
            plain_snippet::write_plain(&excerpt, &rendered, &mut quick).expect("memory");
        (text(slow), is_written.then(|| text(quick)))
    }

    #[test]
    fn the_short_way_writes_what_codespan_writes() {
        let text = format!("FROM node\n\nRUN a  b\r\n  {}\n", "x".repeat(150));
        for start in 0..text.len() as u32 {
            for end in start..text.len() as u32 {
                let (slow, quick) = both_ways(&text, start, end, Some("one\ntwo"));
                assert_eq!(quick.unwrap_or(slow.clone()), slow, "{start}..{end}");
            }
        }
        let deep = format!("{}RUN x\n", "#\n".repeat(1200));
        let at = deep.find('x').expect("present") as u32;
        let (slow, quick) = both_ways(&deep, at, at + 1, None);
        assert_eq!(quick, Some(slow));
    }

    #[test]
    fn the_short_way_leaves_the_rest_to_codespan() {
        assert_eq!(both_ways("FROM é\n", 5, 7, None).1, None);
        assert_eq!(both_ways("FROM\ta\n", 5, 6, None).1, None);
        assert_eq!(both_ways("a\nb\n", 0, 3, None).1, None);
    }
}
