//! Options and exit codes.

use crate::scratch::{CASING, Scratch};

#[test]
fn an_unknown_rule_is_a_usage_error_with_a_suggestion() {
    let scratch = Scratch::new(&[("Dockerfile", CASING)]);
    for option in ["--select", "--ignore"] {
        let output = scratch.run(&["check", option, "ExposeProtoCasin"]);
        assert_eq!(output.code, 2);
        assert_eq!(
            output.stderr,
            "error: no rule is called `ExposeProtoCasin`; did you mean `ExposeProtoCasing`?\n"
        );
        assert_eq!(output.stdout, "");
    }
}

#[test]
fn rules_are_selected_and_ignored_by_lists() {
    let scratch = Scratch::new(&[("Dockerfile", &format!("{CASING}FROM node\n"))]);
    let count = |arguments: &[&str]| {
        let mut all = vec!["check", "--quiet", "--output-format", "concise"];
        all.extend(arguments);
        scratch.run(&all).stdout.lines().count()
    };
    let both = "ExposeProtoCasing,DL3006";
    assert_eq!(count(&["--select", both]), 2);
    assert_eq!(
        count(&["--select", both, "--ignore", "exposeprotocasing"]),
        1
    );
    assert_eq!(count(&["--ignore", "all"]), 0);
}

#[test]
fn fail_on_decides_the_exit_code_and_not_the_report() {
    let scratch = Scratch::new(&[("Dockerfile", CASING)]);
    for (severity, code) in [("info", 1), ("error", 0), ("never", 0)] {
        let output = scratch.check(&["--fail-on", severity]);
        assert_eq!(output.code, code, "{severity}: {output:?}");
        assert!(output.stdout.contains("Dockerfile:1:13"));
    }
}

#[test]
fn wrong_usage_exits_2() {
    let scratch = Scratch::new(&[("Dockerfile", CASING)]);
    for arguments in [
        &[][..],
        &["chekc"],
        &["check", "--output-format", "xml"],
        &["check", "--jobs", "0"],
        &["check", "--unsafe-fixes"],
    ] {
        let output = scratch.run(arguments);
        assert_eq!(
            (output.code, output.stdout.as_str()),
            (2, ""),
            "{arguments:?}"
        );
    }
    assert_eq!(scratch.run(&["--version"]).code, 0);
    assert_eq!(scratch.run(&["check", "--help"]).code, 0);
}
