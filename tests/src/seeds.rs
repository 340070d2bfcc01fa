//! The first users' first files: the Dockerfiles of the tutorials, with their known mistakes found at the exact word.

use std::fs;

use dockerfile_lint::{IgnoreFileFact, Options, Selection, check};
use dockerfile_source::SourceFile;

/// The snippet, the rule, and the text that the finding points at.
const MISTAKES: &[(&str, &str, &str)] = &[
    ("02", "missing-from", "ARG"),
    ("03", "missing-from", "COPY"),
    ("05", "missing-from", "CMD"),
    ("10", "missing-from", "USER"),
    ("11", "copy-without-ignore-file", "."),
    ("14", "sources-before-dependencies", "."),
    ("14", "pip-cache-left", "install"),
    ("17", "multiple-cmd", "CMD"),
    ("17", "shell-without-c", "\"echo\""),
    ("18", "shell-without-c", "\"echo\""),
    ("20", "latest-base-image", "latest"),
    ("21", "separate-package-update", "update"),
    ("26", "latest-base-image", "latest"),
    ("26", "separate-package-update", "update"),
    ("26", "removed-package", "python-pip"),
    ("28", "removed-package", "python-dev"),
    ("29", "invalid-image-name", "Ubuntu"),
    ("29", "start-path-mismatch", "/opt/source_code/app.py"),
    ("29", "shell-form-command", "ENTRYPOINT"),
    ("29", "localhost-listener", "run"),
];

/// Snippets in which nothing must be wrong but what a fragment lacks.
const SOUND: &[&str] = &["19", "23", "24", "25"];

fn findings(name: &str) -> Option<(SourceFile, Vec<dockerfile_source::Diagnostic>)> {
    let path = test_support::seeds()?.join(format!("{name}.Dockerfile"));
    let text = fs::read_to_string(path).expect("the snippet is readable");
    let options = Options {
        selection: Selection::preview(),
        ignore_file: IgnoreFileFact::Absent,
        ..Options::default()
    };
    let source = SourceFile::new(name, text);
    let found = check(&source, &options);
    Some((source, found))
}

#[test]
fn known_mistakes_are_found_at_their_words() {
    let mut missed = Vec::new();
    for (name, rule, word) in MISTAKES {
        let Some((source, found)) = findings(name) else {
            return test_support::skipped(
                "the check of the tutorials' Dockerfiles",
                "corpus/seeds",
            );
        };
        let is_found = found
            .iter()
            .any(|finding| finding.rule == *rule && source.slice(finding.range) == *word);
        if !is_found {
            let ours: Vec<_> = found
                .iter()
                .map(|finding| format!("{} at `{}`", finding.rule, source.slice(finding.range)))
                .collect();
            missed.push(format!("{name}: no {rule} at `{word}`, but {ours:?}"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn a_fragment_is_told_once_that_it_has_no_base() {
    for name in SOUND {
        let Some((_, found)) = findings(name) else {
            return test_support::skipped(
                "the check of the tutorials' Dockerfiles",
                "corpus/seeds",
            );
        };
        let rules: Vec<_> = found.iter().map(|finding| finding.rule).collect();
        assert_eq!(
            rules.iter().filter(|rule| **rule == "missing-from").count(),
            1,
            "{name}: {rules:?}"
        );
    }
}
