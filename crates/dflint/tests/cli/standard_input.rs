//! `-`: a text that comes through a pipe.

use crate::scratch::{CASING, CLEAN, Scratch};

const CHECK: [&str; 3] = ["check", "--select", "ExposeProtoCasing"];

fn run(arguments: &[&str], input: &[u8]) -> crate::scratch::Output {
    let all: Vec<&str> = CHECK.iter().chain(arguments).copied().collect();
    Scratch::new(&[]).run_with_input(&all, input)
}

#[test]
fn is_checked_under_the_given_name() {
    let concise = ["--output-format", "concise"];
    let output = run(&[&concise[..], &["-"]].concat(), CASING.as_bytes());
    assert_eq!(output.code, 1);
    assert!(output.stdout.starts_with("<stdin>:1:13: "), "{output:?}");
    for path in [&[][..], &["-"]] {
        let arguments = [&concise[..], &["--stdin-filename", "a/Dockerfile"], path].concat();
        let output = run(&arguments, CASING.as_bytes());
        assert!(
            output.stdout.starts_with("a/Dockerfile:1:13: "),
            "{output:?}"
        );
    }
}

#[test]
fn a_name_without_standard_input_is_a_mistake() {
    let output = run(&["--stdin-filename", "a", "b"], b"");
    assert_eq!(output.code, 2);
    assert!(output.stderr.contains("add the path `-`"), "{output:?}");
}

#[test]
fn fixed_text_goes_to_standard_output_and_the_report_to_standard_error() {
    let output = run(&["--fix", "-"], CASING.as_bytes());
    assert_eq!((output.code, output.stdout.as_str()), (0, CLEAN));
    assert_eq!(
        output.stderr,
        "No findings in 1 file\nFixed 1 finding in 1 file\n"
    );
}

#[test]
fn text_that_cannot_be_fixed_comes_out_as_it_went_in() {
    let scratch = Scratch::new(&[]);
    let mut child = scratch
        .command(&["check", "--fix", "--quiet", "-"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("dflint starts");
    let mut stdin = child.stdin.take().expect("piped");
    std::io::Write::write_all(&mut stdin, b"FROM \xff as b\n").expect("written");
    drop(stdin);
    let output = child.wait_with_output().expect("dflint ends");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(output.stdout, b"FROM \xff as b\n");
}
