//! CHANGELOG.md has a place for what comes next.

use super::Report;
use crate::workspace::RepositoryFile;

const PATH: &str = "CHANGELOG.md";

pub(super) fn check(files: &[RepositoryFile], report: &mut Report) {
    let changelog = files.iter().find(|file| file.path == PATH);
    let has_section = changelog.is_some_and(|file| {
        file.text
            .lines()
            .any(|line| line.trim_end() == "## [Unreleased]")
    });
    if !has_section {
        report.fault(PATH, "the section `## [Unreleased]` is missing");
    }
}
