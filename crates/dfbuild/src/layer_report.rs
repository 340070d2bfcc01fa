//! What each layer of an image adds, changes and removes, and what that wastes.
//!
//! The measure is that of `dockerfile_build::Waste`; here the archives are read.

use std::collections::BTreeMap;
use std::io::BufReader;

use anyhow::{Context as _, Result};
use dockerfile_build::{Image, Waste, WasteLedger};
use oci_image::compression::Decompressor;
use oci_image::layer::{Kind, LayerPath, LayerRecord, Limits, read_layer};
use oci_image::store::Store;

/// A layer that unpacks to more is a bomb.
const MOST_BYTES: u64 = 1 << 40;

/// What was found out about an image.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Report {
    pub(crate) layers: Vec<LayerReport>,
    pub(crate) waste: Waste,
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
    ledger: WasteLedger,
    /// The files that are there, with their size and the layer that they come from.
    present: BTreeMap<LayerPath, (u64, usize)>,
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
        match self.present.insert(entry.path.clone(), (size, number)) {
            Some((covered, _)) => {
                report.changed += 1;
                report.wasted += covered;
            }
            None => report.added += 1,
        }
        report.bytes += size;
        self.ledger.count(number, shown(&entry.path), size);
    }

    fn remove(&mut self, number: usize, path: &LayerPath, report: &mut LayerReport) {
        if let Some((size, _)) = self.present.remove(path) {
            report.removed += 1;
            report.wasted += size;
            self.ledger.count(number, shown(path), 0);
        }
    }

    fn remove_below(&mut self, number: usize, folder: &LayerPath, report: &mut LayerReport) {
        use std::ops::Bound::{Excluded, Unbounded};
        let below = self
            .present
            .range((Excluded(folder.clone()), Unbounded))
            .take_while(|(path, _)| path.is_in(folder));
        // What this very layer has put there stays: the mark is about the layers below.
        let gone: Vec<LayerPath> = below
            .filter(|(_, (_, layer))| *layer != number)
            .map(|(path, _)| path.clone())
            .collect();
        for path in gone {
            self.remove(number, &path, report);
        }
    }

    fn finish(self) -> Report {
        Report {
            layers: self.layers,
            waste: self.ledger.finish(),
        }
    }
}

fn shown(path: &LayerPath) -> String {
    format!("/{}", String::from_utf8_lossy(path.as_bytes()))
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
        assert_eq!((report.waste.total, report.waste.wasted), (15, 0));
        assert!((report.waste.efficiency() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_file_in_two_layers_wastes_all_its_sizes() {
        let report = report(&[&[file("a", 10), file("b", 30)], &[file("a", 20)]]);
        assert_eq!((report.waste.total, report.waste.wasted), (60, 30));
        assert!((report.waste.efficiency() - 40.0 / 60.0).abs() < 1e-9);
        let second = report.layers.get(1).expect("two layers");
        assert_eq!((second.added, second.changed, second.wasted), (0, 1, 10));
        let worst = report.waste.files.first().expect("one file");
        assert_eq!((worst.path.as_str(), &worst.layers), ("/a", &vec![0, 1]));
    }

    #[test]
    fn a_removed_folder_wastes_its_files() {
        let report = report(&[
            &[file("cache/x/a", 10), file("cache/b", 5), file("cached", 1)],
            &[gone("cache")],
        ]);
        assert_eq!((report.waste.total, report.waste.wasted), (16, 15));
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
        assert_eq!(report.waste.wasted, 10);
    }
}
