//! Every rule of the linter has its tests, its page and its place in the module of its category.

use std::collections::BTreeSet;

use super::Report;
use crate::workspace::RepositoryFile;

const RULES: &str = "crates/dockerfile-lint/src/rules/";

/// Checks the files of rules against `registered`, the names of the rules that the linter knows.
pub(super) fn check(files: &[RepositoryFile], registered: &BTreeSet<&str>, report: &mut Report) {
    let mut declared = BTreeSet::new();
    let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    for file in files {
        let Some((category, name)) = rule_of(&file.path) else {
            continue;
        };
        // A file without a declaration holds what several rules of the category share.
        if file.text.contains("declare_rule!") {
            let name = name.replace('_', "-");
            check_tests(file, report);
            check_registration(file, &name, registered, &paths, report);
            declared.insert(name);
        }
        let category_path = format!("{RULES}{category}.rs");
        let category_file = files.iter().find(|file| file.path == category_path);
        let declaration = format!("mod {name};");
        if category_file.is_none_or(|file| !file.text.contains(&declaration)) {
            report.fault(&category_path, format!("`{declaration}` is missing"));
        }
    }
    for name in registered.iter().filter(|name| !declared.contains(**name)) {
        let message = format!("the rule `{name}` has no file of its name");
        report.fault(RULES, message);
    }
}

/// Returns the category and the name of the rule that a file holds.
fn rule_of(path: &str) -> Option<(&str, &str)> {
    let (category, file) = path.strip_prefix(RULES)?.split_once('/')?;
    let name = file.strip_suffix(".rs")?;
    (!name.contains('/')).then_some((category, name))
}

fn check_registration(
    file: &RepositoryFile,
    name: &str,
    registered: &BTreeSet<&str>,
    paths: &BTreeSet<&str>,
    report: &mut Report,
) {
    if !registered.contains(name) {
        let message = format!("no rule `{name}` in the list of its category");
        report.fault(&file.path, message);
        return;
    }
    let page = format!("docs/rules/{name}.md");
    if !paths.contains(page.as_str()) {
        report.fault(
            &file.path,
            format!("{page} is missing: run `cargo xtask docs`"),
        );
    }
}

/// A rule has a case that fires and one that almost fires.
fn check_tests(file: &RepositoryFile, report: &mut Report) {
    let tests = file
        .text
        .split_once("mod tests")
        .map_or("", |(_, tests)| tests);
    let fires = [
        "check_fires(",
        "check_fires_on_image(",
        "check_fix(",
        "check(",
    ]
    .iter()
    .any(|call| tests.contains(call));
    if !fires {
        report.fault(
            &file.path,
            "no test in which the rule fires (`check_fires`)",
        );
    }
    let almost_fires = ["check_clean(", "check_clean_on_image("]
        .iter()
        .any(|call| tests.contains(call));
    if !almost_fires {
        report.fault(
            &file.path,
            "no test in which the rule almost fires (`check_clean`)",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(rule: &str) -> Vec<String> {
        let file = |path: &str, text: &str| RepositoryFile {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        let files = [
            file(
                "crates/dockerfile-lint/src/rules/base_image.rs",
                "mod untagged_image;\n",
            ),
            file(
                "crates/dockerfile-lint/src/rules/base_image/untagged_image.rs",
                rule,
            ),
            file("docs/rules/untagged-image.md", ""),
        ];
        let mut report = Report::default();
        check(&files, &BTreeSet::from(["untagged-image"]), &mut report);
        report.faults
    }

    #[test]
    fn a_rule_needs_a_case_that_fires_and_one_that_almost_fires() {
        let complete = "declare_rule! {}\nmod tests { check_fires(a); check_clean(b); }\n";
        assert_eq!(faults(complete), Vec::<String>::new());
        assert_eq!(faults("declare_rule! {}\n").len(), 2);
    }

    #[test]
    fn a_rule_needs_a_page_and_a_module() {
        let registered = BTreeSet::from(["untagged-image"]);
        assert_eq!(faults_of_lone_file(&registered), 2);
    }

    #[test]
    fn a_rule_is_registered_under_the_name_of_its_file() {
        assert_eq!(faults_of_lone_file(&BTreeSet::new()), 2);
        assert_eq!(faults_of_lone_file(&BTreeSet::from(["other"])), 3);
    }

    fn faults_of_lone_file(registered: &BTreeSet<&str>) -> usize {
        let files = [RepositoryFile {
            path: "crates/dockerfile-lint/src/rules/base_image/untagged_image.rs".to_owned(),
            text: "declare_rule! {}\nmod tests { check_fires(a); check_clean(b); }\n".to_owned(),
        }];
        let mut report = Report::default();
        check(&files, registered, &mut report);
        report.faults.len()
    }
}
