//! One input: read, formatted, and written or compared.

use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use dockerfile_config::Settings;
use dockerfile_format::{Formatted, Formatter};
use dockerfile_source::{SourceFile, TextRange, TextSize};

use crate::arguments::LineRange;
use crate::discovery::Input;
use crate::read_source::{Content, read_source};
use crate::write_atomically::write_atomically;

/// What to do with a file that is not formatted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Write,
    /// Name it.
    Check,
    /// Show what would change.
    Diff,
}

/// How all inputs of a run are formatted.
pub(crate) struct FormatRun {
    pub(crate) settings: Mutex<Settings>,
    pub(crate) mode: Mode,
    pub(crate) range: Option<LineRange>,
    pub(crate) color: bool,
    pub(crate) is_verbose: bool,
    pub(crate) stdin_filename: Option<PathBuf>,
}

/// What became of one input.
#[derive(Default)]
pub(crate) struct FormatResult {
    /// What goes to standard output.
    pub(crate) output: Vec<u8>,
    /// Whether the file could be read and formatted.
    pub(crate) is_done: bool,
    pub(crate) is_changed: bool,
    pub(crate) problems: Vec<String>,
    /// Instructions that keep their text, and why.
    pub(crate) notes: Vec<String>,
}

impl FormatRun {
    /// Formats one input. Whatever goes wrong, the result says so and the other inputs are not touched.
    pub(crate) fn format(&self, formatter: &mut Formatter, input: &Input) -> FormatResult {
        let formatted = panic::catch_unwind(AssertUnwindSafe(|| self.try_format(formatter, input)));
        formatted.unwrap_or_else(|_| {
            *formatter = Formatter::new();
            FormatResult::problem(format!(
                "cannot format {}: dflint has a bug; report it with this file",
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

    fn try_format(&self, formatter: &mut Formatter, input: &Input) -> FormatResult {
        let is_stdin = *input == Input::StandardInput;
        let source = match read_source(input, self.stdin_filename.as_deref()) {
            Ok(Content::Text(source)) => source,
            Ok(Content::Bytes(found)) => {
                let name = self.name(input);
                let mut result = FormatResult::problem(format!(
                    "cannot format {name}: {}",
                    found.diagnostic.message
                ));
                if is_stdin && self.mode == Mode::Write {
                    // An editor that pipes a buffer through gets it back as it was.
                    result.output = found.bytes;
                }
                return result;
            }
            Err(error) => {
                return FormatResult::problem(format!("cannot read {}: {error}", self.name(input)));
            }
        };
        let path = match input {
            Input::File(path) => Some(path.as_path()),
            Input::StandardInput => self.stdin_filename.as_deref(),
        };
        let options = {
            let mut settings = match self.settings.lock() {
                Ok(settings) => settings,
                Err(poisoned) => poisoned.into_inner(),
            };
            settings.format_options(path.unwrap_or(Path::new("Dockerfile")))
        };
        let options = match options {
            Ok(options) => options,
            Err(error) => {
                let mut result = FormatResult::problem(with_causes(&error));
                if is_stdin && self.mode == Mode::Write {
                    result.output = source.text().into();
                }
                return result;
            }
        };
        let range = self.range.map(|lines| text_range(source.text(), lines));
        let formatted = formatter.format(source.text(), &options, range);
        self.deliver(input, &source, &formatted)
    }

    fn deliver(&self, input: &Input, source: &SourceFile, formatted: &Formatted) -> FormatResult {
        let is_changed = !formatted.edit.is_empty();
        let mut result = FormatResult {
            is_done: true,
            is_changed,
            notes: self.notes(source, formatted),
            ..FormatResult::default()
        };
        let Some(text) = formatted.edit.apply(source.text()) else {
            return FormatResult::problem(format!(
                "cannot format {}: dflint has a bug; report it with this file",
                source.name()
            ));
        };
        match (self.mode, input) {
            (Mode::Write, Input::StandardInput) => result.output = text.into_bytes(),
            _ if !is_changed => {}
            (Mode::Write, Input::File(path)) => {
                if let Err(error) = write_atomically(path, source.text(), &text) {
                    return FormatResult::problem(format!(
                        "cannot write {}: {error}",
                        source.name()
                    ));
                }
            }
            (Mode::Check, _) => {
                result.output = format!("Would format: {}\n", source.name()).into_bytes();
            }
            (Mode::Diff, _) => {
                // Writing to memory does not fail.
                let _ = dockerfile_report::diff(
                    source.name(),
                    source.text(),
                    &text,
                    self.color,
                    &mut result.output,
                );
            }
        }
        result
    }

    fn notes(&self, source: &SourceFile, formatted: &Formatted) -> Vec<String> {
        if !self.is_verbose {
            return Vec::new();
        }
        formatted
            .kept
            .iter()
            .map(|kept| {
                let before = source.text().get(..usize::from(kept.range.start()));
                let line = before.unwrap_or_default().matches('\n').count() + 1;
                format!(
                    "{}:{line}: this instruction keeps its text: {}",
                    source.name(),
                    kept.reason.as_str()
                )
            })
            .collect()
    }
}

impl FormatResult {
    fn problem(message: String) -> FormatResult {
        FormatResult {
            problems: vec![message],
            ..FormatResult::default()
        }
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(message.trim()) {
            text.push_str(": ");
            text.push_str(&message);
        }
        cause = error.source();
    }
    text.trim_end().to_owned()
}

/// Returns the range of whole lines.
fn text_range(text: &str, lines: LineRange) -> TextRange {
    let ends = text.match_indices('\n').map(|(idx, _)| idx);
    let start_of = |line: u32| match line {
        0 | 1 => 0,
        _ => ends
            .clone()
            .nth(line as usize - 2)
            .map_or(text.len(), |idx| idx + 1),
    };
    let start = start_of(lines.first);
    let end = ends
        .clone()
        .nth(lines.last as usize - 1)
        .unwrap_or(text.len());
    let size = |value: usize| TextSize::new(value as u32);
    TextRange::new(size(start.min(end)), size(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_offsets() {
        let text = "a\nbc\n\nd";
        let range = |first, last| {
            let range = text_range(text, LineRange { first, last });
            (u32::from(range.start()), u32::from(range.end()))
        };
        assert_eq!(range(1, 1), (0, 1));
        assert_eq!(range(2, 3), (2, 5));
        assert_eq!(range(2, u32::MAX), (2, 7));
        assert_eq!(range(9, 9), (7, 7));
    }
}
