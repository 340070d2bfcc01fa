//! `dflint format`.

use crate::scratch::Scratch;

const UNTIDY: &str = "from a\nrun b&&c\n";
const TIDY: &str = "FROM a\nRUN b \\\n    && c\n";

#[test]
fn formats_in_place_and_a_second_run_finds_nothing() {
    let scratch = Scratch::new(&[("Dockerfile", UNTIDY), ("a/Containerfile", TIDY)]);
    let output = scratch.run(&["format"]);
    assert_eq!((output.code, output.stdout.as_str()), (0, ""));
    assert_eq!(output.stderr, "Formatted 1 file, 1 already formatted\n");
    assert_eq!(scratch.read("Dockerfile"), TIDY);
    let again = scratch.run(&["format", "--check"]);
    assert_eq!((again.code, again.stdout.as_str()), (0, ""));
}

#[test]
fn check_names_files_and_writes_nothing() {
    let scratch = Scratch::new(&[("Dockerfile", UNTIDY), ("b.Dockerfile", TIDY)]);
    let output = scratch.run(&["format", "--check"]);
    assert_eq!(
        (output.code, output.stdout.as_str()),
        (1, "Would format: Dockerfile\n")
    );
    assert_eq!(output.stderr, "Would format 1 file, 1 already formatted\n");
    assert_eq!(scratch.read("Dockerfile"), UNTIDY);
}

#[test]
fn diff_shows_lines_and_writes_nothing() {
    let scratch = Scratch::new(&[("Dockerfile", UNTIDY)]);
    let output = scratch.run(&["format", "--diff", "--quiet"]);
    assert_eq!(output.code, 1);
    assert_eq!(
        output.stdout,
        "\
--- Dockerfile
+++ Dockerfile
@@ -1,2 +1,3 @@
-from a
-run b&&c
+FROM a
+RUN b \\
+    && c
"
    );
    assert_eq!(
        (output.stderr.as_str(), scratch.read("Dockerfile").as_str()),
        ("", UNTIDY)
    );
}

#[test]
fn standard_input_goes_to_standard_output() {
    let scratch = Scratch::new(&[("dflint.toml", "[format]\nindent-width = 2\n")]);
    for arguments in [
        &["format", "-"][..],
        &["format", "--stdin-filename", "a/Dockerfile"],
    ] {
        let output = scratch.run_with_input(arguments, UNTIDY.as_bytes());
        assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{output:?}");
        assert_eq!(output.stdout, TIDY.replace("    ", "  "));
    }
}

#[test]
fn a_text_that_is_not_utf8_comes_back_as_it_was() {
    let scratch = Scratch::new(&[]);
    let mut command = scratch.command(&["format", "-"]);
    let output = {
        use std::io::Write;
        use std::process::Stdio;
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("dflint starts");
        let mut stdin = child.stdin.take().expect("piped");
        stdin.write_all(b"from a\nrun \xff\n").expect("written");
        drop(stdin);
        child.wait_with_output().expect("dflint ends")
    };
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(output.stdout, b"from a\nrun \xff\n");
    let message = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(
        message.contains("<stdin>") && message.contains("byte 11"),
        "{message}"
    );
}

#[test]
fn a_range_of_lines_leaves_the_others() {
    let scratch = Scratch::new(&[("Dockerfile", "from a\nrun b&&c\nuser  d\n")]);
    scratch.run(&["format", "--range", "2:2"]);
    assert_eq!(
        scratch.read("Dockerfile"),
        "from a\nRUN b \\\n    && c\nuser  d\n"
    );
    assert_eq!(scratch.run(&["format", "--range", "3:1"]).code, 2);
}

#[test]
fn keep_leaves_commands_alone() {
    let scratch = Scratch::new(&[("Dockerfile", "from a\nrun b&&c   d\n")]);
    scratch.run(&["format", "--run", "keep"]);
    assert_eq!(scratch.read("Dockerfile"), "FROM a\nRUN b&&c   d\n");
}

#[test]
fn one_bad_file_costs_the_others_nothing() {
    let scratch = Scratch::new(&[
        ("a.Dockerfile", ""),
        ("b.Dockerfile", UNTIDY),
        ("c.Dockerfile", "from a\nrun \"x\nuser  d\n"),
    ]);
    scratch.write("a.Dockerfile", b"\xff\xfe");
    let output = scratch.run(&["format", "--verbose"]);
    assert_eq!(output.code, 2);
    assert!(output.stderr.contains("a.Dockerfile"), "{output:?}");
    assert_eq!(scratch.read("b.Dockerfile"), TIDY);
    assert_eq!(scratch.read("c.Dockerfile"), "FROM a\nRUN \"x\nUSER d\n");
}

#[test]
fn a_mistake_in_the_configuration_is_named_and_nothing_is_written() {
    let scratch = Scratch::new(&[
        ("Dockerfile", UNTIDY),
        ("dflint.toml", "[format]\nline-with = 80\n"),
    ]);
    let output = scratch.run(&["format"]);
    assert_eq!(output.code, 2);
    assert!(
        output.stderr.contains("dflint.toml") && output.stderr.contains("line-width"),
        "{output:?}"
    );
    assert_eq!(scratch.read("Dockerfile"), UNTIDY);
}
