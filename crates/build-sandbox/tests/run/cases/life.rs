//! How a command ends.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use build_sandbox::{Job, Root, SandboxError, user_namespace};

use super::Case;
use crate::place::Place;

pub(super) const CASES: &[Case] = cases![
    cancel_kills_daemons_too,
    timeout_kills,
    daemon_left_behind_does_not_outlive_the_command,
    jobs_run_at_the_same_time,
    killed_helper_is_told,
];

fn cancel_kills_daemons_too(place: &Place) {
    let job = place.shell("setsid sleep 98761 & setsid sh -c 'sleep 98762 &' ; sleep 98763");
    let start = Instant::now();
    let said = place.run_until(&job, &|| start.elapsed() > Duration::from_millis(300));
    assert_eq!(said.error(), SandboxError::Cancelled);
    assert!(start.elapsed() < Duration::from_secs(5));
    for word in ["98761", "98762", "98763"] {
        assert!(!runs(word), "sleep {word} is alive");
    }
}

fn timeout_kills(place: &Place) {
    let mut job = place.shell("sleep 98764");
    job.timeout = Some(Duration::from_millis(200));
    assert!(matches!(
        place.run(&job).error(),
        SandboxError::TimedOut { .. }
    ));
    assert!(!runs("98764"));
}

fn daemon_left_behind_does_not_outlive_the_command(place: &Place) {
    let start = Instant::now();
    place.output("setsid sleep 98765 & true");
    assert!(start.elapsed() < Duration::from_secs(5) && !runs("98765"));
}

fn jobs_run_at_the_same_time(place: &Place) {
    let jobs: Vec<Job> = (0..4)
        .map(|number| {
            let mut job = place.shell(&format!("sleep 0.5; echo {number}"));
            job.root = Root::Overlay {
                lowers: vec![place.lower.clone()],
                upper: place.make(&format!("upper{number}")),
                work: place.make(&format!("work{number}")),
                user_attributes: user_namespace::id_map() != user_namespace::IdMap::Host,
            };
            job
        })
        .collect();
    let start = Instant::now();
    std::thread::scope(|scope| {
        let threads: Vec<_> = jobs
            .iter()
            .map(|job| scope.spawn(|| place.output_of(job)))
            .collect();
        for (number, thread) in threads.into_iter().enumerate() {
            assert_eq!(thread.join().unwrap(), format!("{number}\n"));
        }
    });
    assert!(
        start.elapsed() < Duration::from_millis(1900),
        "{:?}",
        start.elapsed()
    );
}

fn killed_helper_is_told(place: &Place) {
    kills_helper_during(place, &place.shell("sleep 98766"));
    if super::has_other_ids() {
        // A change of user makes the kernel forget whom a process is to die with.
        let other = Place::new();
        let mut job = other.shell("sleep 98766");
        (job.user, job.group) = (1000, 1000);
        kills_helper_during(&other, &job);
    }
}

fn kills_helper_during(place: &Place, job: &Job) {
    // The only child of this process that is the helper is found by its name.
    let this = std::process::id().to_string();
    let said = place.run_until(job, &|| {
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let status = fs::read_to_string(entry.path().join("status")).unwrap_or_default();
            let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let is_child = status.lines().any(|line| line == format!("PPid:\t{this}"));
            if is_child && line.starts_with(b"build-sandbox-helper") && runs("98766") {
                kill(&entry.file_name().to_string_lossy());
            }
        }
        false
    });
    assert!(matches!(said.error(), SandboxError::HelperGone));
    std::thread::sleep(Duration::from_millis(100));
    assert!(!runs("98766"));
}

fn kill(pid: &str) {
    let _ = std::process::Command::new("kill")
        .args(["-9", pid])
        .status();
}

/// Ends every process of the machine that has this word on its command line.
pub(super) fn kill_all(word: &str) {
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        if has_word(&entry.path(), word) {
            kill(&entry.file_name().to_string_lossy());
        }
    }
}

/// Whether any process of the machine has this word on its command line.
pub(super) fn runs(word: &str) -> bool {
    let mut processes = fs::read_dir("/proc").unwrap().flatten();
    processes.any(|entry| has_word(&entry.path(), word))
}

fn has_word(process: &Path, word: &str) -> bool {
    fs::read(process.join("cmdline")).is_ok_and(|line| {
        line.split(|byte| *byte == 0)
            .any(|part| part == word.as_bytes())
    })
}
