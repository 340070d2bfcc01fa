//! `dfbuild du`.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use anyhow::Result;

use crate::arguments::StoreArguments;
use crate::outcome::Outcome;
use crate::paths;
use crate::progress::bytes;
use crate::table;

const PARTS: [(&str, &str); 5] = [
    ("blobs", "blobs of images"),
    ("layers", "layers for builds"),
    ("cache", "results of steps"),
    ("mounts", "cache mounts"),
    ("tmp", "unfinished"),
];

pub(crate) fn run(arguments: &StoreArguments) -> Result<Outcome> {
    let root = paths::store(arguments);
    let mut rows = vec![["WHAT", "FILES", "SIZE"].map(str::to_owned).to_vec()];
    let mut seen = HashSet::new();
    let mut total = Usage::default();
    for (folder, name) in PARTS {
        let usage = usage(&root.join(folder), &mut seen)?;
        total.files += usage.files;
        total.bytes += usage.bytes;
        rows.push(vec![
            name.to_owned(),
            usage.files.to_string(),
            bytes(usage.bytes),
        ]);
    }
    rows.push(vec![
        "in all".to_owned(),
        total.files.to_string(),
        bytes(total.bytes),
    ]);
    table::write(&mut io::stdout().lock(), &rows)?;
    Ok(Outcome::Done)
}

#[derive(Default)]
struct Usage {
    files: u64,
    bytes: u64,
}

/// Counts what a folder takes on disk; a file with several names counts once.
fn usage(folder: &Path, seen: &mut HashSet<(u64, u64)>) -> io::Result<Usage> {
    let mut usage = Usage::default();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            // A folder of an image may be closed to us, and a build at work takes folders away.
            Err(error) if is_passing(&error) => continue,
            Err(error) => return Err(error),
        };
        for entry in entries.flatten() {
            let Ok(found) = entry.metadata() else {
                continue;
            };
            if found.is_dir() {
                open.push(entry.path());
                continue;
            }
            if found.nlink() > 1 && !seen.insert((found.dev(), found.ino())) {
                continue;
            }
            usage.files += 1;
            usage.bytes += found.blocks() * 512;
        }
    }
    Ok(usage)
}

fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied
    )
}
