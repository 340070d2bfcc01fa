//! One input: read, checked or fixed, and rendered.

use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};

use dockerfile_report::{Renderer, Statistics, Summary};
use dockerfile_source::{Applicability, Diagnostic, SourceFile};

use crate::discovery::Input;
use crate::linting::Linter;
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
    pub(crate) fn check(&self, input: &Input) -> FileResult {
        panic::catch_unwind(AssertUnwindSafe(|| self.try_check(input))).unwrap_or_else(|_| {
            FileResult::problem(format!(
                "cannot check {}: dflint has a bug, please report it with this file",
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

    fn try_check(&self, input: &Input) -> FileResult {
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
                let diagnostics = self.linter.check(&source, path);
                self.report(&source, &diagnostics, &mut result);
            }
            Mode::Diff(applicability) => self.diff(&source, path, applicability, &mut result),
            Mode::Fix(applicability) => self.fix(input, source, path, applicability, &mut result),
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
        source: &SourceFile,
        path: Option<&Path>,
        applicability: Applicability,
        result: &mut FileResult,
    ) {
        let fixed = self.linter.fix(source.text(), path, applicability);
        result.summary.files += 1;
        result.warn(source.name(), fixed.refused);
        if fixed.text == source.text() {
            return;
        }
        result.fixed = fixed.applied;
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
        input: &Input,
        source: SourceFile,
        path: Option<&Path>,
        applicability: Applicability,
        result: &mut FileResult,
    ) {
        let fixed = self.linter.fix(source.text(), path, applicability);
        result.warn(source.name(), fixed.refused);
        let mut source = source;
        if fixed.text != source.text() {
            let written = match input {
                Input::File(path) => write_atomically(path, source.text(), &fixed.text),
                Input::StandardInput => Ok(()),
            };
            match written {
                Ok(()) => {
                    result.fixed = fixed.applied;
                    source = SourceFile::new(source.name().to_owned(), fixed.text);
                }
                Err(error) => result
                    .problems
                    .push(format!("cannot write {}: {error}", source.name())),
            }
        }
        let diagnostics = self.linter.check(&source, path);
        self.report(&source, &diagnostics, result);
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

    fn warn(&mut self, name: &str, refused: Vec<String>) {
        self.warnings.extend(
            refused
                .into_iter()
                .map(|reason| format!("{name}: a fix was left out: {reason}")),
        );
    }
}
