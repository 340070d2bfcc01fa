//! `dflint format`: tidy text for files and folders.

use std::env;
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::sync::Mutex;

use anyhow::{Context, Result};
use dockerfile_config::{Overrides, Settings};
use dockerfile_format::{Formatter, RunStyle};

use super::{jobs, paths, wants_color};
use crate::arguments::{FormatArguments, Run};
use crate::discovery::{Input, discover};
use crate::format_file::{FormatResult, FormatRun, Mode};
use crate::ordered_work::work_in_order;
use crate::outcome::Outcome;
use crate::{report_note, report_problem, report_warning};

pub(crate) fn run(arguments: &FormatArguments) -> Result<Outcome> {
    let paths = paths(&arguments.paths, arguments.stdin_filename.as_deref())?;
    let discovery = discover(&paths, !arguments.no_gitignore);
    for problem in &discovery.problems {
        report_problem(problem);
    }
    if discovery.inputs.is_empty() && discovery.problems.is_empty() {
        report_warning("no Dockerfile found in the given paths");
    }
    let current_folder = env::current_dir().context("cannot tell the current folder")?;
    let overrides = Overrides {
        config: arguments.config.clone(),
        run: arguments.run.map(|run| match run {
            Run::Pretty => RunStyle::Pretty,
            Run::Keep => RunStyle::Keep,
        }),
        line_width: arguments.line_width,
    };
    let run = FormatRun {
        settings: Mutex::new(Settings::new(current_folder, overrides)),
        mode: match (arguments.diff, arguments.check) {
            (true, _) => Mode::Diff,
            (false, true) => Mode::Check,
            (false, false) => Mode::Write,
        },
        range: arguments.range,
        color: wants_color(arguments.color, false),
        is_verbose: arguments.verbose,
        stdin_filename: arguments.stdin_filename.clone(),
    };
    let mut totals = Totals {
        has_failed: !discovery.problems.is_empty(),
        ..Totals::default()
    };
    let mut out = BufWriter::new(io::stdout());
    let inputs = discovery.inputs;
    work_in_order(
        inputs.len(),
        jobs(arguments.jobs, inputs.len()),
        Formatter::new,
        |formatter, index| Some(run.format(formatter, inputs.get(index)?)),
        |result| match result {
            Some(result) => totals.take(&result, &mut out),
            None => ControlFlow::Continue(()),
        },
    );
    // A text that is piped through needs no summary.
    let is_filter = run.mode == Mode::Write && inputs == [Input::StandardInput];
    totals.finish(&mut out, arguments.quiet || is_filter, run.mode)
}

#[derive(Default)]
struct Totals {
    changed: usize,
    unchanged: usize,
    has_failed: bool,
    /// Why the output could not be written to its end.
    closed: Option<io::Error>,
}

impl Totals {
    fn take(&mut self, result: &FormatResult, out: &mut impl Write) -> ControlFlow<()> {
        for problem in &result.problems {
            report_problem(problem);
            self.has_failed = true;
        }
        for note in &result.notes {
            report_note(note);
        }
        if result.is_done {
            self.changed += usize::from(result.is_changed);
            self.unchanged += usize::from(!result.is_changed);
        }
        match out.write_all(&result.output) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.closed = Some(error);
                ControlFlow::Break(())
            }
        }
    }

    fn finish(self, out: &mut impl Write, is_quiet: bool, mode: Mode) -> Result<Outcome> {
        let outcome = match (self.has_failed, mode) {
            (true, _) => Outcome::Failed,
            (false, Mode::Check | Mode::Diff) if self.changed > 0 => Outcome::Findings,
            _ => Outcome::Clean,
        };
        let written = match self.closed {
            Some(error) => Err(error),
            None => out.flush(),
        };
        match written {
            // Whoever reads has had enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(outcome),
            other => other?,
        }
        if !is_quiet && self.changed + self.unchanged > 0 {
            let verb = match mode {
                Mode::Write => "Formatted",
                Mode::Check | Mode::Diff => "Would format",
            };
            let plural = if self.changed == 1 { "" } else { "s" };
            let _ = writeln!(
                io::stderr(),
                "{verb} {} file{plural}, {} already formatted",
                self.changed,
                self.unchanged
            );
        }
        Ok(outcome)
    }
}
