//! Files that cannot be checked cost the other files nothing.

use std::io::Read;
use std::process::Stdio;

use crate::scratch::{CASING, Scratch, findings};

#[test]
fn a_missing_path_is_named_and_the_others_are_checked() {
    let scratch = Scratch::new(&[("Dockerfile", CASING)]);
    let output = scratch.check(&["missing/Dockerfile", "Dockerfile"]);
    assert_eq!(output.code, 2);
    assert!(
        output
            .stderr
            .starts_with("error: cannot read missing/Dockerfile: "),
        "{output:?}"
    );
    assert!(output.stdout.contains("Dockerfile:1:13"), "{output:?}");
}

#[test]
fn bytes_that_are_not_utf8_are_one_finding_at_their_offset() {
    let scratch = Scratch::new(&[("Dockerfile", CASING)]);
    scratch.write("Dockerfile.latin1", b"EXPOSE 1/TCP\nRUN \xe9\xe8\n");
    let output = scratch.check(&["--output-format", "json"]);
    assert_eq!(output.code, 1);
    let findings = findings(&output);
    assert_eq!(findings.len(), 2);
    assert_eq!(findings[1]["file"], "Dockerfile.latin1");
    assert_eq!(findings[1]["severity"], "error");
    assert_eq!(findings[1]["range"]["start"]["offset"], 17);
    assert_eq!(findings[1]["range"]["start"]["line"], 2);
    assert_eq!(findings[1]["range"]["end"]["offset"], 18);
    scratch.check(&["--fix"]);
    assert_eq!(
        std::fs::read(scratch.path("Dockerfile.latin1")).expect("read"),
        b"EXPOSE 1/TCP\nRUN \xe9\xe8\n"
    );
}

#[test]
fn odd_bytes_are_no_reason_to_fail() {
    let scratch = Scratch::new(&[
        ("Dockerfile.empty", ""),
        ("Dockerfile.nul", "FROM a\0 as b\n\0\0\n"),
        ("Dockerfile.bom", "\u{feff}FROM a as b\r\n"),
        ("Dockerfile.cr", "FROM a\rRUN b\r"),
        ("Dockerfile.escape", "FROM a\u{1b}[2J as b\n"),
    ]);
    scratch.write(
        "Dockerfile.long",
        format!("FROM a as b\nRUN {}\n", "x".repeat(70_000)),
    );
    let output = scratch.run(&["check"]);
    assert!(output.code <= 1, "{output:?}");
    assert_eq!(output.stderr, "");
    assert!(!output.stdout.contains(['\u{1b}', '\0']), "{output:?}");
}

#[test]
fn a_closed_pipe_ends_the_run_quietly() {
    let scratch = Scratch::new(&[("Dockerfile", &CASING.repeat(20_000))]);
    for number in 0..40 {
        scratch.write(&format!("Dockerfile.{number}"), CASING.repeat(2_000));
    }
    for format in ["full", "concise", "json"] {
        let mut child = scratch
            .command(&["check", "--output-format", format])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("dflint starts");
        let mut stdout = child.stdout.take().expect("piped");
        stdout.read_exact(&mut [0; 10]).expect("some output");
        drop(stdout);
        let output = child.wait_with_output().expect("dflint ends");
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(output.stderr, b"");
    }
}

#[cfg(unix)]
mod unix {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;

    use crate::scratch::{CASING, Scratch};

    #[test]
    fn a_named_pipe_is_refused_instead_of_waited_for() {
        let scratch = Scratch::new(&[("a/Dockerfile", CASING)]);
        let status = Command::new("mkfifo")
            .args([scratch.path("Dockerfile"), scratch.path("pipe")])
            .status()
            .expect("mkfifo runs");
        assert!(status.success());
        let output = scratch.check(&["pipe", "."]);
        assert_eq!(output.code, 2);
        assert_eq!(
            output.stderr,
            "error: cannot read pipe: it is not a regular file; use `-` to check what comes through a pipe\n"
        );
        assert!(output.stdout.contains("a/Dockerfile:1:13"), "{output:?}");
    }

    #[test]
    fn an_unreadable_file_or_folder_is_named_and_the_others_are_checked() {
        let scratch = Scratch::new(&[
            ("Dockerfile", CASING),
            ("Dockerfile.secret", CASING),
            ("closed/Dockerfile", CASING),
        ]);
        let forbid = |path: &str, mode| {
            fs::set_permissions(scratch.path(path), fs::Permissions::from_mode(mode))
                .expect("permissions set");
        };
        forbid("Dockerfile.secret", 0o000);
        forbid("closed", 0o000);
        if fs::read(scratch.path("Dockerfile.secret")).is_ok() {
            // The superuser may read everything.
            forbid("closed", 0o755);
            return;
        }
        let output = scratch.check(&[]);
        forbid("closed", 0o755);
        assert_eq!(output.code, 2);
        assert!(output.stderr.contains("Dockerfile.secret: "), "{output:?}");
        assert!(output.stderr.contains("closed: "), "{output:?}");
        assert!(output.stdout.contains("Dockerfile:1:13"), "{output:?}");
    }

    #[test]
    fn a_file_that_is_too_large_is_refused() {
        let scratch = Scratch::new(&[("a/Dockerfile", CASING)]);
        scratch.write("Dockerfile", "");
        let file = fs::OpenOptions::new()
            .write(true)
            .open(scratch.path("Dockerfile"))
            .expect("opened");
        file.set_len(1 << 30).expect("a sparse file");
        let output = scratch.check(&[]);
        assert_eq!(output.code, 2);
        assert!(
            output
                .stderr
                .starts_with("error: cannot read Dockerfile: it has more than "),
            "{output:?}"
        );
        assert!(output.stdout.contains("a/Dockerfile:1:13"), "{output:?}");
    }

    #[test]
    fn a_pipe_that_the_shell_has_opened_is_read() {
        let scratch = Scratch::new(&[]);
        let output = scratch.run_with_input(
            &["check", "--select", "ExposeProtoCasing", "/dev/stdin"],
            CASING.as_bytes(),
        );
        assert_eq!(output.code, 1);
        assert!(output.stdout.contains("/dev/stdin:1:13"), "{output:?}");
    }
}
