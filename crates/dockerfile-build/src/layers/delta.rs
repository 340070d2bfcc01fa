//! A snapshot that has only what differs from that of another layer, which overlayfs puts below it.
//!
//! One edited file in a context of 50,000 makes a new layer of COPY. To unpack all of it again would take most of the time of the build.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use oci_image::layer::{Entry, Kind, LayerWriter, Listing, UnpackOptions, unpack};
use oci_image::store::Store;
use rustc_hash::FxHashSet;

use super::{Layer, LayerId, Layers, damaged, lock, write_whole};
use crate::error::BuildError;

/// A layer of fewer entries is unpacked sooner than compared.
const FEW_ENTRIES: usize = 512;
/// A delta has at most this part of the entries: commands look into both folders.
const MOST_PART: usize = 8;
const WINDOW: usize = 1 << 20;

/// Where a layer says which one was made by the same step before.
const SIBLING: &str = "sibling";
/// A folder with `below`, the id of the layer below, and `files`.
const DELTA: &str = "delta";

impl Layer {
    /// Keeps which layer the same step made before this one.
    pub(crate) fn set_sibling(&self, sibling: &LayerId) -> io::Result<()> {
        let is_large = self
            .listing()
            .is_ok_and(|listing| listing.len() >= FEW_ENTRIES);
        if self.id == *sibling || self.diff_id.get().is_none() || !is_large {
            return Ok(());
        }
        write_whole(&self.folder.join(SIBLING), |file| {
            io::Write::write_all(file, sibling.to_string().as_bytes())
        })
    }
}

impl Layers {
    /// Returns the folders that a layer is for a command, the topmost first; makes them when there are none.
    pub(crate) fn snapshots(
        &self,
        layer: &Layer,
        store: &Store,
    ) -> Result<Vec<PathBuf>, BuildError> {
        if !layer.folder.join("snapshot").is_dir() {
            let _maker = lock(&layer.making);
            if let Some(folders) = self.delta(layer) {
                return Ok(folders);
            }
            if let Some(sibling) = self.unpacked_sibling(layer)
                && self.make_delta(layer, &sibling, store)?
                && let Some(folders) = self.delta(layer)
            {
                return Ok(folders);
            }
        }
        Ok(vec![self.snapshot(layer, store)?])
    }

    /// Returns the folders of a layer that has a delta, if what it stands on is there.
    fn delta(&self, layer: &Layer) -> Option<Vec<PathBuf>> {
        let delta = layer.folder.join(DELTA);
        let below = self.named_in(&delta.join("below"))?;
        let below = below.folder.join("snapshot");
        below.is_dir().then(|| vec![delta.join("files"), below])
    }

    fn named_in(&self, file: &Path) -> Option<std::sync::Arc<Layer>> {
        let id = fs::read_to_string(file).ok()?;
        self.find(&LayerId::new(id.trim()))
    }

    /// Returns the layer that a delta could stand on: a whole one, so that there are never more than two folders.
    fn unpacked_sibling(&self, layer: &Layer) -> Option<std::sync::Arc<Layer>> {
        let sibling = self.named_in(&layer.folder.join(SIBLING))?;
        let whole = self
            .named_in(&sibling.folder.join(DELTA).join("below"))
            .unwrap_or(sibling);
        (whole.id != layer.id && whole.folder.join("snapshot").is_dir()).then_some(whole)
    }

    /// Makes a delta; `false` where the layers differ by too much, or by what a delta cannot say.
    fn make_delta(&self, layer: &Layer, below: &Layer, store: &Store) -> Result<bool, BuildError> {
        let fault = |error: &dyn std::fmt::Display| damaged(layer, &error.to_string());
        let (new, old) = (layer.listing()?, below.listing()?);
        let blob = |layer: &Layer| File::open(store.blob_path(layer.diff_id.get()?)).ok();
        let (Some(new_blob), Some(old_blob)) = (blob(layer), blob(below)) else {
            return Ok(false);
        };
        let found = differences(&new, new_blob, &old, old_blob).map_err(|error| fault(&error))?;
        let Some(entries) = found else {
            return Ok(false);
        };
        super::require_namespace()?;
        let system =
            |error: io::Error| BuildError::system("cannot make a folder in the store", &error);
        let temporary = tempfile::Builder::new()
            .prefix("unpack-")
            .tempdir_in(&layer.folder)
            .map_err(system)?;
        let files = temporary.path().join("files");
        fs::create_dir(&files).map_err(system)?;
        fs::write(temporary.path().join("below"), below.id.to_string()).map_err(system)?;
        layer.verify(store)?;
        let mut archive = tempfile::tempfile_in(temporary.path()).map_err(system)?;
        let mut writer = LayerWriter::new(io::BufWriter::new(&mut archive));
        for entry in entries {
            let mut content = layer
                .open_in_tar(&new, &entry.path, store)
                .map_err(|error| fault(&error))?;
            writer
                .append(entry, &mut content)
                .map_err(|error| fault(&error))?;
        }
        writer.finish().map_err(|error| fault(&error))?;
        archive.seek(SeekFrom::Start(0)).map_err(system)?;
        let options = UnpackOptions {
            is_rootless: self.form.is_rootless,
            has_one_id: self.form.has_one_id,
            fractions: Some(&new),
            ..UnpackOptions::default()
        };
        unpack(BufReader::new(archive), &files, &options).map_err(|error| fault(&error))?;
        let delta = layer.folder.join(DELTA);
        // One that stood on a layer which is gone.
        let _ = build_sandbox::remove_tree(&delta);
        match fs::rename(temporary.path(), &delta) {
            Ok(()) => {
                // It has another name now.
                let _ = temporary.keep();
            }
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {}
            Err(error) => return Err(system(error)),
        }
        Ok(true)
    }
}

/// Returns the entries that a folder above the old layer needs, so that both together show the new one, whatever is below them.
///
/// `None` where that cannot be said: what the old layer has and the new one does not would need a whiteout, which hides more than that.
fn differences<'l>(
    new: &'l Listing,
    new_blob: File,
    old: &Listing,
    old_blob: File,
) -> io::Result<Option<Vec<&'l Entry>>> {
    if new.len() < FEW_ENTRIES || old.len() > new.len() {
        return Ok(None);
    }
    let (mut new_data, mut old_data) = (Data::new(new_blob), Data::new(old_blob));
    let mut entries = Vec::new();
    let mut candidates = old.entries().iter().peekable();
    for entry in new.entries() {
        let Some(candidate) = candidates.next_if(|old| old.path <= entry.path) else {
            // It is new: nothing that the old layer has is hidden by it.
            if !is_plain(&entry.kind) {
                return Ok(None);
            }
            entries.push(entry);
            continue;
        };
        if candidate.path != entry.path || !has_same_kind(candidate, entry) {
            return Ok(None);
        }
        let is_same = candidate == entry
            && match (new.data_offset(&entry.path), old.data_offset(&entry.path)) {
                (Some(one), Some(other)) if is_plain(&entry.kind) => {
                    let Kind::File { size } = entry.kind else {
                        return Ok(None);
                    };
                    new_data.go_to(one)?;
                    old_data.go_to(other)?;
                    same_bytes(&mut new_data, &mut old_data, size)?
                }
                // Links are as what they name, directories have no data.
                _ => true,
            };
        if !is_same {
            if !is_plain(&entry.kind) {
                return Ok(None);
            }
            entries.push(entry);
        }
        if entries.len() > new.len() / MOST_PART {
            return Ok(None);
        }
    }
    if candidates.next().is_some() {
        return Ok(None);
    }
    Ok(with_parents(new, entries))
}

/// Reports whether a delta can have it: it stands for itself, and needs no other file of the layer.
fn is_plain(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::File { .. } | Kind::Symlink { .. } | Kind::Directory { is_opaque: false }
    )
}

fn has_same_kind(one: &Entry, other: &Entry) -> bool {
    match (&one.kind, &other.kind) {
        (Kind::File { .. }, Kind::File { .. }) | (Kind::Symlink { .. }, Kind::Symlink { .. }) => {
            true
        }
        (one, other) => one == other,
    }
}

/// Adds the directories above the entries; `None` where one is not listed, or where a link names a file that changed.
fn with_parents<'l>(new: &'l Listing, entries: Vec<&'l Entry>) -> Option<Vec<&'l Entry>> {
    let changed: FxHashSet<&[u8]> = entries.iter().map(|entry| entry.path.as_bytes()).collect();
    let is_linked = new.entries().iter().any(|entry| match &entry.kind {
        Kind::HardLink { target } => changed.contains(target.as_bytes()),
        _ => false,
    });
    if is_linked {
        return None;
    }
    let mut all: Vec<usize> = Vec::with_capacity(entries.len() * 2);
    for entry in &entries {
        for path in entry.path.ancestors().chain([entry.path.clone()]) {
            all.push(new.position(&path)?);
        }
    }
    all.sort_unstable();
    all.dedup();
    all.into_iter().map(|at| new.entries().get(at)).collect()
}

/// The bytes of a tar, read nearly in order.
struct Data {
    reader: BufReader<File>,
    position: u64,
}

impl Data {
    fn new(file: File) -> Data {
        Data {
            reader: BufReader::with_capacity(WINDOW, file),
            position: 0,
        }
    }

    fn go_to(&mut self, offset: u64) -> io::Result<()> {
        let (to, from) = (i64::try_from(offset), i64::try_from(self.position));
        let (Ok(to), Ok(from)) = (to, from) else {
            return Err(io::Error::other("an offset is beyond all files"));
        };
        self.reader.seek_relative(to - from)?;
        self.position = offset;
        Ok(())
    }
}

impl Read for Data {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.position += count as u64;
        Ok(count)
    }
}

fn same_bytes(one: &mut Data, other: &mut Data, size: u64) -> io::Result<bool> {
    let mut left = size;
    let (mut here, mut there) = ([0; 16 << 10], [0; 16 << 10]);
    while left > 0 {
        let count = usize::try_from(left).map_or(here.len(), |left| left.min(here.len()));
        let (Some(here), Some(there)) = (here.get_mut(..count), there.get_mut(..count)) else {
            return Ok(false);
        };
        one.read_exact(here)?;
        other.read_exact(there)?;
        if here != there {
            return Ok(false);
        }
        left -= count as u64;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use oci_image::layer::{LayerPath, Timestamp};

    use super::*;

    type File<'f> = (&'f str, &'f str);

    fn layer(files: &[File<'_>]) -> (Listing, fs::File) {
        let mut writer = LayerWriter::new(Vec::new());
        let mut all: Vec<(String, Option<String>)> = vec![("src".to_owned(), None)];
        for number in 0..FEW_ENTRIES {
            all.push((format!("src/f{number:04}"), Some(format!("text {number}"))));
        }
        for (path, content) in files {
            let path = format!("src/{path}");
            all.retain(|(known, _)| *known != path);
            all.push((path, Some((*content).to_owned())));
        }
        all.sort();
        for (path, content) in &all {
            let path = LayerPath::parse(path.as_bytes()).unwrap();
            let content = content.as_deref();
            let entry = match content {
                None => Entry::directory(path, Timestamp::seconds(5)),
                Some(content) => {
                    Entry::file(path, content.len() as u64, 0o644, Timestamp::seconds(5))
                }
            };
            writer
                .append(&entry, &mut content.unwrap_or_default().as_bytes())
                .unwrap();
        }
        let (bytes, listing) = writer.finish().unwrap();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        (listing, file)
    }

    fn changed(new: &[File<'_>], old: &[File<'_>]) -> Option<Vec<String>> {
        let ((new, new_blob), (old, old_blob)) = (layer(new), layer(old));
        let found = differences(&new, new_blob, &old, old_blob).unwrap()?;
        Some(found.iter().map(|entry| entry.path.to_string()).collect())
    }

    #[test]
    fn a_changed_and_a_new_file_come_with_their_folder() {
        let found = changed(&[("f0100", "TEXT 100"), ("new", "x")], &[]);
        let expected = ["/src", "/src/f0100", "/src/new"].map(str::to_owned);
        assert_eq!(found, Some(expected.to_vec()));
    }

    #[test]
    fn the_same_files_differ_in_nothing() {
        assert_eq!(changed(&[], &[]), Some(Vec::new()));
    }

    #[test]
    fn a_file_that_is_gone_needs_the_whole_layer() {
        assert_eq!(changed(&[], &[("gone", "x")]), None);
        assert_eq!(changed(&[("new", "x")], &[("gone", "x")]), None);
    }

    #[test]
    fn many_changes_need_the_whole_layer() {
        let names: Vec<String> = (0..FEW_ENTRIES / 4).map(|n| format!("f{n:04}")).collect();
        let files: Vec<File<'_>> = names.iter().map(|name| (name.as_str(), "other")).collect();
        assert_eq!(changed(&files, &[]), None);
    }
}
