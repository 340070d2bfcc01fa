//! One input: read, checked or fixed, and rendered.

use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};

use dockerfile_lint::RefusedFix;
use dockerfile_report::{Renderer, Statistics, Summary};
use dockerfile_source::{Applicability, Diagnostic, SourceFile};

use crate::discovery::Input;
use crate::linting::{FileLinter, Linter};
use crate::read_source::{Content, read_source};
use crate::write_atomically::write_atomically;

/// What to do with an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Report the findings.
    Check,
    /// Repair what can be repaired and report the rest.
    Fix(Applicability),
    /// Show what `Fix` would change.
    Diff(Applicability),
}

/// How all inputs of a run are checked.
pub(crate) struct Checker {
    pub(crate) linter: Linter,
    pub(crate) renderer: Renderer,
    pub(crate) mode: Mode,
    /// Whether findings are printed, or counted only.
    pub(crate) is_counting: bool,
    pub(crate) color: bool,
    pub(crate) stdin_filename: Option<PathBuf>,
}

/// What became of one input.
#[derive(Default)]
pub(crate) struct FileResult {
    /// The rendered findings, or the diff; empty for a clean file.
    pub(crate) piece: Vec<u8>,
    /// The repaired text of standard input, which has no file to be written to.
    pub(crate) text: Option<Vec<u8>>,
    pub(crate) summary: Summary,
    pub(crate) statistics: Statistics,
    pub(crate) fixed: usize,
    /// What could not be read, written or done, as messages with the path.
    pub(crate) problems: Vec<String>,
    /// Fixes that were left out, and why, with the path.
    pub(crate) warnings: Vec<String>,
}

impl Checker {
    /// Checks one input. Whatever goes wrong, the result says so and the other inputs are not touched.
    pub(crate) fn check<'c>(&'c self, linter: &mut FileLinter<'c>, input: &Input) -> FileResult {
        let checked = panic::catch_unwind(AssertUnwindSafe(|| self.try_check(linter, input)));
        checked.unwrap_or_else(|_| {
            // What the panic left behind is not to be trusted with the next file.
            *linter = self.linter.for_files();
            FileResult::problem(format!(
                "cannot check {}: dflint has a bug; report it with this file",
                self.name(input)
            ))
        })
    }

    fn name(&self, input: &Input) -> String {
        match (input, &self.stdin_filename) {
            (Input::File(path), _) | (Input::StandardInput, Some(path)) => {
                path.display().to_string()
            }
            (Input::StandardInput, None) => "<stdin>".to_owned(),
        }
    }

    fn try_check(&self, linter: &mut FileLinter<'_>, input: &Input) -> FileResult {
        let source = match read_source(input, self.stdin_filename.as_deref()) {
            Ok(Content::Text(source)) => source,
            Ok(Content::Bytes(found)) => {
                let mut result = FileResult::default();
                self.report(&found.source, &[found.diagnostic], &mut result);
                if *input == Input::StandardInput && matches!(self.mode, Mode::Fix(_)) {
                    result.text = Some(found.bytes);
                }
                return result;
            }
            Err(error) => {
                return FileResult::problem(format!("cannot read {}: {error}", self.name(input)));
            }
        };
        let path = match input {
            Input::File(path) => Some(path.as_path()),
            Input::StandardInput => self.stdin_filename.as_deref(),
        };
        let mut result = FileResult::default();
        match self.mode {
            Mode::Check => {
                let diagnostics = linter.check(&source, path);
                self.report(&source, &diagnostics, &mut result);
            }
            Mode::Diff(applicability) => {
                self.diff(linter, &source, path, applicability, &mut result);
            }
            Mode::Fix(applicability) => {
                self.fix(linter, input, source, path, applicability, &mut result);
            }
        }
        result
    }

    fn report(&self, source: &SourceFile, diagnostics: &[Diagnostic], result: &mut FileResult) {
        result.summary.add_file(diagnostics);
        if self.is_counting {
            result.statistics.add_file(diagnostics);
        } else if matches!(self.mode, Mode::Diff(_)) {
            // A diff has no room for findings.
        } else if let Err(error) = self.renderer.render(source, diagnostics, &mut result.piece) {
            let name = source.name();
            result
                .problems
                .push(format!("cannot print the findings of {name}: {error}"));
        }
    }

    fn diff(
        &self,
        linter: &mut FileLinter<'_>,
        source: &SourceFile,
        path: Option<&Path>,
        least: Applicability,
        result: &mut FileResult,
    ) {
        let fixed = linter.fix(source, path, least);
        result.summary.files += 1;
        result.warn(source.name(), &fixed.refused);
        if fixed.text == source.text() {
            return;
        }
        result.fixed = fixed.applied.len();
        // Writing to memory does not fail.
        let _ = dockerfile_report::diff(
            source.name(),
            source.text(),
            &fixed.text,
            self.color,
            &mut result.piece,
        );
    }

    fn fix(
        &self,
        linter: &mut FileLinter<'_>,
        input: &Input,
        source: SourceFile,
        path: Option<&Path>,
        least: Applicability,
        result: &mut FileResult,
    ) {
        let fixed = linter.fix(&source, path, least);
        result.warn(source.name(), &fixed.refused);
        let written = match input {
            Input::File(path) if fixed.text != source.text() => {
                write_atomically(path, source.text(), &fixed.text)
            }
            Input::File(_) | Input::StandardInput => Ok(()),
        };
        if let Err(error) = written {
            let message = format!("cannot write {}: {error}", source.name());
            result.problems.push(message);
            self.report(&source, &linter.check(&source, path), result);
            return;
        }
        result.fixed = fixed.applied.len();
        let source = SourceFile::new(source.name().to_owned(), fixed.text);
        self.report(&source, &fixed.remaining, result);
        if *input == Input::StandardInput {
            result.text = Some(source.text().as_bytes().to_vec());
        }
    }
}

impl FileResult {
    fn problem(message: String) -> FileResult {
        FileResult {
            problems: vec![message],
            ..FileResult::default()
        }
    }

    fn warn(&mut self, name: &str, refused: &[RefusedFix]) {
        self.warnings.extend(refused.iter().map(|refused| {
            let (rule, reason) = (refused.finding.rule, refused.reason.as_str());
            format!("{name}: a fix of `{rule}` was left out: {reason}")
        }));
    }
}
