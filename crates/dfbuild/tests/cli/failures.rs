//! A build that fails says where and what to do.

use crate::scratch::{Scratch, app, assert_snapshot};

#[test]
fn a_missing_file_is_shown_in_its_line() {
    let scratch = app();
    scratch.write("app/Dockerfile", "FROM scratch\nCOPY a.txtt /\n");
    let output = scratch.run(&["build", "--progress", "plain", "app"]);
    assert_eq!((output.code, output.stdout.as_str()), (1, ""), "{output:?}");
    assert_snapshot("missing_file.txt", &output.stderr);
}

#[test]
fn escape_sequences_of_a_dockerfile_do_not_reach_the_terminal() {
    let scratch = Scratch::new(&[(
        "app/Dockerfile",
        "FROM scratch\nCOPY \u{1b}]0;title\u{7} /\n",
    )]);
    let output = scratch.run(&["build", "--progress", "plain", "app"]);
    assert_eq!(output.code, 1, "{output:?}");
    assert!(!output.stderr.contains('\u{1b}'), "{output:?}");
}

#[test]
fn a_failed_build_leaves_a_sound_store() {
    let scratch = app();
    scratch.build(&["-t", "app"]);
    scratch.write("app/Dockerfile", "FROM scratch\nCOPY nosuch /\n");
    assert_eq!(scratch.run(&["build", "-q", "-t", "app", "app"]).code, 1);
    let output = scratch.run(&["store", "check"]);
    assert_eq!(output.code, 0, "{output:?}");
    assert_eq!(scratch.run(&["history", "app"]).code, 0);
}

#[test]
fn a_missing_source_is_the_very_word_and_what_hides_it_the_very_line() {
    let scratch = app();
    scratch.write("app/.dockerignore", "*.md\n\nsecret.*\n");
    scratch.write("app/secret.txt", "x");
    scratch.write(
        "app/Dockerfile",
        "FROM scratch\nCOPY a.txt b.txt secret.txt /to/\n",
    );
    let output = scratch.run(&["build", "-q", "app"]);
    assert_eq!(output.code, 1, "{output:?}");
    assert!(output.stderr.contains("app/Dockerfile:2:18"), "{output:?}");
    let help = "the pattern `secret.*` in line 3 of .dockerignore leaves it out";
    assert!(output.stderr.contains(help), "{output:?}");
}
