//! `dflint check`: findings, fixes and diffs for files and folders.

use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;

use anyhow::Result;
use dockerfile_lint::{Selection, UnknownRule};
use dockerfile_report::{OutputFormat, Renderer, ReportWriter, Statistics, Summary};
use dockerfile_source::Applicability;

use super::{jobs, paths, wants_color};
use crate::arguments::CheckArguments;
use crate::check_file::{Checker, FileResult, Mode};
use crate::discovery::{Input, discover};
use crate::linting::Linter;
use crate::ordered_work::work_in_order;
use crate::outcome::Outcome;
use crate::{report_problem, report_warning};

/// Bytes of report that are collected before they are sent.
const BUFFER_BYTES: usize = 64 * 1024;

type Output = BufWriter<Box<dyn Write + Send>>;

pub(crate) fn run(arguments: CheckArguments) -> Result<Outcome> {
    let selection = selection(&arguments)?;
    let paths = paths(&arguments.paths, arguments.stdin_filename.as_deref())?;
    let discovery = discover(&paths, !arguments.no_gitignore);
    for problem in &discovery.problems {
        report_problem(problem);
    }
    if discovery.inputs.is_empty() && discovery.problems.is_empty() {
        report_warning("no Dockerfile found in the given paths");
    }
    let mode = mode(&arguments);
    let format = OutputFormat::from(arguments.output_format);
    let writes_text =
        matches!(mode, Mode::Fix(_)) && discovery.inputs.contains(&Input::StandardInput);
    let color = wants_color(arguments.color, writes_text);
    let checker = Checker {
        linter: linter(selection, &arguments),
        renderer: Renderer::new(format, color),
        mode,
        is_counting: arguments.statistics,
        color,
        stdin_filename: arguments.stdin_filename.clone(),
    };
    let mut run = Run {
        // The report makes way for the repaired text of standard input.
        report: ReportWriter::new(output(writes_text), report_format(mode, format)),
        totals: Totals::default(),
        has_failed: !discovery.problems.is_empty(),
        closed: None,
    };
    let inputs = discovery.inputs;
    work_in_order(
        inputs.len(),
        jobs(arguments.jobs, inputs.len()),
        || checker.linter.for_files(),
        |linter, index| {
            let input = inputs.get(index)?;
            Some(checker.check(linter, input))
        },
        |result| match result {
            Some(result) => run.take(result),
            None => ControlFlow::Continue(()),
        },
    );
    run.finish(&arguments, mode)
}

#[cfg(all(target_os = "linux", feature = "images"))]
fn linter(selection: Selection, arguments: &CheckArguments) -> Linter {
    let mut linter = Linter::new(selection);
    if arguments.images {
        match crate::image_store::ImageStore::open() {
            Ok(images) => linter.images = Some(images),
            Err(folder) => report_warning(&format!(
                "`--images` finds nothing: {} is no store of images",
                folder.display()
            )),
        }
    }
    linter
}

#[cfg(not(all(target_os = "linux", feature = "images")))]
fn linter(selection: Selection, _: &CheckArguments) -> Linter {
    Linter::new(selection)
}

/// Returns the rules of the run: nothing selected means the stable ones.
fn selection(arguments: &CheckArguments) -> Result<Selection, UnknownRule> {
    let mut selection = match (arguments.select.is_empty(), arguments.preview) {
        (true, false) => Selection::default(),
        (true, true) => Selection::preview(),
        (false, _) => Selection::none(),
    };
    for rule in &arguments.select {
        selection.set(rule.trim(), true)?;
    }
    for rule in &arguments.ignore {
        selection.set(rule.trim(), false)?;
    }
    Ok(selection)
}

fn mode(arguments: &CheckArguments) -> Mode {
    let least = if arguments.unsafe_fixes {
        Applicability::Unsafe
    } else {
        Applicability::Safe
    };
    // With both, the one that writes nothing wins.
    match (arguments.diff, arguments.fix) {
        (true, _) => Mode::Diff(least),
        (false, true) => Mode::Fix(least),
        (false, false) => Mode::Check,
    }
}

/// Returns how pieces are joined: diffs are lines, whatever format findings would have.
fn report_format(mode: Mode, format: OutputFormat) -> OutputFormat {
    match mode {
        Mode::Diff(_) => OutputFormat::Concise,
        Mode::Check | Mode::Fix(_) => format,
    }
}

fn output(to_standard_error: bool) -> Output {
    let out: Box<dyn Write + Send> = if to_standard_error {
        Box::new(io::stderr())
    } else {
        Box::new(io::stdout())
    };
    BufWriter::with_capacity(BUFFER_BYTES, out)
}

#[derive(Default)]
struct Totals {
    summary: Summary,
    statistics: Statistics,
    fixed: usize,
    changed_files: usize,
}

/// The report in the making.
struct Run {
    report: ReportWriter<Output>,
    totals: Totals,
    has_failed: bool,
    /// Why the report could not be written to its end.
    closed: Option<io::Error>,
}

impl Run {
    fn take(&mut self, result: FileResult) -> ControlFlow<()> {
        for warning in &result.warnings {
            report_warning(warning);
        }
        for problem in &result.problems {
            report_problem(problem);
            self.has_failed = true;
        }
        self.totals.summary.add(&result.summary);
        self.totals.statistics.add(&result.statistics);
        self.totals.fixed += result.fixed;
        self.totals.changed_files += usize::from(result.fixed > 0);
        let written = self.report.write_piece(&result.piece).and_then(|()| {
            let Some(text) = &result.text else {
                return Ok(());
            };
            let mut out = io::stdout().lock();
            out.write_all(text)?;
            out.flush()
        });
        match written {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.closed = Some(error);
                ControlFlow::Break(())
            }
        }
    }

    fn finish(self, arguments: &CheckArguments, mode: Mode) -> Result<Outcome> {
        let outcome = self.outcome(arguments, mode);
        let written = if let Some(error) = self.closed {
            Err(error)
        } else {
            let has_summary =
                !arguments.quiet && !matches!(mode, Mode::Diff(_)) && self.totals.summary.files > 0;
            let summary = has_summary.then_some(&self.totals.summary);
            let written = if arguments.statistics {
                self.report
                    .finish_with_statistics(&self.totals.statistics, summary)
            } else {
                self.report.finish(summary)
            };
            written.map(drop)
        };
        match written {
            // Whoever reads has had enough; the findings so far still count.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(outcome),
            other => other?,
        }
        if !arguments.quiet {
            say_what_was_fixed(mode, &self.totals);
        }
        Ok(outcome)
    }

    fn outcome(&self, arguments: &CheckArguments, mode: Mode) -> Outcome {
        let has_findings = match mode {
            Mode::Diff(_) => self.totals.changed_files > 0,
            Mode::Check | Mode::Fix(_) => self
                .totals
                .summary
                .worst()
                .is_some_and(|worst| arguments.fail_on.counts(worst)),
        };
        match (self.has_failed, has_findings) {
            (true, _) => Outcome::Failed,
            (false, true) => Outcome::Findings,
            (false, false) => Outcome::Clean,
        }
    }
}

/// Says on standard error what changed, or would change: standard output has the report or the diff.
fn say_what_was_fixed(mode: Mode, totals: &Totals) {
    let verb = match mode {
        Mode::Check => return,
        Mode::Fix(_) if totals.fixed == 0 => return,
        Mode::Fix(_) => "Fixed",
        Mode::Diff(_) => "Would fix",
    };
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let (fixed, files) = (totals.fixed, totals.changed_files);
    let _ = writeln!(
        io::stderr(),
        "{verb} {fixed} finding{} in {files} file{}",
        plural(fixed),
        plural(files)
    );
}
