//! What files in several layers, or steps, waste.
//!
//! The measure is that of dive: a file counts in every layer that has it; efficiency is the smallest size of each file, summed
//! up, by all its sizes, summed up; wasted are all sizes of a file that is in two layers or more. A file that is removed has the
//! size 0 from there on. Where a whole folder is removed, its files count one by one (dive counts the folder, which hides the waste).

use std::collections::BTreeMap;

/// Takes the files of one layer after the other.
#[derive(Debug, Default)]
pub struct WasteLedger {
    lives: BTreeMap<String, Life>,
}

/// A path over all layers so far.
#[derive(Debug, Default)]
struct Life {
    sum: u64,
    smallest: Option<u64>,
    layers: Vec<usize>,
}

/// What was found out about all layers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waste {
    /// Bytes of all files of all layers.
    pub total: u64,
    pub wasted: u64,
    smallest: u64,
    /// The files that waste something, the worst first.
    pub files: Vec<WastefulFile>,
}

/// A file that several layers have, or that one has for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WastefulFile {
    pub path: String,
    pub bytes: u64,
    /// The numbers of the layers from 0; the last may be the one that removes it.
    pub layers: Vec<usize>,
}

impl WasteLedger {
    /// Counts a file of a layer; one that the layer removes has the size 0.
    pub fn count(&mut self, layer: usize, path: String, size: u64) {
        let life = self.lives.entry(path).or_default();
        life.sum += size;
        life.smallest = Some(life.smallest.map_or(size, |smallest| smallest.min(size)));
        life.layers.push(layer);
    }

    /// Returns what all of it comes to.
    pub fn finish(self) -> Waste {
        let mut waste = Waste::default();
        for (path, life) in self.lives {
            waste.total += life.sum;
            waste.smallest += life.smallest.unwrap_or_default();
            if life.layers.len() > 1 && life.sum > 0 {
                waste.wasted += life.sum;
                waste.files.push(WastefulFile {
                    path,
                    bytes: life.sum,
                    layers: life.layers,
                });
            }
        }
        waste
            .files
            .sort_by(|a, b| (b.bytes, &a.path).cmp(&(a.bytes, &b.path)));
        waste
    }
}

impl Waste {
    /// Returns a number up to 1: 1 when nothing is wasted.
    #[expect(clippy::cast_precision_loss, reason = "it is shown with three digits")]
    pub fn efficiency(&self) -> f64 {
        match self.total {
            0 => 1.0,
            total => self.smallest as f64 / total as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_in_two_layers_wastes_all_its_sizes() {
        let mut ledger = WasteLedger::default();
        ledger.count(0, "/a".to_owned(), 10);
        ledger.count(0, "/b".to_owned(), 30);
        ledger.count(2, "/a".to_owned(), 20);
        let waste = ledger.finish();
        assert_eq!((waste.total, waste.wasted), (60, 30));
        assert!((waste.efficiency() - 40.0 / 60.0).abs() < 1e-9);
        let worst = waste.files.first().expect("one file");
        assert_eq!((worst.path.as_str(), &worst.layers), ("/a", &vec![0, 2]));
    }

    #[test]
    fn nothing_at_all_is_efficient() {
        assert!((WasteLedger::default().finish().efficiency() - 1.0).abs() < 1e-9);
    }
}
