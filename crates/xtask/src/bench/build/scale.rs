//! How cost grows with the number of files and of steps.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use anyhow::Context;

use super::builders::{Builder, Job, Spent};
use super::process::measure;
use super::table::shown;
use super::workloads;
use crate::bench::log_fit::exponent;
use crate::bench::stopwatch::median;
use crate::command;

const FILES: [usize; 3] = [1_000, 10_000, 100_000];
const STEPS: [usize; 3] = [10, 100, 1_000];
/// How much smaller everything is when the bench itself is tried.
const SMALLER: usize = 10;

/// Makes a context of a size.
type Make = fn(&Path, usize) -> anyhow::Result<()>;

/// Returns a table: cold, warm and edited builds of growing contexts.
///
/// Nothing is deleted before all is measured: see [`Spent`].
pub(crate) fn scale(
    builder: &mut Builder,
    folder: &Path,
    rounds: usize,
    is_small: bool,
) -> anyhow::Result<String> {
    let mut text =
        String::from("| what | cold s | warm s | edit s | peak MiB |\n|---|---|---|---|---|\n");
    let mut spent = Spent::default();
    let kinds: [(&str, [usize; 3], &str, Make); 2] = [
        ("files", FILES, "d0000/f000000", workloads::many_files),
        ("RUN steps", STEPS, "v", workloads::many_steps),
    ];
    for (kind, sizes, edited, make) in kinds {
        let mut points: [Vec<(f64, f64)>; 3] = Default::default();
        for size in sizes.map(|size| if is_small { size / SMALLER } else { size }) {
            let context = folder.join(format!("{}-{size}", kind.replace(' ', "-")));
            make(&context, size)?;
            // Nobody's first build comes in the second in which all files were written.
            command::run(&mut Command::new("sync"))?;
            sleep(Duration::from_secs(2));
            let mut seconds: [Vec<f64>; 3] = Default::default();
            let mut memory: f64 = 0.0;
            for round in 0..rounds {
                for (phase, seconds) in seconds.iter_mut().enumerate() {
                    if phase == 0 {
                        builder.renew(&mut spent)?;
                        command::run(&mut Command::new("sync"))?;
                    }
                    if phase == 2 {
                        fs::write(context.join(edited), format!("edit {round}\n"))
                            .context("cannot edit")?;
                    }
                    let measured = measure(&mut builder.build(&job(&context)), &[])?;
                    seconds.push(measured.seconds);
                    memory = memory.max(measured.client_memory);
                }
            }
            let medians = seconds.map(|seconds| median(&seconds));
            for (points, seconds) in points.iter_mut().zip(medians) {
                points.push((size as f64, seconds));
            }
            let line = format!(
                "| {size} {kind} | {} | {} | {} | {memory:.0} |",
                shown(medians[0]),
                shown(medians[1]),
                shown(medians[2])
            );
            println!("{line}");
            // Writing to a string does not fail.
            let _ = writeln!(text, "{line}");
        }
        let exponents = points.map(|points| exponent(&points));
        let _ = writeln!(
            text,
            "| exponent for {kind} (1 is linear) | {:.2} | {:.2} | {:.2} | |",
            exponents[0], exponents[1], exponents[2]
        );
    }
    builder.renew(&mut spent)?;
    Ok(text)
}

fn job(context: &Path) -> Job<'_> {
    Job {
        context,
        secret: None,
    }
}
