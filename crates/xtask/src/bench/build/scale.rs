//! How cost grows with the number of files and of steps, and what an export costs.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Context;

use super::builders::{Builder, Job, Spent};
use super::process::{self, measure};
use super::table::shown;
use super::workloads;
use crate::bench::log_fit::exponent;
use crate::bench::stopwatch::median;

const FILES: [usize; 3] = [1_000, 10_000, 100_000];
const STEPS: [usize; 3] = [10, 100, 1_000];
/// A context of bytes that do not compress.
const RANDOM_SIZE: usize = 256 << 20;

/// Makes a context of a size.
type Make = fn(&Path, usize) -> anyhow::Result<()>;

/// Returns a table: cold, warm and edited builds of growing contexts.
pub(crate) fn scale(builder: &mut Builder, folder: &Path, rounds: usize) -> anyhow::Result<String> {
    let mut text =
        String::from("| what | cold s | warm s | edit s | peak MiB |\n|---|---|---|---|---|\n");
    let mut spent = Spent::default();
    let kinds: [(&str, [usize; 3], &str, Make); 2] = [
        ("files", FILES, "d0000/f000000", workloads::many_files),
        ("RUN steps", STEPS, "v", workloads::many_steps),
    ];
    for (kind, sizes, edited, make) in kinds {
        let mut points: [Vec<(f64, f64)>; 3] = Default::default();
        for size in sizes {
            let context = folder.join(format!("{}-{size}", kind.replace(' ', "-")));
            make(&context, size)?;
            let mut seconds: [Vec<f64>; 3] = Default::default();
            let mut memory: f64 = 0.0;
            for round in 0..rounds {
                for (phase, seconds) in seconds.iter_mut().enumerate() {
                    if phase == 0 {
                        builder.renew(&mut spent)?;
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
            fs::remove_dir_all(&context).context("cannot remove a context")?;
        }
        let exponents = points.map(|points| exponent(&points));
        let _ = writeln!(
            text,
            "| exponent for {kind} (1 is linear) | {:.2} | {:.2} | {:.2} | |",
            exponents[0], exponents[1], exponents[2]
        );
    }
    builder.renew(&mut spent)?;
    spent.delete()?;
    Ok(text)
}

/// Returns a table: archives of an image that is built already.
pub(crate) fn export(
    builders: &mut [Builder],
    big: &Path,
    folder: &Path,
    rounds: usize,
) -> anyhow::Result<String> {
    let random = folder.join("random");
    fs::create_dir_all(&random).context("cannot make a context")?;
    fs::write(random.join("random.bin"), random_bytes(RANDOM_SIZE)).context("cannot write")?;
    fs::write(
        random.join("Dockerfile"),
        "FROM scratch\nCOPY random.bin /random.bin\n",
    )
    .context("cannot write")?;
    let mut text = String::from(
        "| image | builder | form | s | MiB | peak MiB |\n|---|---|---|---|---|---|\n",
    );
    let mut spent = Spent::default();
    let images = [
        ("1 GiB, half random", big),
        ("256 MiB random", random.as_path()),
    ];
    for (name, context) in images {
        for builder in builders.iter_mut() {
            builder.renew(&mut spent)?;
            measure(&mut builder.build(&job(context)), &[])?;
            for form in ["gzip", "zstd", "uncompressed"] {
                let archive = folder.join("image.tar");
                let mut seconds = Vec::new();
                let mut memory: f64 = 0.0;
                let mut size = 0;
                for _ in 0..rounds {
                    let _ = fs::remove_file(&archive);
                    let Some(mut command) = builder.export(&job(context), form, &archive) else {
                        break;
                    };
                    let measured = measure(&mut command, &builder.daemons())?;
                    seconds.push(measured.seconds);
                    memory = memory.max(measured.client_memory + measured.daemon_memory);
                    size = process::size(&archive) >> 20;
                }
                if seconds.is_empty() {
                    continue;
                }
                let line = format!(
                    "| {name} | {} | {form} | {} | {size} | {memory:.0} |",
                    builder.name(),
                    shown(median(&seconds))
                );
                println!("{line}");
                // Writing to a string does not fail.
                let _ = writeln!(text, "{line}");
            }
            builder.renew(&mut spent)?;
        }
        spent.delete()?;
    }
    Ok(text)
}

fn job(context: &Path) -> Job<'_> {
    Job {
        context,
        secret: None,
    }
}

/// Returns bytes without a pattern (xorshift64), the same on every run.
fn random_bytes(count: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(count);
    while bytes.len() < count {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(count);
    bytes
}
