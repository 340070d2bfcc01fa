//! The digest of what a COPY takes (BuildKit `cache/contenthash`).
//!
//! Kind, permissions, owner, size, link target, device numbers, capabilities, content and names below a directory count; times do
//! not, nor does the name of a file that the Dockerfile names itself.

use std::collections::HashMap;

use blake3::Hasher;
use oci_image::layer::{Entry, Kind};

use super::select::is_regular;
use super::{CopyError, FileSource, Matched, SelectOptions, SourceEntry, select};

/// Returns the digest of all that the sources of a COPY mean.
pub fn content_digest(
    source: &dyn FileSource,
    paths: &[String],
    options: &SelectOptions,
) -> Result<[u8; 32], CopyError> {
    let mut hasher = Hasher::new();
    number(&mut hasher, paths.len());
    for path in paths {
        let matches = select(source, path, options)?;
        let entries = matches.iter().flat_map(all_of);
        let files: Vec<&SourceEntry> = entries.filter(|entry| is_regular(entry)).collect();
        let mut contents = source.content_digests(&files)?.into_iter();
        number(&mut hasher, matches.len());
        for matched in &matches {
            add_match(&mut hasher, matched, &mut contents);
        }
    }
    Ok(*hasher.finalize().as_bytes())
}

fn all_of(matched: &Matched) -> impl Iterator<Item = &SourceEntry> {
    std::iter::once(&matched.root).chain(matched.items.iter().map(|item| &item.entry))
}

fn add_match(
    hasher: &mut Hasher,
    matched: &Matched,
    contents: &mut impl Iterator<Item = [u8; 32]>,
) {
    if matched.root.entry.kind.is_directory() {
        // Only what is in the directory is copied; the directory itself leaves no trace.
        hasher.update(b"d");
    } else {
        let name: &[u8] = if matched.has_literal_name {
            b""
        } else {
            &matched.name
        };
        bytes(hasher, name);
        add_entry(hasher, &matched.root.entry);
        add_content(hasher, &matched.root, contents);
    }
    number(hasher, matched.items.len());
    let mut first_names = HashMap::new();
    for (place, item) in matched.items.iter().enumerate() {
        bytes(hasher, item.relative.as_bytes());
        hasher.update(&[u8::from(item.is_included)]);
        add_entry(hasher, &item.entry.entry);
        if let Some(identity) = item.entry.identity {
            number(hasher, *first_names.entry(identity).or_insert(place));
        }
        add_content(hasher, &item.entry, contents);
    }
}

fn add_content(
    hasher: &mut Hasher,
    entry: &SourceEntry,
    contents: &mut impl Iterator<Item = [u8; 32]>,
) {
    if is_regular(entry)
        && let Some(content) = contents.next()
    {
        hasher.update(&content);
    }
}

fn add_entry(hasher: &mut Hasher, entry: &Entry) {
    let mut device = |tag: u8, major: u32, minor: u32| {
        hasher.update(&[tag]);
        hasher.update(&major.to_le_bytes());
        hasher.update(&minor.to_le_bytes());
    };
    match &entry.kind {
        Kind::File { size } => device(b'f', *size as u32, (*size >> 32) as u32),
        Kind::Directory { .. } => device(b'd', 0, 0),
        Kind::Symlink { target } => {
            device(b'l', 0, 0);
            bytes(hasher, target);
        }
        Kind::Fifo => device(b'p', 0, 0),
        Kind::CharDevice { major, minor } => device(b'c', *major, *minor),
        Kind::BlockDevice { major, minor } => device(b'b', *major, *minor),
        // Sources have neither.
        Kind::HardLink { .. } | Kind::Whiteout => {}
    }
    for value in [entry.mode, entry.uid, entry.gid] {
        hasher.update(&value.to_le_bytes());
    }
    bytes(hasher, entry.capability().unwrap_or_default());
}

fn bytes(hasher: &mut Hasher, bytes: &[u8]) {
    number(hasher, bytes.len());
    hasher.update(bytes);
}

fn number(hasher: &mut Hasher, number: usize) {
    hasher.update(&(number as u64).to_le_bytes());
}
