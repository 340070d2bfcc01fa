//! The same by `runc` and `crun`, where they are installed.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use build_sandbox::{Executor, Job, Outcome, RuntimeExecutor, SandboxError, Writes};

use super::life::runs;
use super::{Case, mount, tree};
use crate::place::Place;

pub(super) const CASES: &[Case] = cases![
    runtime_runs_a_command_with_its_mounts,
    runtime_tells_exit_code_and_missing_program,
    runtime_is_cancelled_with_all_it_started,
];

/// The runtimes of this machine that can start a container at all.
fn executors(place: &Place) -> Vec<RuntimeExecutor> {
    let mut found = Vec::new();
    for name in ["runc", "crun"] {
        let executor = RuntimeExecutor {
            program: PathBuf::from(name),
            directory: place.directory.path().to_owned(),
        };
        match run(&executor, &place.job(&["/bin/true"])).1 {
            Ok(_) => found.push(executor),
            Err(error) => crate::say(&format!("skipped: {error}")),
        }
    }
    found
}

fn run(executor: &RuntimeExecutor, job: &Job) -> (String, Result<Outcome, SandboxError>) {
    let mut out = Vec::new();
    let outcome = executor.run(job, &mut |_, bytes| out.extend_from_slice(bytes), &|| false);
    (String::from_utf8_lossy(&out).into_owned(), outcome)
}

fn runtime_runs_a_command_with_its_mounts(place: &Place) {
    let source = place.make("source");
    fs::write(source.join("a"), "x\n").unwrap();
    for executor in executors(place) {
        let script = "env; cat /m/a; touch /m/b 2> /dev/null || echo read-only; hostname; grep -E 'CapEff|CapInh|Seccomp:' /proc/self/status; grep -c example /etc/hosts";
        let mut job = place.shell(script);
        job.mounts.push(mount("/m", tree(&source, Writes::Denied)));
        job.extra_hosts
            .push(("10.0.0.1".to_owned(), "example".to_owned()));
        let (out, outcome) = run(&executor, &job);
        assert!(
            outcome.is_ok_and(|outcome| outcome.ending.is_success()),
            "{out}"
        );
        for line in [
            "PATH=/bin",
            "x",
            "read-only",
            "buildkitsandbox",
            "CapInh:\t0000000000000000",
            "CapEff:\t00000000a80425fb",
            "Seccomp:\t2",
            "1",
        ] {
            assert!(out.lines().any(|found| found == line), "{line} in {out}");
        }
        assert_eq!(place.changes(), [""; 0]);
    }
}

fn runtime_tells_exit_code_and_missing_program(place: &Place) {
    for executor in executors(place) {
        let (_, outcome) = run(&executor, &place.shell("exit 7"));
        assert_eq!(outcome.unwrap().ending.code(), 7);
        let (out, outcome) = run(&executor, &place.job(&["/bin/bash"]));
        assert!(
            matches!(outcome, Err(SandboxError::ProgramMissing { .. })),
            "{outcome:?} {out}"
        );
    }
}

fn runtime_is_cancelled_with_all_it_started(place: &Place) {
    for executor in executors(place) {
        let start = Instant::now();
        let job = place.shell("setsid sleep 98771 & sleep 98772");
        let cancel = || runs("98772") && start.elapsed() > Duration::from_millis(300);
        let outcome = executor.run(&job, &mut |_, _| {}, &cancel);
        assert_eq!(outcome.unwrap_err(), SandboxError::Cancelled);
        let end = Instant::now();
        while (runs("98771") || runs("98772")) && end.elapsed() < Duration::from_secs(2) {
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(!runs("98771") && !runs("98772"));
    }
}
