//! What it costs to give away an image that is built already: as an archive, and to a registry.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Context;

use super::builders::{Builder, Job, Spent};
use super::process::{Measured, measure, size};
use super::table::shown;
use crate::bases::Registry;
use crate::bench::stopwatch::median;
use crate::command;

/// A context of bytes that do not compress.
const RANDOM_SIZE: usize = 256 << 20;
/// The same when the bench itself is tried.
const SMALL_SIZE: usize = 8 << 20;
const FORMS: [&str; 3] = ["gzip", "zstd", "uncompressed"];

/// Where the image goes.
#[derive(Clone, Copy)]
enum Way {
    Archive,
    Registry,
}

/// What one builder needs for one image in one form.
#[derive(Default)]
struct Row {
    first: Vec<f64>,
    again: Vec<f64>,
    memory: f64,
    size: u64,
}

/// Returns a table: an image of `big`, which is left out when the bench itself is tried, and one of random bytes.
///
/// Every round has a new store, so that nobody finds layers that an earlier round compressed; *again* is the same once more.
pub(crate) fn export(
    builders: &mut [Builder],
    big: Option<&Path>,
    folder: &Path,
    rounds: usize,
) -> anyhow::Result<String> {
    let bytes = if big.is_some() {
        RANDOM_SIZE
    } else {
        SMALL_SIZE
    };
    let random = random_context(folder, bytes)?;
    let name = format!("{} MiB random", bytes >> 20);
    let mut images: Vec<(&str, &Path)> =
        big.iter().map(|big| ("1 GiB, half random", *big)).collect();
    images.push((&name, &random));
    let mut text = String::from(
        "| image | to | form | builder | first s | again s | MiB | peak MiB |\n|---|---|---|---|---|---|---|---|\n",
    );
    let mut spent = Spent::default();
    for (name, context) in images {
        for way in [Way::Archive, Way::Registry] {
            for form in FORMS {
                let mut rows: Vec<Row> = builders.iter().map(|_| Row::default()).collect();
                for _ in 0..rounds {
                    for (builder, row) in builders.iter_mut().zip(&mut rows) {
                        one_round(builder, context, way, form, folder, row, &mut spent)?;
                    }
                }
                for (builder, row) in builders.iter().zip(&rows) {
                    if let Some(line) = row.shown(name, way, form, builder.name()) {
                        println!("{line}");
                        // Writing to a string does not fail.
                        let _ = writeln!(text, "{line}");
                    }
                }
            }
        }
        for builder in builders.iter_mut() {
            builder.renew(&mut spent)?;
        }
        // A gigabyte each; few files, so nobody has to wait until the file system forgets them.
        drop(std::mem::take(&mut spent));
    }
    Ok(text)
}

/// Builds, and gives the image away twice, if the builder can do that.
fn one_round(
    builder: &mut Builder,
    context: &Path,
    way: Way,
    form: &str,
    folder: &Path,
    row: &mut Row,
    spent: &mut Spent,
) -> anyhow::Result<()> {
    let job = Job {
        context,
        secret: None,
    };
    let archive = folder.join("image.tar");
    let registry = match way {
        Way::Archive => None,
        Way::Registry => Some(Registry::empty(0)?),
    };
    let give = |builder: &Builder, registry: Option<&Registry>| match registry {
        None => builder.export(&job, form, &archive),
        Some(registry) => builder.push(form, &registry.address),
    };
    if give(builder, registry.as_ref()).is_none() {
        return Ok(());
    }
    builder.renew(spent)?;
    measure(&mut builder.build(&job), &[])?;
    if let Some(mut name) = registry
        .as_ref()
        .and_then(|to| builder.name_for(&to.address))
    {
        command::run(&mut name)?;
    }
    command::run(&mut Command::new("sync"))?;
    let once = |builder: &Builder, registry: Option<&Registry>| -> anyhow::Result<Measured> {
        let mut command = give(builder, registry).context("the builder cannot do that")?;
        measure(&mut command, &builder.daemons())
    };
    for seconds in [&mut row.first, &mut row.again] {
        let _ = fs::remove_file(&archive);
        let measured = once(builder, registry.as_ref())?;
        seconds.push(measured.seconds);
        row.memory = row
            .memory
            .max(measured.client_memory + measured.daemon_memory);
    }
    if registry.is_none() {
        row.size = size(&archive) >> 20;
    }
    let _ = fs::remove_file(&archive);
    Ok(())
}

impl Row {
    fn shown(&self, image: &str, way: Way, form: &str, builder: &str) -> Option<String> {
        if self.first.is_empty() {
            return None;
        }
        let (to, size) = match way {
            Way::Archive => ("archive", self.size.to_string()),
            Way::Registry => ("registry", "-".to_owned()),
        };
        Some(format!(
            "| {image} | {to} | {form} | {builder} | {} | {} | {size} | {:.0} |",
            shown(median(&self.first)),
            shown(median(&self.again)),
            self.memory
        ))
    }
}

fn random_context(folder: &Path, bytes: usize) -> anyhow::Result<std::path::PathBuf> {
    let random = folder.join("random");
    fs::create_dir_all(&random).context("cannot make a context")?;
    fs::write(random.join("random.bin"), random_bytes(bytes)).context("cannot write")?;
    let text = "FROM scratch\nCOPY random.bin /random.bin\n";
    fs::write(random.join("Dockerfile"), text).context("cannot write")?;
    Ok(random)
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
