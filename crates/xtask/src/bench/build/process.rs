//! Time and memory of one build.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::command::shown;

/// How often the processes are looked at. A peak between two looks is not lost: the kernel keeps it.
const PERIOD: Duration = Duration::from_millis(3);
/// How much of a failed build's output is shown.
const SHOWN_BYTES: usize = 2000;
const SHOWN_LINES: usize = 2;

#[derive(Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) seconds: f64,
    /// Peak of the builder's largest process, in MiB. What RUN starts is not the builder's.
    pub(crate) client_memory: f64,
    /// Peak of its daemons together, in MiB; 0 without one.
    pub(crate) daemon_memory: f64,
}

/// Runs a build, watching the processes of its own program and the `daemons`.
pub(crate) fn measure(command: &mut Command, daemons: &[u32]) -> anyhow::Result<Measured> {
    for daemon in daemons {
        // Starts its peak anew (proc(5), clear_refs 5).
        let _ = fs::write(format!("/proc/{daemon}/clear_refs"), "5");
    }
    let log = tempfile::NamedTempFile::new().context("cannot make a log")?;
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log.reopen().context("cannot open the log")?);
    let start = Instant::now();
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot run `{}`", shown(command)))?;
    let done = AtomicBool::new(false);
    let pid = child.id();
    let (status, seconds, client_memory) = thread::scope(|scope| {
        let watch = scope.spawn(|| watch(pid, &done));
        let status = child.wait();
        let seconds = start.elapsed().as_secs_f64();
        done.store(true, Ordering::Relaxed);
        (status, seconds, watch.join().unwrap_or_default())
    });
    let status = status.context("cannot wait for the build")?;
    if !status.success() {
        let text = fs::read(log.path()).unwrap_or_default();
        let text = &text[text.len().saturating_sub(SHOWN_BYTES)..];
        let text = String::from_utf8_lossy(text);
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .collect();
        let last = &lines[lines.len().saturating_sub(SHOWN_LINES)..];
        bail!("{status}: {}", last.join(" "));
    }
    let daemon_memory = daemons.iter().map(|daemon| peak(*daemon)).sum();
    Ok(Measured {
        seconds,
        client_memory,
        daemon_memory,
    })
}

/// Returns the highest peak of the process and of those below it that run the same program.
fn watch(pid: u32, done: &AtomicBool) -> f64 {
    let mut peaks: BTreeMap<u32, f64> = BTreeMap::new();
    let mut program = None;
    loop {
        if program.is_none() {
            program = program_of(pid);
        }
        for process in family(pid) {
            if process == pid || program_of(process) == program {
                let now = peak(process);
                let highest = peaks.entry(process).or_default();
                *highest = highest.max(now);
            }
        }
        if done.load(Ordering::Relaxed) {
            return peaks.into_values().fold(0.0, f64::max);
        }
        thread::sleep(PERIOD);
    }
}

fn program_of(pid: u32) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/exe")).ok()
}

/// Returns the process and all below it.
fn family(pid: u32) -> Vec<u32> {
    let mut family = vec![pid];
    let mut next = 0;
    while let Some(process) = family.get(next).copied() {
        next += 1;
        let tasks = fs::read_dir(format!("/proc/{process}/task"));
        for task in tasks.into_iter().flatten().flatten() {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            family.extend(
                children
                    .split_whitespace()
                    .filter_map(|child| child.parse::<u32>().ok()),
            );
        }
    }
    family
}

/// Returns the peak resident memory of a process in MiB.
fn peak(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|kibibytes| kibibytes.parse::<f64>().ok())
        .map_or(0.0, |kibibytes| kibibytes / 1024.0)
}

/// Returns the process and those below it, to be watched as daemons.
pub(crate) fn daemons(pid: u32) -> Vec<u32> {
    family(pid)
}

/// Returns the bytes of a file, or of all files below a folder.
pub(crate) fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}
