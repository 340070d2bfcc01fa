//! What was measured, as a page.

use std::fmt::Write as _;

use super::process::Measured;
use crate::bench::stopwatch::median;

/// The states that a workload is built in.
pub(crate) const PHASES: [&str; 3] = ["cold", "warm", "edit"];

/// One builder on one workload.
pub(crate) struct Row {
    pub(crate) workload: String,
    pub(crate) builder: &'static str,
    /// By phase, one value a round.
    pub(crate) phases: [Vec<Measured>; 3],
    /// Why it could not build it.
    pub(crate) failure: Option<String>,
}

impl Row {
    fn seconds(&self, phase: usize) -> Vec<f64> {
        self.phases[phase].iter().map(|run| run.seconds).collect()
    }

    fn time(&self, phase: usize) -> String {
        let seconds = self.seconds(phase);
        if seconds.is_empty() {
            return "-".to_owned();
        }
        let least = seconds.iter().copied().fold(f64::INFINITY, f64::min);
        format!("{} ({})", shown(median(&seconds)), shown(least))
    }

    fn memory(&self) -> String {
        let runs = || self.phases.iter().flatten();
        let client = runs().map(|run| run.client_memory).fold(0.0, f64::max);
        let daemon = runs().map(|run| run.daemon_memory).fold(0.0, f64::max);
        if daemon > 0.0 {
            format!("{client:.0} + {daemon:.0}")
        } else {
            format!("{client:.0}")
        }
    }

    /// Returns how many times longer this builder takes than `ours`.
    fn ratios(&self, ours: Option<&Row>) -> String {
        let Some(ours) = ours.filter(|ours| ours.builder != self.builder) else {
            return "-".to_owned();
        };
        let ratios: Vec<String> = (0..PHASES.len())
            .map(|phase| {
                let ratio = median(&self.seconds(phase)) / median(&ours.seconds(phase));
                if ratio.is_finite() && ratio > 0.0 {
                    format!("{ratio:.1}")
                } else {
                    "-".to_owned()
                }
            })
            .collect();
        ratios.join(" / ")
    }
}

/// Returns seconds with three digits that count.
pub(crate) fn shown(seconds: f64) -> String {
    if seconds < 0.1 {
        format!("{seconds:.4}")
    } else if seconds < 10.0 {
        format!("{seconds:.2}")
    } else {
        format!("{seconds:.1}")
    }
}

/// Returns the table of the workloads.
pub(crate) fn workloads(rows: &[Row]) -> String {
    let mut text = String::from(
        "| workload | builder | cold s | warm s | edit s | times ours: cold / warm / edit | peak MiB |\n\
         |---|---|---|---|---|---|---|\n",
    );
    let mut failures = String::new();
    for row in rows {
        let ours = rows
            .iter()
            .find(|other| other.workload == row.workload && other.builder == "dfbuild");
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} |",
            row.workload,
            row.builder,
            row.time(0),
            row.time(1),
            row.time(2),
            row.ratios(ours),
            row.memory()
        );
        if let Some(failure) = &row.failure {
            let _ = writeln!(
                failures,
                "- {} does not build {}: {}",
                row.builder,
                row.workload,
                failure.replace('\n', " ")
            );
        }
    }
    if !failures.is_empty() {
        text.push('\n');
        text.push_str(&failures);
    }
    text
}
