//! `dfbuild run`: only where this machine can run commands, with a busybox to run.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::scratch::{Output, Scratch, busybox_program, has_program, skip_commands};

const DOCKERFILE: &str = r#"FROM scratch
COPY --chmod=755 busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
RUN mkdir -p /etc /data /tmp && echo "worker:x:1234:1235::/data:/bin/sh" > /etc/passwd && chmod 1777 /data /tmp
ENV A=1 B="two words"
WORKDIR /data
CMD ["sh", "-c", "echo cmd $A"]
ONBUILD RUN false
"#;

/// Returns a place with the image `app`, or `None` where there is no busybox, or no namespaces, and says so.
fn app() -> Option<Scratch> {
    let program = busybox_program()?;
    let scratch = Scratch::new(&[("app/Dockerfile", DOCKERFILE)]);
    scratch.write("app/busybox", fs::read(program).ok()?);
    let output = scratch.run(&["build", "-q", "-t", "app", "app"]);
    if output.code != 0 {
        skip_commands(&output.stderr);
        return None;
    }
    Some(scratch)
}

fn run(scratch: &Scratch, words: &[&str]) -> Output {
    let mut all = vec!["run", "--network=none"];
    all.extend(words);
    scratch.run(&all)
}

fn said(scratch: &Scratch, words: &[&str]) -> String {
    let output = run(scratch, words);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{output:?}");
    output.stdout
}

#[test]
fn an_image_runs_what_it_says_and_what_the_user_says() {
    let Some(scratch) = app() else { return };
    assert_eq!(said(&scratch, &["app"]), "cmd 1\n");
    assert_eq!(said(&scratch, &["--rm", "app", "pwd"]), "/data\n");
    let show = [
        "app",
        "sh",
        "-c",
        "echo $A $B $C; id -u; id -g; pwd; echo $HOME",
    ];
    let mut words = vec!["-e", "C=3", "-e", "A=x", "-u", "worker", "-w", "/tmp"];
    words.extend(show);
    let output = run(&scratch, &words);
    if output.stderr.contains("user namespace") {
        // One id only: this user has no further ones.
        assert_eq!(output.code, 125, "{output:?}");
    } else {
        assert_eq!(output.stdout, "x two words 3\n1234\n1235\n/tmp\n/data\n");
    }
    assert_eq!(
        said(&scratch, &["--entrypoint", "echo", "app", "-n", "a"]),
        "a"
    );
}

#[test]
fn codes_are_those_of_docker() {
    let Some(scratch) = app() else { return };
    assert_eq!(run(&scratch, &["app", "sh", "-c", "exit 7"]).code, 7);
    // The first process of a namespace gets only the signals that it asks for; another one ends by them.
    assert_eq!(
        run(
            &scratch,
            &["app", "sh", "-c", "sh -c 'kill -9 $$'; exit $?"]
        )
        .code,
        137
    );
    let missing = run(&scratch, &["app", "nosuch"]);
    assert_eq!(missing.code, 127);
    assert!(
        missing.stderr.contains("`nosuch` is not in the image"),
        "{missing:?}"
    );
    assert_eq!(run(&scratch, &["app", "/etc/passwd"]).code, 126);
    assert_eq!(run(&scratch, &["app", "/etc"]).code, 126);
    assert_eq!(run(&scratch, &["-w", "/no/such", "app", "true"]).code, 125);
    assert_eq!(run(&scratch, &["nosuch"]).code, 2);
    assert_eq!(run(&scratch, &["--bogus", "app"]).code, 2);
}

#[test]
fn what_it_changes_is_thrown_away() {
    let Some(scratch) = app() else { return };
    said(
        &scratch,
        &[
            "app",
            "sh",
            "-c",
            "echo x > /data/x; rm /bin/ls; mkdir -m 0 /data/closed",
        ],
    );
    assert_eq!(
        said(&scratch, &["app", "sh", "-c", "ls /data; ls /bin/ls"]),
        "/bin/ls\n"
    );
    let store = scratch.run(&["store", "check"]);
    assert_eq!(store.code, 0, "{store:?}");
    let left: Vec<_> = fs::read_dir(scratch.path("store/tmp"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    assert_eq!(left, Vec::<std::path::PathBuf>::new());
}

#[test]
fn volumes_are_seen_and_written_only_if_they_may_be() {
    let Some(scratch) = app() else { return };
    scratch.write("files/a", "of the host");
    assert_eq!(
        said(&scratch, &["-v", "files:/f", "app", "cat", "/f/a"]),
        "of the host"
    );
    said(
        &scratch,
        &[
            "-v",
            "files:/new/place",
            "app",
            "sh",
            "-c",
            "echo made > /new/place/b",
        ],
    );
    assert_eq!(scratch.read("files/b"), "made\n");
    let output = run(
        &scratch,
        &["-v", "files:/f:ro", "app", "sh", "-c", "echo x > /f/c"],
    );
    assert_eq!(output.code, 1, "{output:?}");
    assert!(!scratch.path("files/c").exists());
    assert_eq!(
        said(&scratch, &["-v", "files/a:/one:ro", "app", "cat", "/one"]),
        "of the host"
    );
}

#[test]
fn input_comes_in_only_if_it_is_to() {
    let Some(scratch) = app() else { return };
    let arguments = |flag: &'static str| ["run", flag, "app", "cat"];
    let output = scratch.run_with_input(&arguments("-i"), b"typed");
    assert_eq!(output.stdout, "typed");
    let output = scratch.run_with_input(&arguments("--rm"), b"typed");
    assert_eq!((output.code, output.stdout.as_str()), (0, ""));
}

#[test]
fn output_that_nobody_reads_ends_it() {
    let Some(scratch) = app() else { return };
    let start = Instant::now();
    let mut child = scratch
        .command(&["run", "app", "yes"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("dfbuild starts");
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    out.read_line(&mut line).expect("a line");
    drop(out);
    let status = child.wait().expect("it ends");
    assert_eq!((line.as_str(), status.code()), ("y\n", Some(141)));
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_terminal_is_one_and_is_not_that_of_the_user() {
    let Some(scratch) = app() else { return };
    if !has_program("script") {
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: no script(1) here (package bsdutils)"
        );
        return;
    }
    let line = format!(
        "{} run -it --network=none app sh -c 'test -t 0 && test -t 1 && echo terminal; read x; echo got $x; exit 5'",
        env!("CARGO_BIN_EXE_dfbuild")
    );
    let mut child = Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .env("DFBUILD_STORE", scratch.path("store"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script starts");
    let mut stdin = child.stdin.take().expect("piped");
    std::thread::sleep(Duration::from_millis(1500));
    stdin.write_all(b"word\n").expect("written");
    let output = child.wait_with_output().expect("it ends");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.contains("terminal\r\n") && text.contains("got word\r\n"),
        "{text:?}"
    );
    assert_eq!(output.status.code(), Some(5), "{text:?}");
    let refused = scratch.run(&["run", "-it", "app", "true"]);
    assert_eq!(refused.code, 2, "{refused:?}");
}

#[test]
fn limits_hold_for_it_too() {
    let Some(scratch) = app() else { return };
    let words = [
        "--ulimit",
        "nofile=64:65",
        "--shm-size",
        "1m",
        "app",
        "sh",
        "-c",
    ];
    let show = |script: &'static str| {
        let mut all = words.to_vec();
        all.push(script);
        said(&scratch, &all)
    };
    assert_eq!(show("ulimit -n; ulimit -Hn"), "64\n65\n");
    assert_eq!(
        show("df -k /dev/shm | tail -1 | awk '{print $2}'"),
        "1024\n"
    );
    let refused = run(&scratch, &["--ulimit", "files=1", "app"]);
    assert_eq!(refused.code, 2);
    assert!(
        refused.stderr.contains("there are core, cpu, data"),
        "{refused:?}"
    );
}
