//! The entries of one layer.

use super::path::compare;
use super::{Entry, Kind, LayerPath};

/// The entries of one layer, in order, each path once; for a layer that exists as an uncompressed tar also where the data
/// of each file begins in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    // Invariant: strictly ascending by path.
    pub(super) entries: Vec<Entry>,
    // Invariant: empty, or as long as `entries`; 0 where an entry has no data.
    pub(super) offsets: Vec<u64>,
}

impl Listing {
    /// Returns the entries in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Returns the entry of a path, without a look at links.
    pub fn get(&self, path: &LayerPath) -> Option<&Entry> {
        self.entries.get(self.position(path)?)
    }

    /// Returns the number of the entry of a path.
    pub fn position(&self, path: &LayerPath) -> Option<usize> {
        let search = |entry: &Entry| compare(entry.path.as_bytes(), path.as_bytes());
        self.entries.binary_search_by(search).ok()
    }

    /// Returns where the data of a file, or of the file that a hard link names, begins in the uncompressed tar.
    pub fn data_offset(&self, path: &LayerPath) -> Option<u64> {
        let file = self.file_of(path)?;
        self.offsets
            .get(self.position(&file.path)?)
            .copied()
            .filter(|&offset| offset > 0)
    }

    /// Returns the file at a path, through a hard link if it is one.
    pub fn file_of(&self, path: &LayerPath) -> Option<&Entry> {
        let entry = self.get(path)?;
        let file = match &entry.kind {
            Kind::HardLink { target } => self.get(target)?,
            _ => entry,
        };
        matches!(file.kind, Kind::File { .. }).then_some(file)
    }

    /// Reports whether the layer changes nothing.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns the bytes of all files.
    pub fn content_bytes(&self) -> u64 {
        let sizes = self.entries.iter().map(|entry| match entry.kind {
            Kind::File { size } => size,
            _ => 0,
        });
        sizes.fold(0, u64::saturating_add)
    }

    /// Returns the same listing with a nanosecond more where a file has the time of the moment, to which its own may have been lowered.
    ///
    /// A command that sets that very time on purpose then makes a change, as it does where nothing was lowered (BuildKit lowers times
    /// when it exports). A snapshot that is unpacked with this listing has the nanosecond too; in a tar it is lowered away.
    #[must_use]
    pub fn with_lowered_times_marked(mut self, moment: Option<i64>) -> Self {
        let lowered = moment.map(super::Timestamp::seconds);
        for entry in &mut self.entries {
            if Some(entry.modified) == lowered && !entry.kind.is_directory() {
                entry.modified.nanos = 1;
            }
        }
        self
    }

    /// Returns the same listing with times later than the moment lowered to it.
    #[must_use]
    pub fn clamped(mut self, moment: Option<i64>) -> Self {
        for entry in &mut self.entries {
            entry.modified = super::clamp(entry.modified, moment);
        }
        self
    }
}
