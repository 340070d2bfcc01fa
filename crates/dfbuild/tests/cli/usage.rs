//! Help and wrong usage.

use std::fmt::Write as _;

use crate::scratch::{Scratch, app, assert_snapshot};

const COMMANDS: [&str; 17] = [
    "build",
    "plan",
    "images",
    "history",
    "inspect",
    "layers",
    "tag",
    "rmi",
    "pull",
    "push",
    "save",
    "load",
    "run",
    "store",
    "du",
    "prune",
    "completions",
];

#[test]
fn every_command_explains_itself() {
    let scratch = Scratch::new(&[]);
    let mut text = scratch.run(&["--help"]).stdout;
    for command in COMMANDS {
        let output = scratch.run(&[command, "--help"]);
        assert_eq!(output.code, 0, "{command}");
        writeln!(
            text,
            "\n=== dfbuild {command}\n{}",
            output.stdout.trim_end()
        )
        .expect("memory");
    }
    assert_snapshot("help.txt", &text);
}

#[test]
fn wrong_usage_is_2() {
    let scratch = app();
    for arguments in [
        vec!["nosuch"],
        vec!["build", "--nosuch"],
        vec!["build", "missing"],
        vec!["build", "app", "-o", "type=nosuch"],
        vec!["build", "app", "-t", "UPPER CASE"],
        vec!["build", "app", "--secret", "src=x"],
        vec!["build", "app", "--allow", "everything"],
        vec!["history", "nosuch"],
    ] {
        let output = scratch.run(&arguments);
        assert_eq!(output.code, 2, "{arguments:?}: {output:?}");
        assert!(output.stderr.starts_with("error: "), "{output:?}");
    }
}

#[test]
fn completions_are_there_for_the_shells() {
    let scratch = Scratch::new(&[]);
    for shell in ["bash", "zsh", "fish"] {
        let output = scratch.run(&["completions", shell]);
        assert_eq!(output.code, 0, "{shell}");
        assert!(
            output.stdout.contains("--no-cache-filter")
                || output.stdout.contains("no-cache-filter"),
            "{shell}"
        );
    }
}
