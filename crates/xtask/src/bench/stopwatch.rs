//! Time and memory of whole processes, and the statistics of it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, ensure};

use crate::command::shown;

/// GNU time, which knows the peak memory of a process.
const GNU_TIME: &str = "/usr/bin/time";

/// Runs a command without its output and returns the seconds it took.
///
/// Fails unless it ends with 0 or 1, which all linters return for "clean" and "findings".
pub(super) fn seconds(command: &mut Command) -> anyhow::Result<f64> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let start = Instant::now();
    let status = command
        .status()
        .with_context(|| format!("cannot run `{}`", shown(command)))?;
    let seconds = start.elapsed().as_secs_f64();
    ensure!(
        matches!(status.code(), Some(0 | 1)),
        "`{}` ended with {status}",
        shown(command)
    );
    Ok(seconds)
}

/// Returns the peak resident memory of a command in MiB, or `None` where it cannot be measured.
pub(super) fn peak_memory(command: &Command) -> anyhow::Result<Option<f64>> {
    if !cfg!(target_os = "linux") || !Path::new(GNU_TIME).is_file() {
        return Ok(None);
    }
    let answer = tempfile::NamedTempFile::new().context("cannot make a temporary file")?;
    let mut timed = Command::new(GNU_TIME);
    timed
        .args(["--quiet", "--format=%M", "--output"])
        .arg(answer.path())
        .arg(command.get_program())
        .args(command.get_args())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if let Some(folder) = command.get_current_dir() {
        timed.current_dir(folder);
    }
    timed.status().context("cannot run GNU time")?;
    let text = fs::read_to_string(answer.path()).context("GNU time said nothing")?;
    let kibibytes: f64 = text
        .trim()
        .parse()
        .with_context(|| format!("GNU time said `{}`", text.trim()))?;
    Ok(Some(kibibytes / 1024.0))
}

/// Returns the value in the middle, or the mean of the two in the middle; 0 when there is none.
pub(super) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0);
    if sorted.len() % 2 == 1 {
        return upper;
    }
    let lower = sorted
        .len()
        .checked_sub(2)
        .and_then(|idx| sorted.get(idx / 2));
    f64::midpoint(lower.copied().unwrap_or(0.0), upper)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_stands_in_the_middle() {
        let medians = [&[3.0, 1.0, 2.0][..], &[4.0, 1.0, 2.0, 3.0], &[]].map(median);
        assert!((medians[0] - 2.0).abs() < 1e-9);
        assert!((medians[1] - 2.5).abs() < 1e-9);
        assert!(medians[2].abs() < 1e-9);
    }
}
