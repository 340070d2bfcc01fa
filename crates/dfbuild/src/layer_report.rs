//! What each layer of an image adds, changes and removes, and what that wastes.
//!
//! The measure is that of dive: a file counts in every layer that has it; efficiency is the smallest size of each file, summed
//! up, by all its sizes, summed up; wasted are all sizes of a file that is in two layers or more. A file that is removed has the
//! smallest size 0. Where a whole folder is removed, its files count one by one (dive counts the folder, which hides the waste).

use std::collections::BTreeMap;
use std::io::BufReader;

use anyhow::{Context as _, Result};
use dockerfile_build::Image;
use oci_image::compression::Decompressor;
use oci_image::layer::{Kind, LayerPath, LayerRecord, Limits, read_layer};
use oci_image::store::Store;

/// A layer that unpacks to more is a bomb.
const MOST_BYTES: u64 = 1 << 40;

/// What was found out about an image.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Report {
    pub(crate) layers: Vec<LayerReport>,
    /// Bytes of all files of all layers.
    pub(crate) total: u64,
    pub(crate) wasted: u64,
    smallest: u64,
    /// The files that waste something, the worst first.
    pub(crate) wasteful: Vec<WastefulFile>,
}

/// One layer, from the lowest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LayerReport {
    pub(crate) digest: String,
    pub(crate) diff_id: String,
    /// The instruction that made it.
    pub(crate) created_by: String,
    /// Bytes of its files.
    pub(crate) bytes: u64,
    /// Bytes of its blob in the store.
    pub(crate) stored: u64,
    pub(crate) added: u64,
    pub(crate) changed: u64,
    pub(crate) removed: u64,
    /// Bytes of lower layers that it covers or removes.
    pub(crate) wasted: u64,
}

/// A file that several layers have, or that one has for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WastefulFile {
    pub(crate) path: String,
    pub(crate) bytes: u64,
    /// The numbers of the layers from 0; the last may be the one that removes it.
    pub(crate) layers: Vec<usize>,
}

impl Report {
    /// Returns a number up to 1: 1 when nothing is wasted.
    #[expect(clippy::cast_precision_loss, reason = "it is shown with three digits")]
    pub(crate) fn efficiency(&self) -> f64 {
        match self.total {
            0 => 1.0,
            total => self.smallest as f64 / total as f64,
        }
    }
}

/// A path over all layers so far.
#[derive(Debug, Default)]
struct Life {
    sum: u64,
    smallest: Option<u64>,
    layers: Vec<usize>,
    /// Its size now, while it is there.
    now: Option<u64>,
}

impl Life {
    fn seen(&mut self, layer: usize, size: u64) {
        self.sum += size;
        self.smallest = Some(self.smallest.map_or(size, |smallest| smallest.min(size)));
        self.layers.push(layer);
    }
}

/// Reads all layers of an image, one after the other.
pub(crate) fn analyse(store: &Store, image: &Image) -> Result<Report> {
    let mut analysis = Analysis::default();
    let mut history = image
        .config
        .history
        .iter()
        .filter(|entry| !entry.empty_layer);
    let diff_ids = &image.config.rootfs.diff_ids;
    for (number, layer) in image.layers.iter().enumerate() {
        let mut report = LayerReport {
            digest: layer.digest.to_string(),
            diff_id: diff_ids
                .get(number)
                .map(ToString::to_string)
                .unwrap_or_default(),
            created_by: history
                .next()
                .map(|entry| entry.created_by.clone())
                .unwrap_or_default(),
            stored: layer.size,
            ..LayerReport::default()
        };
        let failed = || format!("cannot read the layer {}", layer.digest);
        let blob = store.open_blob(&layer.digest).with_context(failed)?;
        let plain = Decompressor::new(BufReader::with_capacity(1 << 18, blob), MOST_BYTES)
            .with_context(failed)?;
        let mut reader = read_layer(BufReader::with_capacity(1 << 18, plain), Limits::default());
        while let Some(record) = reader.next_record().with_context(failed)? {
            analysis.take(number, &record, &mut report);
        }
        analysis.layers.push(report);
    }
    Ok(analysis.finish())
}

#[derive(Debug, Default)]
struct Analysis {
    lives: BTreeMap<LayerPath, Life>,
    layers: Vec<LayerReport>,
}

impl Analysis {
    fn take(&mut self, number: usize, record: &LayerRecord, report: &mut LayerReport) {
        let entry = match record {
            LayerRecord::Opaque(folder) => {
                self.remove_below(number, folder, report);
                return;
            }
            LayerRecord::Entry(entry) => entry,
        };
        let size = match &entry.kind {
            Kind::Directory { .. } => return,
            Kind::Whiteout => {
                self.remove_below(number, &entry.path, report);
                self.remove(number, &entry.path, report);
                return;
            }
            Kind::File { size } => *size,
            // A further name of a file, a link, a device: no bytes of their own.
            _ => 0,
        };
        // A file where a folder was takes the folder away.
        self.remove_below(number, &entry.path, report);
        let life = self.lives.entry(entry.path.clone()).or_default();
        match life.now.replace(size) {
            Some(covered) => {
                report.changed += 1;
                report.wasted += covered;
            }
            None => report.added += 1,
        }
        report.bytes += size;
        life.seen(number, size);
    }

    fn remove(&mut self, number: usize, path: &LayerPath, report: &mut LayerReport) {
        if let Some(life) = self.lives.get_mut(path)
            && let Some(size) = life.now.take()
        {
            report.removed += 1;
            report.wasted += size;
            life.seen(number, 0);
        }
    }

    fn remove_below(&mut self, number: usize, folder: &LayerPath, report: &mut LayerReport) {
        use std::ops::Bound::{Excluded, Unbounded};
        let below = self
            .lives
            .range_mut((Excluded(folder.clone()), Unbounded))
            .take_while(|(path, _)| path.is_in(folder));
        for (_, life) in below {
            // What this very layer has put there stays: the mark is about the layers below.
            if life.layers.last() == Some(&number) {
                continue;
            }
            if let Some(size) = life.now.take() {
                report.removed += 1;
                report.wasted += size;
                life.seen(number, 0);
            }
        }
    }

    fn finish(self) -> Report {
        let mut report = Report {
            layers: self.layers,
            ..Report::default()
        };
        for (path, life) in self.lives {
            report.total += life.sum;
            report.smallest += life.smallest.unwrap_or_default();
            if life.layers.len() > 1 && life.sum > 0 {
                report.wasted += life.sum;
                report.wasteful.push(WastefulFile {
                    path: format!("/{}", String::from_utf8_lossy(path.as_bytes())),
                    bytes: life.sum,
                    layers: life.layers,
                });
            }
        }
        report
            .wasteful
            .sort_by(|a, b| (b.bytes, &a.path).cmp(&(a.bytes, &b.path)));
        report
    }
}

#[cfg(test)]
mod tests {
    use oci_image::layer::{Entry, Timestamp};

    use super::*;

    fn path(text: &str) -> LayerPath {
        LayerPath::parse(text.as_bytes()).expect("a path")
    }

    fn file(text: &str, size: u64) -> LayerRecord {
        LayerRecord::Entry(Entry::file(path(text), size, 0o644, Timestamp::seconds(0)))
    }

    fn gone(text: &str) -> LayerRecord {
        LayerRecord::Entry(Entry::whiteout(path(text)))
    }

    fn report(layers: &[&[LayerRecord]]) -> Report {
        let mut analysis = Analysis::default();
        for (number, records) in layers.iter().enumerate() {
            let mut report = LayerReport::default();
            for record in *records {
                analysis.take(number, record, &mut report);
            }
            analysis.layers.push(report);
        }
        analysis.finish()
    }

    #[test]
    fn an_image_without_repetition_is_efficient() {
        let report = report(&[&[file("a", 10)], &[file("b", 5)]]);
        assert_eq!((report.total, report.wasted), (15, 0));
        assert!((report.efficiency() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_file_in_two_layers_wastes_all_its_sizes() {
        let report = report(&[&[file("a", 10), file("b", 30)], &[file("a", 20)]]);
        assert_eq!((report.total, report.wasted), (60, 30));
        assert!((report.efficiency() - 40.0 / 60.0).abs() < 1e-9);
        let second = report.layers.get(1).expect("two layers");
        assert_eq!((second.added, second.changed, second.wasted), (0, 1, 10));
        let worst = report.wasteful.first().expect("one file");
        assert_eq!((worst.path.as_str(), &worst.layers), ("/a", &vec![0, 1]));
    }

    #[test]
    fn a_removed_folder_wastes_its_files() {
        let report = report(&[
            &[file("cache/x/a", 10), file("cache/b", 5), file("cached", 1)],
            &[gone("cache")],
        ]);
        assert_eq!((report.total, report.wasted), (16, 15));
        let second = report.layers.get(1).expect("two layers");
        assert_eq!((second.removed, second.wasted), (2, 15));
    }

    #[test]
    fn an_opaque_folder_keeps_what_its_own_layer_puts_there() {
        let report = report(&[
            &[file("d/old", 10)],
            &[file("d/new", 3), LayerRecord::Opaque(path("d"))],
        ]);
        let second = report.layers.get(1).expect("two layers");
        assert_eq!((second.added, second.removed, second.wasted), (1, 1, 10));
        assert_eq!(report.wasted, 10);
    }
}
