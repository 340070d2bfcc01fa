//! The root file system that layers make together, and its rows in `expected.files.tsv`.

use std::collections::{BTreeMap, BTreeSet};

use crate::escape::escaped;
use crate::layer::{Entry, Layer};

/// What is at a path. Names of one file share its number.
#[derive(Clone)]
struct Node {
    file: usize,
    entry: Entry,
}

#[derive(Default)]
pub(crate) struct Tree {
    nodes: BTreeMap<Vec<u8>, Node>,
    files: usize,
}

impl Tree {
    /// Returns the tree that `layers` make one above the other.
    pub(crate) fn of(layers: &[Layer]) -> Result<Tree, String> {
        let mut tree = Tree::default();
        for layer in layers {
            tree.apply(layer)?;
        }
        Ok(tree)
    }

    fn apply(&mut self, layer: &Layer) -> Result<(), String> {
        // A whiteout hides what is below, never what the same layer brings (image-spec, layer.md).
        for entry in &layer.entries {
            let path = absolute(&entry.name);
            let (folder, name) = split(&path);
            if name == b".wh..wh..opq" {
                self.remove_below(folder);
            } else if let Some(hidden) = name.strip_prefix(b".wh.") {
                let hidden = [folder, b"/", hidden].concat();
                self.nodes.remove(&hidden);
                self.remove_below(&hidden);
            }
        }
        for entry in &layer.entries {
            let path = absolute(&entry.name);
            if path.is_empty() || split(&path).1.starts_with(b".wh.") {
                continue;
            }
            self.insert(path, entry)?;
        }
        Ok(())
    }

    fn insert(&mut self, path: Vec<u8>, entry: &Entry) -> Result<(), String> {
        if entry.kind != 'd' {
            self.remove_below(&path);
        }
        if entry.kind == 'h' {
            let target = absolute(&entry.link);
            let Some(node) = self.nodes.get(&target).cloned() else {
                return Err(format!(
                    "{} is a hard link to {}, which is not there",
                    escaped(&path),
                    escaped(&target)
                ));
            };
            self.nodes.insert(path, node);
            return Ok(());
        }
        self.files += 1;
        let node = Node {
            file: self.files,
            entry: entry.clone(),
        };
        self.nodes.insert(path, node);
        Ok(())
    }

    fn remove_below(&mut self, folder: &[u8]) {
        let start = [folder, b"/"].concat();
        let below: Vec<Vec<u8>> = self
            .nodes
            .range(start.clone()..)
            .map(|(path, _)| path.clone())
            .take_while(|path| path.starts_with(&start))
            .collect();
        for path in below {
            self.nodes.remove(&path);
        }
    }

    /// Returns the row of every path.
    fn rows(&self) -> BTreeMap<&[u8], String> {
        let mut first = BTreeMap::new();
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        for (path, node) in &self.nodes {
            first.entry(node.file).or_insert(path);
            *counts.entry(node.file).or_default() += 1;
        }
        let row = |path: &[u8], node: &Node| {
            let entry = &node.entry;
            let content = match entry.kind {
                'l' => escaped(&entry.link),
                _ if entry.content.is_empty() => "-".to_owned(),
                _ => entry.content.clone(),
            };
            let xattrs = match entry.xattrs.as_slice() {
                [] => "-".to_owned(),
                xattrs => xattrs.join(","),
            };
            let links = if counts.get(&node.file).is_some_and(|count| *count > 1) {
                first
                    .get(&node.file)
                    .map_or_else(String::new, |path| escaped(path))
            } else {
                "-".to_owned()
            };
            format!(
                "{}\t{}\t{:04o}\t{}\t{}\t{}\t{content}\t{xattrs}\t{links}",
                escaped(path),
                entry.kind,
                entry.mode,
                entry.uid,
                entry.gid,
                entry.size
            )
        };
        self.nodes
            .iter()
            .map(|(path, node)| (path.as_slice(), row(path, node)))
            .collect()
    }

    /// Returns the rows of what is not as in `base`, sorted by path; `PATH<tab>-` for what is gone.
    pub(crate) fn changes_since(&self, base: &Tree) -> Vec<String> {
        let ours = self.rows();
        let theirs = base.rows();
        let paths: BTreeSet<&[u8]> = ours.keys().chain(theirs.keys()).copied().collect();
        paths
            .into_iter()
            .filter_map(|path| match (ours.get(path), theirs.get(path)) {
                (Some(row), Some(before)) if row == before => None,
                (Some(row), _) => Some(row.clone()),
                (None, _) => Some(format!("{}\t-", escaped(path))),
            })
            .collect()
    }
}

/// Returns `/a/b` for `a/b`, `./a/b/` and `/a/b`; nothing for the root.
fn absolute(name: &[u8]) -> Vec<u8> {
    let mut path = Vec::with_capacity(name.len() + 1);
    for part in name.split(|byte| *byte == b'/') {
        if !part.is_empty() && part != b"." {
            path.push(b'/');
            path.extend_from_slice(part);
        }
    }
    path
}

fn split(path: &[u8]) -> (&[u8], &[u8]) {
    let at = path
        .iter()
        .rposition(|byte| *byte == b'/')
        .unwrap_or_default();
    let (folder, name) = path.split_at(at);
    (folder, name.strip_prefix(b"/").unwrap_or(name))
}
