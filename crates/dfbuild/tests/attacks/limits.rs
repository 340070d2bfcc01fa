//! Commands that take all that there is.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::run::{assert_runs, busybox, run_with};
use crate::scratch::Scratch;

/// Peak memory of a build in bytes, and how much it printed.
fn cost(scratch: &Scratch, steps: &str, progress: &str) -> (u64, u64) {
    // The base first: what it costs to copy busybox is not the question.
    assert_runs(scratch, steps.replace("1073741824", "1").as_str());
    let text = scratch
        .read("app/Dockerfile")
        .replace("-c 1 ", "-c 1073741824 ");
    scratch.write("app/Dockerfile", text);
    let mut child = scratch
        .command(&["build", "--progress", progress, "app"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("dfbuild starts");
    let stderr = child.stderr.take().expect("piped");
    let pid = child.id();
    let mut reader = BufReader::with_capacity(1 << 20, stderr);
    let (mut peak, mut printed) = (0, 0);
    loop {
        let length = reader.fill_buf().expect("readable").len();
        if length == 0 {
            break;
        }
        printed += length as u64;
        reader.consume(length);
        peak = peak.max(peak_of(pid));
    }
    assert!(child.wait().expect("it ends").success());
    (peak, printed)
}

fn peak_of(pid: u32) -> u64 {
    let mut status = String::new();
    if let Ok(mut file) = fs::File::open(format!("/proc/{pid}/status")) {
        let _ = file.read_to_string(&mut status);
    }
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok())
        .map_or(0, |kibibytes| kibibytes << 10)
}

#[test]
fn a_log_of_a_gibibyte_takes_no_memory() {
    let Some(scratch) = busybox() else { return };
    // One endless line, which is the worst for whoever waits for its end.
    for (steps, progress) in [
        (
            "RUN tr '\\0' x < /dev/zero | head -c 1073741824 ; true\n",
            "rawjson",
        ),
        (
            "RUN tr '\\0' x < /dev/zero | head -c 1073741824 ; true\n",
            "plain",
        ),
        (
            "RUN yes abcdefghijklmnopqrstuvwxyz | head -c 1073741824 ; true\n",
            "quiet",
        ),
    ] {
        let start = Instant::now();
        let (peak, printed) = cost(&scratch, steps, progress);
        assert!(peak < 64 << 20, "{progress}: {peak} bytes");
        assert!(start.elapsed() < Duration::from_secs(300), "{progress}");
        if progress == "rawjson" {
            assert!(printed >= 1 << 30, "{progress}: {printed}");
        }
    }
}

#[test]
fn a_fork_bomb_stays_in_its_step() {
    let Some(scratch) = busybox() else { return };
    let steps = "RUN f() { f | f & }; f; sleep 1; echo survived\n";
    let output = run_with(&scratch, steps, &["--pids-limit", "50"]);
    if output.stderr.contains("control group") {
        // No right to make one: said exactly, and nothing ran.
        assert!(
            !output
                .stderr
                .lines()
                .any(|line| line.ends_with(" survived")),
            "{output:?}"
        );
        return;
    }
    assert!(output.code < 2, "{output:?}");
    let start = Instant::now();
    assert_runs(&scratch, "RUN echo next\n");
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn memory_ends_where_it_is_told_to() {
    let Some(scratch) = busybox() else { return };
    let steps = "RUN head -c 300000000 /dev/zero | tail -c 300000000 | wc -c\n";
    let output = run_with(&scratch, steps, &["--memory", "32m"]);
    if output.stderr.contains("control group") {
        return;
    }
    let is_told = output.code == 0 || output.stderr.contains("`--memory`");
    assert!(is_told, "{output:?}");
    for (bytes, code) in [("1000000", 0), ("2000000", 1)] {
        let steps = format!("RUN head -c {bytes} /dev/zero > /dev/shm/x\n");
        let output = run_with(&scratch, &steps, &["--shm-size", "1m"]);
        assert_eq!(output.code, code, "{output:?}");
    }
}

#[test]
fn groups_of_this_machine_cannot_be_changed() {
    let Some(scratch) = busybox() else { return };
    let steps = "RUN for file in $(find /sys/fs/cgroup -name cgroup.procs -o -name release_agent -o -name '*.max' 2> /dev/null) \
                 /sys/fs/cgroup/x; do (echo 1 > $file) 2> /dev/null && echo WROTE $file; done; \
                 mkdir /sys/fs/cgroup/new 2> /dev/null && echo WROTE; true\n";
    let output = assert_runs(&scratch, steps);
    let wrote = output
        .stderr
        .lines()
        .any(|line| line.contains(" WROTE") && !line.contains("echo"));
    assert!(!wrote, "{output:?}");
}
