//! Commands that run: only where this machine can, with a busybox to run on.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::scratch::{
    Scratch, assert_snapshot, busybox_program, has_program, normal, skip_commands,
};

/// Returns a context with busybox, or `None` where there is none, or no namespaces, and says so.
fn busybox() -> Option<Scratch> {
    let program = busybox_program()?;
    let scratch = Scratch::new(&[]);
    scratch.write("app/busybox", fs::read(program).ok()?);
    write(&scratch, "RUN exit 0\n");
    let output = scratch.run(&["build", "-q", "app"]);
    if output.code != 0 {
        // The machine, or the builder: other tests tell which, on machines that are known to work.
        skip_commands(&output.stderr);
        return None;
    }
    Some(scratch)
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
fn the_stage_that_failed_is_told_and_not_the_one_beside_it_that_was_cancelled() {
    let Some(scratch) = busybox() else { return };
    let stages = "FROM scratch AS base\nCOPY --chmod=755 busybox /bin/sh\n\
                  FROM base AS slow\nRUN sleep 20\nFROM base AS broken\nRUN sleep 0.2; exit 3\n\
                  FROM scratch\nCOPY --from=slow / /\nCOPY --from=broken / /\n";
    scratch.write("app/Dockerfile", stages);
    let start = Instant::now();
    let output = scratch.run(&["build", "-q", "app"]);
    assert_eq!(output.code, 1, "{output:?}");
    assert!(output.stderr.contains("exit 3"), "{output:?}");
    assert!(start.elapsed() < Duration::from_secs(15), "it waits");
}

#[test]
fn more_layers_than_overlayfs_takes_have_all_their_files() {
    let Some(scratch) = busybox() else { return };
    let mut text = "RUN mkdir /d; echo a > /d/a; echo b > /d/b\nRUN rm /d/a\n".to_owned();
    for number in 0..505 {
        text += &format!("RUN echo {number} > /d/n\n");
    }
    text += "RUN ls /d && cat /d/n && rm /d/b\nRUN test \"$(ls /d)\" = n\n";
    write(&scratch, &text);
    let output = scratch.run(&["build", "--progress", "plain", "app"]);
    assert_eq!(output.code, 0, "{output:?}");
    let lines: Vec<&str> = output
        .stderr
        .lines()
        .filter_map(|line| line.split_whitespace().last())
        .collect();
    let has = |wanted: &[&str]| lines.windows(wanted.len()).any(|window| window == wanted);
    assert!(has(&["b", "n", "504"]), "{lines:?}");
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

/// Stages, mounts that are written to, changes of every kind.
const MANY_CHANGES: &str = "\
FROM scratch AS first
COPY --chmod=755 busybox /bin/sh
COPY --chmod=755 busybox /bin/busybox
ENV PATH=/bin
RUN busybox mkdir -p /data/sub /old && echo kept > /data/sub/f && echo gone > /old/g && busybox ln -s sub /data/link
FROM scratch
ENV PATH=/bin
COPY --from=first / /
RUN --mount=type=bind,from=first,source=/data/link,target=/m,rw \\
    --mount=type=tmpfs,target=/memory \\
    read word < /m/f && echo \"$word\" > /seen && echo new > /m/f && echo x > /memory/x
RUN echo again >> /data/sub/f; echo > /data/other; busybox rm -r /old
";

#[test]
fn every_way_to_run_commands_gives_the_same_image() {
    let Some(scratch) = busybox() else { return };
    scratch.write("app/Dockerfile", MANY_CHANGES);
    let native = scratch.build(&["--no-cache"]);
    assert_eq!(scratch.build(&["--no-cache", "--without-overlay"]), native);
    if has_program("runc") {
        let by_runc = scratch.build(&["--no-cache", "--executor", "runc"]);
        assert_eq!(by_runc, native);
    } else {
        skip_commands("no runc here");
    }
}

#[test]
fn a_command_that_takes_too_long_is_ended() {
    let Some(scratch) = busybox() else { return };
    write(&scratch, "RUN sleep 30\n");
    let start = Instant::now();
    let output = scratch.run(&["build", "-q", "--run-timeout", "1", "app"]);
    assert_eq!(output.code, 1, "{output:?}");
    assert!(output.stderr.contains("ran longer than 1 s"), "{output:?}");
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn an_unknown_runtime_is_told() {
    let Some(scratch) = busybox() else { return };
    write(&scratch, "RUN exit 0 # by another\n");
    let output = scratch.run(&["build", "-q", "--executor", "no-such-runtime", "app"]);
    assert_eq!(output.code, 1, "{output:?}");
    let message = "the runtime `no-such-runtime` failed: it was not found on PATH";
    assert!(output.stderr.contains(message), "{output:?}");
}

/// The entitlements of BuildKit: a Dockerfile gets nothing that the user did not give.
#[test]
fn a_dockerfile_takes_neither_the_network_of_the_host_nor_all_rights() {
    let scratch = Scratch::new(&[]);
    for (flag, right, more) in [
        ("--network=host", "network.host", &["--network", "none"][..]),
        ("--security=insecure", "security.insecure", &[]),
    ] {
        scratch.write("app/Dockerfile", format!("FROM scratch\nRUN {flag} x\n"));
        let output = scratch.run(&[&["build", "-q", "app"], more].concat());
        assert_eq!(output.code, 1, "{output:?}");
        let help = format!("--allow {right}");
        assert!(output.stderr.contains(&help), "{output:?}");
    }
}

#[test]
fn a_store_that_is_named_from_the_current_folder_works() {
    let Some(scratch) = busybox() else { return };
    let output = scratch.run(&["build", "-q", "--store", "near", "app"]);
    assert_eq!(output.code, 0, "{output:?}");
}
