//! Which files make a COPY run again: those that its layer has, or would have, otherwise than the layer of the last build.

use std::collections::BTreeSet;
use std::io::Read;
use std::sync::Arc;

use oci_image::layer::{Entry, Kind, LayerPath, Limits, Listing, Merged, Timestamp};

use super::Solver;
use crate::copy::{Changes, CopyRequest, FileMode, FileSource, SelectOptions, Upper};
use crate::key::Key;
use crate::layers::Layer;
use crate::plan::{CopyOperation, CopySource, From, Operation, OperationKind};

/// How many files are named.
const MOST_NAMES: usize = 3;
const BUFFER: usize = 64 << 10;

/// A file as it is now, and how its bytes are had.
struct Now<'n> {
    entry: Entry,
    open: Box<dyn Fn() -> Option<Box<dyn Read + Send + 'n>> + 'n>,
}

impl Solver<'_> {
    /// Adds the files that changed to the reason why a COPY ran.
    pub(super) fn with_files(
        &self,
        reason: String,
        slot: Key,
        operation: &Operation,
        layer: &Layer,
    ) -> String {
        let Some((copy, before)) = self.named_by_source(&reason, slot, operation) else {
            return reason;
        };
        let Ok(listing) = layer.listing() else {
            return reason;
        };
        let entries = listing.entries().iter().map(|entry| Now {
            entry: entry.clone(),
            open: Box::new(move || layer.open(&entry.path, self.store).ok()),
        });
        let names = self.changed_files(copy, &before, &entries.collect::<Vec<_>>());
        with_names(reason, &names)
    }

    /// Adds the files that changed to the reason why a COPY of files of the user would run; the copy is made in memory, without bytes.
    pub(super) fn with_foreseen_files(
        &self,
        reason: String,
        slot: Key,
        operation: &Operation,
    ) -> String {
        let Some((copy, before)) = self.named_by_source(&reason, slot, operation) else {
            return reason;
        };
        let context = match &copy.from {
            From::Context => self.contexts.main(),
            From::Directory(path) => self.contexts.of_folder(path),
            From::Stage(_) => return reason,
        };
        let Ok(context) = context else {
            return reason;
        };
        let empty = Merged::new(Vec::new());
        let Some(changes) = self.foreseen(copy, context.as_ref(), &empty) else {
            return reason;
        };
        let entries = changes.entries.iter().map(|(entry, content)| Now {
            entry: entry.clone(),
            open: Box::new(move || content.open().ok()),
        });
        let now: Vec<Now<'_>> = entries.collect();
        // A link of the image leads the destination elsewhere, and nothing can be compared.
        let is_comparable = before
            .listing()
            .is_ok_and(|old| now.iter().any(|now| is_file_of(&old, &now.entry)));
        if !is_comparable {
            return reason;
        }
        with_names(reason, &self.changed_files(copy, &before, &now))
    }

    fn foreseen<'f>(
        &self,
        copy: &CopyOperation,
        files: &'f dyn FileSource,
        empty: &'f Merged,
    ) -> Option<Changes<'f>> {
        let chmod = match &copy.chmod {
            Some((mode, _)) => Some(FileMode::parse(mode).ok()?),
            None => None,
        };
        let mut sources = Vec::new();
        for source in &copy.sources {
            let CopySource::Path { path, .. } = source else {
                return None;
            };
            sources.push(crate::copy::CopySource::Files {
                source: files,
                path: path.clone(),
                unpacks: false,
            });
        }
        let request = CopyRequest {
            sources,
            destination: copy.destination.clone().into_bytes(),
            chown: None,
            chmod,
            options: SelectOptions {
                exclude: copy.exclude.clone(),
                keeps_parents: copy.keeps_parents,
            },
            temporary: self.store.temporary_folder(),
            limits: Limits::default(),
        };
        let mut upper = Upper::new(empty, None, Timestamp::seconds(0));
        crate::copy::copy(&mut upper, &request).ok()?;
        upper.changes(self.clamp()).ok()
    }

    /// Returns the COPY and the layer that it made the last time, where the reason is its source and files are to be named.
    fn named_by_source<'o>(
        &self,
        reason: &str,
        slot: Key,
        operation: &'o Operation,
    ) -> Option<(&'o CopyOperation, Arc<Layer>)> {
        let OperationKind::Copy(copy) = &operation.kind else {
            return None;
        };
        let is_about_files = reason.ends_with(" changed") && !reason.starts_with("the ");
        if !self.request.names_changed_files || !is_about_files {
            return None;
        }
        let record = self.cache.last_time(slot).and_then(|last| last.record);
        let before = record.and_then(|record| self.layers.find(&record.layer))?;
        Some((copy, before))
    }

    /// Returns what is new, gone or different, as the context calls it.
    fn changed_files(&self, copy: &CopyOperation, before: &Layer, now: &[Now<'_>]) -> Vec<String> {
        let Ok(old) = before.listing() else {
            return Vec::new();
        };
        let paths: BTreeSet<&LayerPath> = now.iter().map(|now| &now.entry.path).collect();
        let mut names = Vec::new();
        for (position, file) in now.iter().enumerate() {
            let entry = &file.entry;
            let is_same = old.get(&entry.path).is_some_and(|other| {
                is_like(other, entry, copy.chown.is_some()) && self.has_same_bytes(before, file)
            });
            let next = now.get(position + 1).map(|next| &next.entry);
            if !is_same && is_leaf(entry, next) {
                names.push(in_context(copy, entry));
            }
        }
        for (position, entry) in old.entries().iter().enumerate() {
            let next = old.entries().get(position + 1);
            if !paths.contains(&entry.path) && is_leaf(entry, next) {
                names.push(format!("{} (gone)", in_context(copy, entry)));
            }
        }
        names
    }

    fn has_same_bytes(&self, before: &Layer, now: &Now<'_>) -> bool {
        if !matches!(now.entry.kind, Kind::File { size: 1.. }) {
            return true;
        }
        match (before.open(&now.entry.path, self.store), (now.open)()) {
            (Ok(one), Some(other)) => same_bytes(one, other).unwrap_or(false),
            _ => false,
        }
    }
}

fn with_names(reason: String, names: &[String]) -> String {
    match names {
        [] => reason,
        // The source is the file.
        [only] if reason.starts_with(&format!("`{only}`")) => reason,
        names => format!("{reason}: {}", listed(names)),
    }
}

fn is_file_of(listing: &Listing, entry: &Entry) -> bool {
    !entry.kind.is_directory() && listing.get(&entry.path).is_some()
}

/// Times do not count, and a folder is not changed by what is in it.
fn is_like(one: &Entry, other: &Entry, ignores_owner: bool) -> bool {
    let owner = |entry: &Entry| (entry.uid, entry.gid);
    one.kind == other.kind
        && one.mode == other.mode
        && (ignores_owner || owner(one) == owner(other))
}

/// Returns whether nothing is below: a new folder is told by its files.
fn is_leaf(entry: &Entry, next: Option<&Entry>) -> bool {
    !next.is_some_and(|next| next.path.is_in(&entry.path))
}

fn same_bytes(mut one: impl Read, mut other: impl Read) -> std::io::Result<bool> {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    loop {
        left.clear();
        right.clear();
        one.by_ref().take(BUFFER as u64).read_to_end(&mut left)?;
        other.by_ref().take(BUFFER as u64).read_to_end(&mut right)?;
        if left != right {
            return Ok(false);
        }
        if left.is_empty() {
            return Ok(true);
        }
    }
}

/// Returns the path of a file where it was copied from, as far as that is clear.
fn in_context(copy: &CopyOperation, entry: &Entry) -> String {
    let path = entry.path.to_string();
    let path = path.trim_start_matches('/');
    let destination = copy.destination.trim_matches('/');
    let relative = path
        .strip_prefix(destination)
        .map_or(path, |rest| rest.trim_start_matches('/'));
    match copy.sources.as_slice() {
        [CopySource::Path { path: source, .. }] if !copy.keeps_parents => {
            let source = source.trim_start_matches("./").trim_matches('/');
            let is_one_file = relative.is_empty() || source.rsplit('/').next() == Some(relative);
            match source {
                "" | "." => relative.to_owned(),
                source if is_one_file => source.to_owned(),
                source if source.contains(['*', '?', '[']) => relative.to_owned(),
                source => format!("{source}/{relative}"),
            }
        }
        _ => relative.to_owned(),
    }
}

fn listed(names: &[String]) -> String {
    let shown = names
        .iter()
        .take(MOST_NAMES)
        .map(|name| format!("`{name}`"));
    let mut text = shown.collect::<Vec<_>>().join(", ");
    if names.len() > MOST_NAMES {
        text.push_str(&format!(" and {} more", names.len() - MOST_NAMES));
    }
    text
}
