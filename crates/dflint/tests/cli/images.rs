//! `--images`: findings that know what is in an image of the local store.

use std::fs;

use crate::scratch::{Output, Scratch, findings};

const TEXT: &str = "FROM tiny:1\nRUN curl x\nUSER app\n";

fn scratch() -> Scratch {
    let scratch = Scratch::new(&[("Dockerfile", TEXT)]);
    let files = [
        ("bin/", ""),
        ("bin/sh*", "program"),
        ("etc/", ""),
        ("etc/passwd", "root:x:0:0::/:/bin/sh\n"),
    ];
    let name = "docker.io/library/tiny:1";
    let variables = ["PATH=/bin"];
    test_support::write_small_image(&scratch.path("store"), name, &files, &variables)
        .expect("written");
    scratch
}

fn check(scratch: &Scratch, store: &str, arguments: &[&str]) -> Output {
    let mut command = scratch.command(&["check", "--output-format", "json", "Dockerfile"]);
    command
        .args(arguments)
        .env("DFBUILD_STORE", scratch.path(store));
    let output = command.output().expect("dflint runs");
    Output {
        code: output.status.code().expect("no signal"),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

fn rules(output: &Output) -> Vec<String> {
    let rule = |finding: &serde_json::Value| finding["rule"].as_str().map(str::to_owned);
    findings(output).iter().filter_map(rule).collect()
}

#[test]
fn a_store_is_looked_into_when_it_is_asked_for() {
    let scratch = scratch();
    let without = rules(&check(&scratch, "store", &[]));
    assert!(!without.contains(&"command-not-in-image".to_owned()));
    let output = check(&scratch, "store", &["--images"]);
    let with = rules(&output);
    assert!(
        with.contains(&"command-not-in-image".to_owned()),
        "{output:?}"
    );
    assert!(with.contains(&"unknown-user".to_owned()), "{output:?}");
}

#[test]
fn a_missing_store_is_said_and_makes_no_folder() {
    let scratch = scratch();
    let output = check(&scratch, "none", &["--images"]);
    assert!(
        output.stderr.contains("is no store of images"),
        "{output:?}"
    );
    assert!(fs::metadata(scratch.path("none")).is_err());
    assert_eq!(rules(&output), rules(&check(&scratch, "store", &[])));
}
