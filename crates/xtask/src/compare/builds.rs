//! How many of the recorded builds of BuildKit ours are equal to.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, ensure};
use serde::Deserialize;

use crate::command;
use crate::workspace::Workspace;

const SKIPS: &str = "tests/build-conformance-skips.txt";

/// What `build_conformance` counted for one set of cases.
#[derive(Deserialize)]
struct Counts {
    set: String,
    cases: usize,
    good: usize,
    listed: usize,
    skipped: usize,
    /// Those as expected, and all, by tag.
    by_tag: BTreeMap<String, (usize, usize)>,
    /// Layers with the reference's very bytes, and all.
    layers: (usize, usize),
}

/// Runs all cases and returns the page of what they came to.
pub(super) fn page(workspace: &Workspace) -> anyhow::Result<String> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let summary = folder.path().join("summary.json");
    let test = [
        "test",
        "--package",
        "workspace-tests",
        "--test",
        "build_conformance",
    ];
    let mut test = command::cargo(&workspace.root, &test);
    command::run(test.env("BUILD_SUMMARY", &summary))?;
    let text = fs::read_to_string(&summary).context("the test counted nothing")?;
    let sets: Vec<Counts> = serde_json::from_str(&text)?;
    ensure!(sets.len() == 2, "the reference's cases are not there");
    let skips = fs::read_to_string(workspace.path(SKIPS)).context("no list of differences")?;
    Ok(written(&sets, &skips))
}

fn written(sets: &[Counts], skips: &str) -> String {
    let mut page = "# Builds as BuildKit makes them\n\n\
         The configuration byte for byte, every path of the file system (type, mode, owner, size, content, link, extended attributes) and the entries \
         of each layer; where a build must fail, the line.\n\
         *reference*: made with the newest BuildKit, kept outside of this repository. *own*: `tests/build-cases`.\n\n\
         | cases | all | equal | listed below | left out here | that must fail | layers with the reference's very bytes |\n\
         |---|---|---|---|---|---|---|\n"
        .to_owned();
    for set in sets {
        let name = if set.set == "shared" {
            "reference"
        } else {
            &set.set
        };
        let (fail, must_fail) = set.by_tag.get("fails").copied().unwrap_or_default();
        let (same, layers) = set.layers;
        let _ = writeln!(
            page,
            "| {name} | {} | {} | {} | {} | {fail} of {must_fail} | {same} of {layers} |",
            set.cases + set.skipped,
            set.good.saturating_sub(set.listed),
            set.listed,
            set.skipped,
        );
    }
    page.push_str("\nWhere we differ, and why:\n\n");
    let listed = skips.lines().filter(|line| !line.starts_with('#'));
    for (case, reason) in listed.filter_map(|line| line.split_once(": ")) {
        let case = case.split(' ').next().unwrap_or(case);
        let _ = writeln!(page, "- `{case}`: {reason}.");
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listed_cases_are_not_counted_as_equal() {
        let json = r#"[{"set": "shared", "cases": 9, "good": 9, "listed": 2, "skipped": 1,
            "by_tag": {"fails": [3, 4]}, "layers": [5, 7]}]"#;
        let sets: Vec<Counts> = serde_json::from_str(json).expect("counts");
        let page = written(&sets, "# a comment\nodd-case build: it is odd\n");
        assert!(
            page.contains("| reference | 10 | 7 | 2 | 1 | 3 of 4 | 5 of 7 |"),
            "{page}"
        );
        assert!(page.ends_with("- `odd-case`: it is odd.\n"), "{page}");
    }
}
