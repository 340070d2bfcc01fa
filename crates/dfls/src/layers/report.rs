//! What each step adds, changes and removes, and what that wastes.
//!
//! The measure is that of `dockerfile_build::Waste`, which `dfbuild layers` uses, too; here it is fed with listings.

use std::collections::BTreeMap;
use std::sync::Arc;

use dockerfile_build::{Waste, WasteLedger, WastefulFile};
use dockerfile_source::TextRange;
use oci_image::layer::{Entry, Kind, LayerPath, Listing, Merged};
use serde::Serialize;

/// How many of the most wasteful files are named.
const MOST_WASTEFUL: usize = 50;

/// What was found out about all steps.
#[derive(Debug, Default)]
pub(crate) struct LayerReport {
    pub(crate) steps: Vec<StepReport>,
    pub(crate) waste: Waste,
}

impl LayerReport {
    /// Returns the files that waste most, the worst first.
    pub(crate) fn worst(&self) -> impl Iterator<Item = &WastefulFile> {
        self.waste.files.iter().take(MOST_WASTEFUL)
    }
}

#[derive(Debug)]
pub(crate) struct StepReport {
    pub(crate) title: String,
    pub(crate) range: TextRange,
    pub(crate) layers: usize,
    pub(crate) size: u64,
    pub(crate) added: usize,
    pub(crate) changed: usize,
    pub(crate) removed: usize,
    /// Bytes of steps before that it covers or removes.
    pub(crate) wasted: u64,
}

/// One file of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct FileChange {
    pub(crate) path: String,
    pub(crate) change: Change,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) size: u64,
    /// Bytes that are covered or removed by it.
    pub(crate) wasted: u64,
    /// Permissions, as `ls` shows them in numbers: `0644`.
    pub(crate) mode: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// Of a link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Change {
    Added,
    Changed,
    Removed,
}

/// Returns what a step does to the files below, sorted by path; folders count where they are new and empty only.
pub(crate) fn changes(below: &Merged, layers: &[Arc<Listing>]) -> Vec<FileChange> {
    let mut changes = BTreeMap::new();
    let removed = |path: &LayerPath, changes: &mut BTreeMap<LayerPath, FileChange>| {
        let Some(found) = below.get(path) else { return };
        if !found.entry.kind.is_directory() {
            changes.insert(
                path.clone(),
                change(found.entry, Change::Removed, size(found.entry)),
            );
        }
        for inner in below.walk(path) {
            if !inner.entry.kind.is_directory() {
                let gone = change(inner.entry, Change::Removed, size(inner.entry));
                changes.insert(inner.entry.path.clone(), gone);
            }
        }
    };
    // The files of the whole step, however many layers it has.
    for listing in layers {
        for entry in listing.entries() {
            match &entry.kind {
                Kind::Whiteout => {
                    changes.retain(|path: &LayerPath, _| {
                        *path != entry.path && !path.is_in(&entry.path)
                    });
                    removed(&entry.path, &mut changes);
                }
                Kind::Directory { is_opaque: true } => {
                    changes.retain(|path: &LayerPath, _| !path.is_in(&entry.path));
                    removed(&entry.path, &mut changes);
                }
                Kind::Directory { is_opaque: false } => {}
                _ => {
                    let before = below.get(&entry.path).map(|found| found.entry);
                    let before = before.filter(|before| !before.kind.is_directory());
                    let kind = if before.is_some() {
                        Change::Changed
                    } else {
                        Change::Added
                    };
                    let wasted = before.map_or(0, size);
                    changes.insert(entry.path.clone(), change(entry, kind, wasted));
                }
            }
        }
    }
    changes.into_values().collect()
}

fn change(entry: &Entry, change: Change, wasted: u64) -> FileChange {
    let (kind, target) = match &entry.kind {
        Kind::File { .. } => ("file", None),
        Kind::Directory { .. } => ("folder", None),
        Kind::Symlink { target } => ("link", Some(String::from_utf8_lossy(target).into_owned())),
        Kind::HardLink { target } => ("name", Some(shown(target))),
        Kind::Fifo | Kind::CharDevice { .. } | Kind::BlockDevice { .. } | Kind::Whiteout => {
            ("device", None)
        }
    };
    FileChange {
        path: shown(&entry.path),
        change,
        kind,
        size: if change == Change::Removed {
            0
        } else {
            size(entry)
        },
        wasted,
        mode: format!("{:04o}", entry.mode & 0o7777),
        uid: entry.uid,
        gid: entry.gid,
        target,
    }
}

fn shown(path: &LayerPath) -> String {
    format!("/{}", String::from_utf8_lossy(path.as_bytes()))
}

fn size(entry: &Entry) -> u64 {
    match entry.kind {
        Kind::File { size } => size,
        _ => 0,
    }
}

/// Returns what each step costs.
pub(crate) fn report(steps: Vec<(String, TextRange, Vec<Arc<Listing>>)>) -> LayerReport {
    let mut below: Vec<Arc<Listing>> = Vec::new();
    let mut ledger = WasteLedger::default();
    let mut report = LayerReport::default();
    for (number, (title, range, layers)) in steps.into_iter().enumerate() {
        let merged = Merged::new(below.clone());
        let mut step = StepReport {
            title,
            range,
            layers: layers.len(),
            size: 0,
            added: 0,
            changed: 0,
            removed: 0,
            wasted: 0,
        };
        for file in changes(&merged, &layers) {
            step.size += file.size;
            step.wasted += file.wasted;
            match file.change {
                Change::Added => step.added += 1,
                Change::Changed => step.changed += 1,
                Change::Removed => step.removed += 1,
            }
            ledger.count(number, file.path, file.size);
        }
        report.steps.push(step);
        below.extend(layers);
    }
    report.waste = ledger.finish();
    report
}

#[cfg(test)]
mod tests {
    use dockerfile_source::TextSize;
    use oci_image::layer::{ListingBuilder, Timestamp};

    use super::*;

    fn path(text: &str) -> LayerPath {
        LayerPath::parse(text.as_bytes()).expect("a path")
    }

    fn listing(entries: Vec<Entry>) -> Arc<Listing> {
        let mut builder = ListingBuilder::default();
        for entry in entries {
            builder.push(entry, 0);
        }
        Arc::new(builder.finish(true))
    }

    fn file(text: &str, size: u64) -> Entry {
        Entry::file(path(text), size, 0o644, Timestamp::seconds(0))
    }

    fn folder(text: &str) -> Entry {
        Entry::directory(path(text), Timestamp::seconds(0))
    }

    fn of(steps: Vec<Vec<Entry>>) -> LayerReport {
        let empty = TextRange::empty(TextSize::from(0));
        let steps = steps.into_iter();
        report(
            steps
                .map(|entries| (String::new(), empty, vec![listing(entries)]))
                .collect(),
        )
    }

    #[test]
    fn a_file_in_two_steps_wastes_all_its_sizes() {
        let report = of(vec![
            vec![file("a", 10), file("b", 30)],
            vec![file("a", 20)],
        ]);
        assert_eq!((report.waste.total, report.waste.wasted), (60, 30));
        assert!((report.waste.efficiency() - 40.0 / 60.0).abs() < 1e-9);
        let second = report.steps.get(1).expect("two steps");
        assert_eq!((second.added, second.changed, second.wasted), (0, 1, 10));
    }

    #[test]
    fn a_removed_folder_wastes_its_files() {
        let first = vec![
            folder("cache"),
            file("cache/a", 10),
            file("cache/b", 5),
            file("cached", 1),
        ];
        let report = of(vec![first, vec![Entry::whiteout(path("cache"))]]);
        assert_eq!((report.waste.total, report.waste.wasted), (16, 15));
        assert_eq!(
            report.steps.get(1).map(|step| (step.removed, step.wasted)),
            Some((2, 15))
        );
        assert_eq!(
            report.worst().next().map(|file| file.path.as_str()),
            Some("/cache/a")
        );
    }
}
