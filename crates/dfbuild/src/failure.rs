//! A build that failed, as a compiler would tell it.

use std::io::{self, IsTerminal as _, Write as _};

use anyhow::Result;
use dockerfile_build::{BuildError, Place};
use dockerfile_report::{OutputFormat, Renderer, visible};
use dockerfile_source::{Diagnostic, Label, Severity, SourceFile};

/// Prints a failure with the place in the Dockerfile and the last lines of the command.
pub(crate) fn print(error: &BuildError, source: &SourceFile) -> Result<()> {
    let mut out = Vec::new();
    for line in &error.output {
        writeln!(out, "    │ {}", visible(line))?;
    }
    if let Some(place) = &error.place {
        let diagnostic = diagnostic(error, place);
        Renderer::new(OutputFormat::Full, wants_color()).render(source, &[diagnostic], &mut out)?;
    } else {
        writeln!(out, "error: {}", visible(&error.message))?;
        if let Some(help) = &error.help {
            writeln!(out, "  = help: {}", visible(help))?;
        }
    }
    io::stderr().write_all(&out)?;
    Ok(())
}

fn diagnostic(error: &BuildError, place: &Place) -> Diagnostic {
    let mut labels = vec![Label {
        range: place.range,
        message: place.label.clone(),
    }];
    labels.extend(place.others.iter().map(|(range, message)| Label {
        range: *range,
        message: message.clone(),
    }));
    Diagnostic {
        rule: "build-failed",
        code: "",
        aliases: &[],
        severity: Severity::Error,
        message: error.message.clone(),
        range: place.range,
        labels,
        help: error.help.clone(),
        fix: None,
    }
}

/// Returns whether standard error shows colours.
pub(crate) fn wants_color() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    io::stderr().is_terminal() && !is_set("NO_COLOR")
}
