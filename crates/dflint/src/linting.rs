//! The one place that knows the lint crate.
//!
//! `provisional` has the same names as the lint crate will have, and a few rules, so that the command line can be tested
//! today. To connect: depend on `dockerfile-lint`, delete `provisional.rs`, and let `lint` below be the crate.

mod provisional;

use std::path::Path;
use std::sync::Arc;

use dockerfile_source::{Applicability, Diagnostic, SourceFile};

use self::provisional as lint;
pub(crate) use self::provisional::{FixResult, Rule, Status, find_rules, rules};
use crate::ignore_file::{IgnoreFile, IgnoreFiles, can_copy_from_context};
use crate::rule_selection::RuleSelection;

/// What is the same for all files of a run.
pub(crate) struct Linter {
    selection: RuleSelection,
    ignore_files: IgnoreFiles,
}

/// What the disk says about one Dockerfile.
struct Surroundings {
    /// `None` when nobody can know: the text came on standard input.
    has_ignore_file: Option<bool>,
    ignore_file: Option<Arc<IgnoreFile>>,
}

impl Linter {
    pub(crate) fn new(selection: RuleSelection) -> Linter {
        Linter {
            selection,
            ignore_files: IgnoreFiles::default(),
        }
    }

    /// Returns the findings of a file, sorted by position; `path` is where it lies on disk, if it does.
    pub(crate) fn check(&self, source: &SourceFile, path: Option<&Path>) -> Vec<Diagnostic> {
        let surroundings = self.surroundings(source.text(), path);
        lint::check(source, &self.options(&surroundings))
    }

    /// Returns the text with the fixes that are at least this applicable, up to a fixpoint.
    pub(crate) fn fix(
        &self,
        text: &str,
        path: Option<&Path>,
        applicability: Applicability,
    ) -> FixResult {
        let surroundings = self.surroundings(text, path);
        lint::fix(text, &self.options(&surroundings), applicability)
    }

    fn options<'o>(&'o self, surroundings: &'o Surroundings) -> lint::Options<'o> {
        lint::Options {
            enabled: self.selection.as_slice(),
            has_ignore_file: surroundings.has_ignore_file,
            ignore_file: surroundings
                .ignore_file
                .as_ref()
                .map(|file| file.text.as_str()),
        }
    }

    fn surroundings(&self, text: &str, path: Option<&Path>) -> Surroundings {
        // Two looks at the disk for each file would be felt on thousands of files, and most rules do not care.
        let ignore_file = path
            .filter(|_| can_copy_from_context(text))
            .map(|path| self.ignore_files.find(path));
        Surroundings {
            has_ignore_file: ignore_file.as_ref().map(Option::is_some),
            ignore_file: ignore_file.flatten(),
        }
    }
}
