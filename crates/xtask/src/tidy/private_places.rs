//! No file names a place of the machine that it was written on, or a package host.

use super::{Report, has_extension};
use crate::workspace::{RepositoryFile, Workspace};

/// The first label of hosts that serve packages; a mirror of theirs differs from machine to machine.
const PACKAGE_HOSTS: &[&str] = &["registry", "deb", "index", "static", "files", "security"];

/// Reserved for examples (RFC 2606): nobody's host.
const NOBODY: &str = "example.";

/// Shorter paths (`/app`, `/src`) stand in many Dockerfiles.
const SHORTEST_ROOT: usize = 3;

pub(super) fn check(workspace: &Workspace, files: &[RepositoryFile], report: &mut Report) {
    let roots = private_roots(workspace);
    for file in files.iter().filter(|file| !has_extension(file, "lock")) {
        for (idx, line) in file.text.lines().enumerate() {
            if let Some(host) = package_host(line) {
                let message = format!("names the package host `{host}...`");
                report.fault_at(&file.path, idx + 1, message);
            }
            if let Some(root) = roots.iter().find(|root| line.contains(root.as_str())) {
                // A note: which paths are private depends on where the repository was put.
                report.note(&file.path, format!("line {} names `{root}`", idx + 1));
            }
        }
    }
}

fn private_roots(workspace: &Workspace) -> Vec<String> {
    let shared = test_support::shared_folder();
    let home = std::env::home_dir();
    let cargo = home.map(|home| home.join(".cargo"));
    [Some(workspace.root.clone()), shared, cargo]
        .into_iter()
        .flatten()
        .filter(|root| root.components().count() >= SHORTEST_ROOT)
        .filter_map(|root| root.to_str().map(|root| format!("{root}/")))
        .collect()
}

/// Returns the start of a package host's address that a line names.
fn package_host(line: &str) -> Option<String> {
    line.match_indices("://").find_map(|(at, _)| {
        let host = line.get(at + 3..)?;
        let (label, rest) = host.split_once('.')?;
        let is_package_host = PACKAGE_HOSTS.contains(&label)
            && rest.starts_with(|char: char| char.is_ascii_lowercase())
            && !rest.starts_with(NOBODY);
        is_package_host.then(|| format!("{label}."))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_package_hosts() {
        let line = ["RUN curl https:", "//deb.", "nodesource.com/setup"].concat();
        assert_eq!(package_host(&line), Some("deb.".to_owned()));
        assert_eq!(package_host("RUN curl https://example.com/deb.html"), None);
        let example = ["FROM https:", "//registry.", "example.com/app"].concat();
        assert_eq!(package_host(&example), None);
    }
}
