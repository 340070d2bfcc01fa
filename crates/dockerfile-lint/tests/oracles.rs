//! What BuildKit's checks and hadolint say about the cases of their own test suites, and whether we say the same.
//!
//! The answers stand outside of the project (`../shared/conformance/lint`); without them the tests say so and pass.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use dockerfile_lint::{IgnoreFileFact, Options, Selection, check, find_rules};
use dockerfile_model::ModelInput;
use dockerfile_source::SourceFile;
use serde_json::Value;

fn cases(name: &str) -> Option<Vec<Value>> {
    let path: PathBuf = test_support::conformance()?.join("lint").join(name);
    let text = fs::read_to_string(path).expect("the oracle's file is readable");
    Some(
        text.lines()
            .map(|line| serde_json::from_str(line).expect("a line is JSON"))
            .collect(),
    )
}

/// Reads a list of deviations: `NAME: REASON`, one a line.
fn deviations(list: &'static str) -> BTreeMap<&'static str, &'static str> {
    list.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .filter_map(|line| line.split_once(": "))
        .collect()
}

fn options_for(rules: &[&'static dockerfile_lint::Rule], case: &Value) -> Options {
    let mut selection = Selection::none();
    for rule in rules {
        selection.set_rule(rule, true);
    }
    let mut input = ModelInput::default();
    for (name, value) in case["build_args"].as_object().into_iter().flatten() {
        input.build_arguments.insert(
            name.as_str().into(),
            value.as_str().unwrap_or_default().into(),
        );
    }
    let ignore_file = match case["dockerignore"].as_str() {
        Some(text) if !text.is_empty() => IgnoreFileFact::Present(text.to_owned()),
        _ => IgnoreFileFact::Absent,
    };
    Options {
        selection,
        input,
        ignore_file,
    }
}

fn finish(failures: &[String], count: usize, expected: usize) {
    assert!(
        failures.is_empty(),
        "{} of {count} differ:\n{}",
        failures.len(),
        failures.join("\n")
    );
    assert!(count >= expected, "only {count} cases were compared");
}

#[test]
fn agrees_with_the_checks_of_buildkit() {
    let Some(cases) = cases("buildkit_lint_cases.jsonl") else {
        return test_support::skipped("the comparison with BuildKit's checks", "conformance");
    };
    let listed = deviations(include_str!("buildkit_deviations.txt"));
    let mut failures = Vec::new();
    for (idx, case) in cases.iter().enumerate() {
        let name = format!("{}/{idx}", case["test"].as_str().unwrap_or_default());
        let text = case["dockerfile"].as_str().unwrap_or_default();
        let checks: BTreeSet<String> = CHECKS.iter().map(|name| (*name).to_owned()).collect();
        let rules: Vec<_> = checks.iter().flat_map(|name| find_rules(name)).collect();
        let source = SourceFile::new("Dockerfile", text);
        let parse = dockerfile_syntax::parse(text);
        let model = dockerfile_model::Model::new(&parse, &ModelInput::default());
        let line_of = |finding: &dockerfile_source::Diagnostic| {
            let start = model
                .instructions
                .iter()
                .map(|instruction| instruction.range)
                .find(|range| range.contains_inclusive(finding.range.start()))
                .map_or(finding.range.start(), dockerfile_source::TextRange::start);
            source.line_index().line(start) + 1
        };
        let ours: BTreeSet<(String, u32)> = check(&source, &options_for(&rules, case))
            .iter()
            .flat_map(|finding| {
                let line = line_of(finding);
                finding
                    .aliases
                    .iter()
                    .filter(|alias| CHECKS.contains(alias))
                    .map(move |alias| ((*alias).to_owned(), line))
            })
            .collect();
        let theirs: BTreeSet<(String, u32)> = case["expected_lint"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|pair| {
                (
                    pair[0].as_str().unwrap_or_default().to_owned(),
                    pair[1].as_u64().unwrap_or(0) as u32,
                )
            })
            .collect();
        match (ours == theirs, listed.get(name.as_str())) {
            (true, None) | (false, Some(_)) => {}
            (true, Some(reason)) => failures.push(format!(
                "{name}: no longer differs, take it off the list ({reason})"
            )),
            (false, None) => failures.push(format!(
                "{name}: ours only {:?}, theirs only {:?}\n{text}",
                ours.difference(&theirs).collect::<Vec<_>>(),
                theirs.difference(&ours).collect::<Vec<_>>()
            )),
        }
    }
    finish(&failures, cases.len(), 87);
}

/// The checks of BuildKit that need nothing but the file.
const CHECKS: [&str; 21] = [
    "ConsistentInstructionCasing",
    "CopyIgnoredFile",
    "DuplicateStageName",
    "ExposeInvalidFormat",
    "ExposeProtoCasing",
    "FromAsCasing",
    "FromPlatformFlagConstDisallowed",
    "InvalidDefaultArgInFrom",
    "InvalidDefinitionDescription",
    "JSONArgsRecommended",
    "LegacyKeyValueFormat",
    "MaintainerDeprecated",
    "MultipleInstructionsDisallowed",
    "NoEmptyContinuation",
    "RedundantTargetPlatform",
    "ReservedStageName",
    "SecretsUsedInArgOrEnv",
    "StageNameCasing",
    "UndefinedArgInFrom",
    "UndefinedVar",
    "WorkdirRelativePath",
];

#[test]
fn agrees_with_the_test_suite_of_hadolint() {
    let Some(cases) = cases("hadolint_open.jsonl") else {
        return test_support::skipped("the comparison with hadolint's test suite", "conformance");
    };
    let listed = deviations(include_str!("hadolint_deviations.txt"));
    let mut failures = Vec::new();
    let mut count = 0;
    let mut seen = BTreeMap::new();
    for case in &cases {
        let id = case["id"].as_str().unwrap_or_default();
        let occurrence = seen.entry(id).and_modify(|n| *n += 1).or_insert(0);
        let name = format!("{id}.{occurrence}");
        let rules = find_rules(case["rule"].as_str().unwrap_or_default());
        let has_config = case["config"]
            .as_object()
            .is_some_and(|config| !config.is_empty());
        if rules.is_empty() || has_config {
            continue;
        }
        count += 1;
        let text = case["dockerfile"].as_str().unwrap_or_default();
        let fires = !check(
            &SourceFile::new("Dockerfile", text),
            &options_for(&rules, &Value::Null),
        )
        .is_empty();
        let expected = case["fires"].as_bool().unwrap_or(false);
        match (fires == expected, listed.get(name.as_str())) {
            (true, None) | (false, Some(_)) => {}
            (true, Some(reason)) => failures.push(format!(
                "{name}: no longer differs, take it off the list ({reason})"
            )),
            (false, None) => failures.push(format!(
                "{name} {} ours {fires}, theirs {expected}: {}\n{text}",
                case["rule"], case["it"]
            )),
        }
    }
    eprintln!(
        "{count} of {} cases are about rules that we have",
        cases.len()
    );
    finish(&failures, count, 1);
}
