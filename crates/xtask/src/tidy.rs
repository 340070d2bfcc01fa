//! `cargo xtask tidy`: the rules of the house that no other tool checks. Runs as a test of this crate, too.

mod changelog;
mod crate_arrows;
mod dependency_owners;
mod file_sizes;
mod forbidden_calls;
mod lint_rules;
mod manifests;
mod private_places;
mod rust_source;

use crate::workspace::{RepositoryFile, Workspace};

/// What tidy found.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) faults: Vec<String>,
    /// Worth a look; never a failure.
    pub(crate) notes: Vec<String>,
}

impl Report {
    fn fault(&mut self, path: &str, message: impl AsRef<str>) {
        self.faults.push(format!("{path}: {}", message.as_ref()));
    }

    fn fault_at(&mut self, path: &str, line: usize, message: impl AsRef<str>) {
        self.faults
            .push(format!("{path}:{line}: {}", message.as_ref()));
    }

    fn note(&mut self, path: &str, message: impl AsRef<str>) {
        self.notes.push(format!("{path}: {}", message.as_ref()));
    }
}

/// Checks the repository.
pub(crate) fn tidy(workspace: &Workspace) -> anyhow::Result<Report> {
    let files = workspace.files()?;
    let manifests = manifests::read(&files)?;
    let mut report = Report::default();
    crate_arrows::check(&manifests, &mut report);
    dependency_owners::check(&manifests, &mut report);
    manifests::check_root_package(&manifests, &mut report);
    for file in files.iter().filter(|file| has_extension(file, "rs")) {
        file_sizes::check(file, &mut report);
        forbidden_calls::check(file, &mut report);
    }
    let rules = dockerfile_lint::rules()
        .iter()
        .map(|rule| rule.name)
        .collect();
    lint_rules::check(&files, &rules, &mut report);
    changelog::check(&files, &mut report);
    private_places::check(workspace, &files, &mut report);
    Ok(report)
}

/// Prints a report and returns whether it is free of faults.
// It fits with the other steps of `ready`, which may fail to run.
#[allow(clippy::unnecessary_wraps)]
pub(crate) fn print(report: &Report) -> anyhow::Result<bool> {
    for note in &report.notes {
        println!("note: {note}");
    }
    for fault in &report.faults {
        println!("tidy: {fault}");
    }
    if report.faults.is_empty() {
        println!("tidy: all is well");
    }
    Ok(report.faults.is_empty())
}

fn has_extension(file: &RepositoryFile, extension: &str) -> bool {
    file.path
        .rsplit_once('.')
        .is_some_and(|(_, found)| found == extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_tidy() {
        let report = tidy(&Workspace::find()).expect("the repository can be read");
        assert!(report.faults.is_empty(), "\n{}", report.faults.join("\n"));
    }
}
