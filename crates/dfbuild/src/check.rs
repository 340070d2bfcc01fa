//! `--check`: what the linter finds, before the build.

use std::io::{self, Write as _};

use anyhow::Result;
use dockerfile_build::{ContextSource, Request};
use dockerfile_lint::{IgnoreFileFact, Lint, Options};
use dockerfile_report::{OutputFormat, Renderer, ReportWriter, Summary};
use dockerfile_source::{Severity, SourceFile};

use crate::failure::wants_color;

/// Prints the findings; returns whether one of them is an error.
pub(crate) fn prints_errors(request: &Request) -> Result<bool> {
    let source = SourceFile::new(request.dockerfile_name.clone(), request.dockerfile.clone());
    let options = Options {
        ignore_file: match (&request.ignore_file, &request.context) {
            (Some((_, text)), _) => IgnoreFileFact::Present(text.clone()),
            (None, ContextSource::Directory(_)) => IgnoreFileFact::Absent,
            (None, ContextSource::Empty) => IgnoreFileFact::Unknown,
        },
        ..Options::default()
    };
    let findings = Lint::new().check(&source, &options);
    let mut piece = Vec::new();
    Renderer::new(OutputFormat::Full, wants_color()).render(&source, &findings, &mut piece)?;
    let mut summary = Summary::default();
    summary.add_file(&findings);
    let mut report = ReportWriter::new(Vec::new(), OutputFormat::Full);
    report.write_piece(&piece)?;
    let text = report.finish(Some(&summary))?;
    io::stderr().write_all(&text)?;
    Ok(findings
        .iter()
        .any(|finding| finding.severity == Severity::Error))
}
