//! Commands that run: only where this machine can, with a busybox to run on.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::scratch::{Scratch, assert_snapshot, normal};

/// Returns a context with busybox, or `None` where there is none, or no namespaces.
fn busybox() -> Option<Scratch> {
    let program = ["/bin/busybox", "/usr/bin/busybox"]
        .into_iter()
        .find(|path| Path::new(path).is_file())?;
    let scratch = Scratch::new(&[]);
    scratch.write("app/busybox", fs::read(program).ok()?);
    let start = "FROM scratch\nCOPY --chmod=755 busybox /bin/sh\n";
    scratch.write("app/Dockerfile", format!("{start}RUN exit 0\n"));
    let works = scratch.run(&["build", "-q", "app"]).code == 0;
    works.then_some(scratch)
}

fn write(scratch: &Scratch, rest: &str) {
    let start = "FROM scratch\nCOPY --chmod=755 busybox /bin/sh\n";
    scratch.write("app/Dockerfile", format!("{start}{rest}"));
}

#[test]
fn a_failed_command_is_shown_with_its_last_lines() {
    let Some(scratch) = busybox() else { return };
    write(
        &scratch,
        "RUN echo begin && \\\n    nosuch --x && \\\n    echo never\n",
    );
    let output = scratch.run(&["build", "-q", "app"]);
    assert_eq!(output.code, 1, "{output:?}");
    assert_snapshot("failed_command.txt", &normal(&output.stderr));
}

#[test]
fn output_is_whole_and_harmless() {
    let Some(scratch) = busybox() else { return };
    write(
        &scratch,
        "RUN i=0; while [ $i -lt 3000 ]; do echo \"line $i\"; i=$((i+1)); done; printf '\\033[31mred\\033]0;t\\007\\n1%%\\r2%%\\n'\n",
    );
    let output = scratch.run(&["build", "--progress", "plain", "app"]);
    assert_eq!(output.code, 0, "{output:?}");
    assert!(!output.stderr.contains('\u{1b}'));
    let count = output
        .stderr
        .lines()
        .filter(|line| line.contains(" line "))
        .count();
    assert_eq!(count, 3000);
    assert!(output.stderr.lines().any(|line| line.ends_with(" red")));
    assert!(output.stderr.lines().any(|line| line.ends_with(" 2%")));
}

#[test]
fn an_interrupt_ends_the_build_with_130() {
    let Some(scratch) = busybox() else { return };
    write(&scratch, "RUN sleep 30\n");
    let start = Instant::now();
    let mut child = scratch
        .command(&["build", "-q", "app"])
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("started");
    sleep(Duration::from_millis(700));
    let killed = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(killed.is_ok_and(|status| status.success()));
    let status = child.wait().expect("ended");
    assert_eq!(status.code(), Some(130));
    assert!(start.elapsed() < Duration::from_secs(20));
}
