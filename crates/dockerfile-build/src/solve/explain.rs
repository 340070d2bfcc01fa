//! Which files made a COPY run again: those that its layer has otherwise than the layer of the last build.

use std::io::Read;

use oci_image::layer::{Entry, Kind, Listing};

use super::Solver;
use crate::key::Key;
use crate::layers::Layer;
use crate::plan::{CopyOperation, CopySource, Operation, OperationKind};

/// How many files are named.
const MOST_NAMES: usize = 3;
const BUFFER: usize = 64 << 10;

impl Solver<'_> {
    /// Adds the files that changed to the reason why a COPY ran.
    pub(super) fn with_files(
        &self,
        reason: String,
        slot: Key,
        operation: &Operation,
        layer: &Layer,
    ) -> String {
        let OperationKind::Copy(copy) = &operation.kind else {
            return reason;
        };
        let is_about_files = reason.ends_with(" changed") && !reason.starts_with("the ");
        if !self.request.names_changed_files || !is_about_files {
            return reason;
        }
        let record = self.cache.last_time(slot).and_then(|last| last.record);
        let before = record.and_then(|record| self.layers.find(&record.layer));
        let names = before.map(|before| self.changed_files(copy, &before, layer));
        match names.unwrap_or_default().as_slice() {
            [] => reason,
            // The source is the file.
            [only] if reason.starts_with(&format!("`{only}`")) => reason,
            names => format!("{reason}: {}", listed(names)),
        }
    }

    /// Returns what is new, gone or different, as the context calls it.
    fn changed_files(&self, copy: &CopyOperation, before: &Layer, now: &Layer) -> Vec<String> {
        let (Ok(old), Ok(new)) = (before.listing(), now.listing()) else {
            return Vec::new();
        };
        let mut names = Vec::new();
        for entry in new.entries() {
            let is_same = old.get(&entry.path).is_some_and(|other| {
                is_like(other, entry) && self.has_same_bytes(before, now, entry)
            });
            if !is_same && is_leaf(&new, entry) {
                names.push(in_context(copy, entry));
            }
        }
        for entry in old.entries() {
            if new.get(&entry.path).is_none() && is_leaf(&old, entry) {
                names.push(format!("{} (gone)", in_context(copy, entry)));
            }
        }
        names
    }

    fn has_same_bytes(&self, before: &Layer, now: &Layer, entry: &Entry) -> bool {
        if !matches!(entry.kind, Kind::File { size: 1.. }) {
            return true;
        }
        let open = |layer: &Layer| layer.open(&entry.path, self.store);
        match (open(before), open(now)) {
            (Ok(one), Ok(other)) => same_bytes(one, other).unwrap_or(false),
            _ => false,
        }
    }
}

/// Times do not count, and a folder is not changed by what is in it.
fn is_like(one: &Entry, other: &Entry) -> bool {
    let owner = |entry: &Entry| (entry.mode, entry.uid, entry.gid);
    one.kind == other.kind && owner(one) == owner(other)
}

/// Returns whether nothing of the layer is below: a new folder is told by its files.
fn is_leaf(listing: &Listing, entry: &Entry) -> bool {
    let next = listing.position(&entry.path).map(|position| position + 1);
    let next = next.and_then(|next| listing.entries().get(next));
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
