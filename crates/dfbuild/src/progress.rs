//! What is seen of a build while it runs.

mod json;
mod plain;
mod terminal;

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use dockerfile_build::{Image, Observer, Request, Silent};
use dockerfile_source::SourceFile;

use crate::arguments::{BuildArguments, ProgressKind};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Returns whether somebody pressed Ctrl-C.
pub(crate) fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// How a build is shown.
pub(crate) enum Shown {
    Plain(plain::Plain),
    Json(json::Json),
    Terminal(terminal::Terminal),
    Quiet(Silent),
}

impl Shown {
    pub(crate) fn new(arguments: &BuildArguments, request: &Request) -> Shown {
        let source = SourceFile::new(request.dockerfile_name.clone(), request.dockerfile.clone());
        let kind = match arguments.progress {
            _ if arguments.quiet => ProgressKind::Quiet,
            ProgressKind::Auto if io::stderr().is_terminal() => ProgressKind::Tty,
            ProgressKind::Auto => ProgressKind::Plain,
            other => other,
        };
        match kind {
            ProgressKind::Quiet => Shown::Quiet(Silent),
            ProgressKind::Rawjson => Shown::Json(json::Json::new(source)),
            ProgressKind::Tty => Shown::Terminal(terminal::Terminal::new(arguments.explain_cache)),
            ProgressKind::Plain | ProgressKind::Auto => {
                Shown::Plain(plain::Plain::new(arguments.explain_cache))
            }
        }
    }

    pub(crate) fn observer(&self) -> &dyn Observer {
        match self {
            Shown::Plain(plain) => plain,
            Shown::Json(json) => json,
            Shown::Terminal(terminal) => terminal,
            Shown::Quiet(silent) => silent,
        }
    }

    /// Leaves the terminal as it was.
    pub(crate) fn end(&self) {
        if let Shown::Terminal(terminal) = self {
            terminal.end();
        }
    }

    /// Says what came out.
    pub(crate) fn done(&self, image: &Image, tags: &[String]) -> Result<()> {
        if let Shown::Quiet(_) = self {
            writeln!(io::stdout(), "{}", image.id)?;
            return Ok(());
        }
        if let Shown::Json(_) = self {
            json::Json::done(image, tags);
            return Ok(());
        }
        let mut out = io::stderr().lock();
        writeln!(out, "image {}", image.id)?;
        for tag in tags {
            writeln!(out, "named {tag}")?;
        }
        Ok(())
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "it is rounded to one decimal anyway"
)]
/// Returns a number of bytes as people read it.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["B", "kB", "MB", "GB"];
    let (mut value, mut unit) = (count as f64, "B");
    for next in UNITS {
        unit = next;
        if value < 1000.0 {
            break;
        }
        if next != "GB" {
            value /= 1000.0;
        }
    }
    if unit == "B" {
        format!("{count} B")
    } else {
        format!("{value:.1} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_units() {
        for (count, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_500, "1.5 kB"),
            (2_000_000, "2.0 MB"),
            (3_100_000_000, "3.1 GB"),
        ] {
            assert_eq!(bytes(count), text);
        }
    }
}
