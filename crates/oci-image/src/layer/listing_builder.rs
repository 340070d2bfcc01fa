//! Puts the entries of an archive in order.

use std::collections::HashMap;

use super::{Entry, Kind, LayerPath, Listing};

/// Collects the entries of an archive: the last entry of a path counts, whiteouts work on lower layers only.
#[derive(Default)]
pub struct ListingBuilder {
    entries: Vec<(Entry, u64)>,
}

impl ListingBuilder {
    /// Adds an entry, and where its data begins in the archive (0: no data).
    pub fn push(&mut self, entry: Entry, data_offset: u64) {
        self.entries.push((entry, data_offset));
    }

    /// Returns the listing; offsets are left out if the archive is not one to be read later.
    pub fn finish(self, with_offsets: bool) -> Listing {
        let entries = if self.is_in_order() {
            self.entries
        } else {
            last_of_each(self.entries)
        };
        let offsets = if with_offsets {
            entries.iter().map(|(_, offset)| *offset).collect()
        } else {
            Vec::new()
        };
        Listing {
            entries: entries.into_iter().map(|(entry, _)| entry).collect(),
            offsets,
        }
    }

    fn is_in_order(&self) -> bool {
        self.entries
            .is_sorted_by(|(one, _), (other, _)| one.path < other.path)
    }
}

/// Sorts, and merges the entries of one path: a whiteout next to an entry hides what lies below the entry.
fn last_of_each(entries: Vec<(Entry, u64)>) -> Vec<(Entry, u64)> {
    let mut places: HashMap<LayerPath, usize> = HashMap::with_capacity(entries.len());
    let mut kept: Vec<(Entry, u64)> = Vec::with_capacity(entries.len());
    for (mut entry, offset) in entries {
        let Some(&place) = places.get(&entry.path) else {
            places.insert(entry.path.clone(), kept.len());
            kept.push((entry, offset));
            continue;
        };
        let Some((old, old_offset)) = kept.get_mut(place) else {
            continue;
        };
        let hides = old.kind.hides_lower() || entry.kind.hides_lower();
        if entry.kind == Kind::Whiteout {
            if let Kind::Directory { is_opaque } = &mut old.kind {
                *is_opaque = true;
            }
            continue;
        }
        if let Kind::Directory { is_opaque } = &mut entry.kind {
            *is_opaque = hides;
        }
        (*old, *old_offset) = (entry, offset);
    }
    kept.sort_by(|(one, _), (other, _)| one.path.cmp(&other.path));
    drop_what_lies_below_files(kept)
}

/// A file that took the place of a directory takes all that was in it.
fn drop_what_lies_below_files(mut entries: Vec<(Entry, u64)>) -> Vec<(Entry, u64)> {
    let mut covering: Option<LayerPath> = None;
    entries.retain(|(entry, _)| {
        if covering.as_ref().is_some_and(|path| entry.path.is_in(path)) {
            return false;
        }
        if !entry.kind.is_directory() && entry.kind != Kind::Whiteout {
            covering = Some(entry.path.clone());
        }
        true
    });
    entries
}

#[cfg(test)]
mod tests {
    use super::super::Timestamp;
    use super::*;

    fn path(text: &str) -> LayerPath {
        LayerPath::parse(text.as_bytes()).unwrap()
    }

    fn listing(entries: Vec<Entry>) -> Listing {
        let mut builder = ListingBuilder::default();
        for entry in entries {
            builder.push(entry, 0);
        }
        builder.finish(false)
    }

    #[test]
    fn whiteout_of_a_directory_that_is_there_makes_it_opaque() {
        let directory = Entry::directory(path("a"), Timestamp::seconds(1));
        for entries in [
            vec![Entry::whiteout(path("a")), directory.clone()],
            vec![directory, Entry::whiteout(path("a"))],
        ] {
            assert_eq!(
                listing(entries).entries()[0].kind,
                Kind::Directory { is_opaque: true }
            );
        }
    }

    #[test]
    fn last_entry_of_a_path_counts() {
        let one = Entry::file(path("a"), 1, 0o600, Timestamp::seconds(1));
        let other = Entry::file(path("a"), 2, 0o644, Timestamp::seconds(2));
        assert_eq!(listing(vec![one, other.clone()]).entries(), [other]);
    }
}
