//! Rules with what the disk says about a Dockerfile's surroundings: the lint crate itself does no I/O.

use std::path::Path;

use dockerfile_lint::{FixOutcome, IgnoreFileFact, Lint, Options, Selection, fix};
use dockerfile_source::{Applicability, Diagnostic, SourceFile};

use crate::ignore_file::{IgnoreFiles, can_copy_from_context};
#[cfg(all(target_os = "linux", feature = "images"))]
use crate::image_store::ImageStore;

/// What is the same for all files of a run.
pub(crate) struct Linter {
    selection: Selection,
    ignore_files: IgnoreFiles,
    #[cfg(all(target_os = "linux", feature = "images"))]
    pub(crate) images: Option<ImageStore>,
}

/// Checks one file after the other; each thread has its own.
pub(crate) struct FileLinter<'l> {
    ignore_files: &'l IgnoreFiles,
    #[cfg(all(target_os = "linux", feature = "images"))]
    images: Option<&'l ImageStore>,
    lint: Lint,
    options: Options,
}

impl Linter {
    pub(crate) fn new(selection: Selection) -> Linter {
        Linter {
            selection,
            ignore_files: IgnoreFiles::default(),
            #[cfg(all(target_os = "linux", feature = "images"))]
            images: None,
        }
    }

    pub(crate) fn for_files(&self) -> FileLinter<'_> {
        FileLinter {
            ignore_files: &self.ignore_files,
            #[cfg(all(target_os = "linux", feature = "images"))]
            images: self.images.as_ref(),
            lint: Lint::new(),
            options: Options {
                selection: self.selection.clone(),
                ..Options::default()
            },
        }
    }
}

impl FileLinter<'_> {
    /// Returns the findings of a file, sorted by position; `path` is where it lies on disk, if it does.
    pub(crate) fn check(&mut self, source: &SourceFile, path: Option<&Path>) -> Vec<Diagnostic> {
        self.look_around(source, path);
        self.lint.check(source, &self.options)
    }

    /// Returns the text with the fixes that are at least this applicable, and what is left to find in it.
    pub(crate) fn fix(
        &mut self,
        source: &SourceFile,
        path: Option<&Path>,
        least: Applicability,
    ) -> FixOutcome {
        self.look_around(source, path);
        fix(source, &self.options, least)
    }

    fn look_around(&mut self, source: &SourceFile, path: Option<&Path>) {
        #[cfg(all(target_os = "linux", feature = "images"))]
        self.look_at_images(source);
        // Two looks at the disk for each file would be felt on thousands of files, and most rules do not care.
        let Some(path) = path.filter(|_| can_copy_from_context(source.text())) else {
            self.options.ignore_file = IgnoreFileFact::Unknown;
            return;
        };
        self.options.ignore_file = match self.ignore_files.find(path) {
            Some(file) => IgnoreFileFact::Present(file.text.clone()),
            None => IgnoreFileFact::Absent,
        };
    }

    /// Takes what the store knows of the images that a file names.
    #[cfg(all(target_os = "linux", feature = "images"))]
    fn look_at_images(&mut self, source: &SourceFile) {
        let Some(images) = self.images else {
            return;
        };
        let names = self.lint.image_names(source).into_iter();
        let facts = names.filter_map(|name| Some((name.clone(), images.facts(&name)?)));
        self.options.input.base_images = facts.collect();
    }
}
