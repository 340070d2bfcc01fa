//! What an image has at a path, from the listings of its layers.

use std::cmp::Ordering;
use std::sync::{Arc, OnceLock};

use super::path::{compare, is_in};
use super::{Entry, Kind, LayerError, LayerPath, Listing};

/// As BuildKit (`MaxSymlinkLimit` of containerd's continuity): a longer chain is taken for a loop.
const MAX_LINKS: usize = 255;

/// What an image has at a path: a view of the listings of its layers, lowest first. The index is made on the first question.
#[derive(Debug, Default)]
pub struct Merged {
    listings: Vec<Arc<Listing>>,
    index: OnceLock<Vec<Node>>,
}

/// An entry that shows in the image, and the layer it is from.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// What is there.
    pub entry: &'a Entry,
    /// The number of the layer, from 0 for the lowest.
    pub layer: usize,
}

/// Where a path leads after all symbolic links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The part that exists; the root always does.
    pub existing: LayerPath,
    /// What is missing of the path, part by part.
    pub missing: Vec<Vec<u8>>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    layer: u32,
    entry: u32,
    hides_lower: bool,
}

impl Resolved {
    /// Returns the path without links, whether it exists or not.
    pub fn path(&self) -> LayerPath {
        let join = |path: LayerPath, part: &Vec<u8>| path.join(part).unwrap_or(path);
        self.missing.iter().fold(self.existing.clone(), join)
    }
}

impl Merged {
    /// Returns the view of a chain of layers, lowest first.
    pub fn new(listings: Vec<Arc<Listing>>) -> Self {
        Self {
            listings,
            index: OnceLock::new(),
        }
    }

    /// Returns the layers, lowest first.
    pub fn listings(&self) -> &[Arc<Listing>] {
        &self.listings
    }

    /// Returns the entry of a path as it is written: no symbolic link is followed.
    pub fn get(&self, path: &LayerPath) -> Option<Found<'_>> {
        let place = self
            .index()
            .binary_search_by(|node| compare(self.path_of(*node), path.as_bytes()));
        self.found(*self.index().get(place.ok()?)?)
    }

    /// Returns the entry of a path: links in its directories are followed inside of the image, a link at its end is not.
    pub fn lookup(&self, path: &LayerPath) -> Option<Found<'_>> {
        if let Some(found) = self.get(path) {
            return Some(found);
        }
        let parent = self.resolve(path.parent()?.as_bytes()).ok()?;
        if !parent.missing.is_empty() {
            return None;
        }
        self.get(&parent.existing.join(path.name())?)
    }

    /// Follows all symbolic links of a path inside of the image. `..` stops at the root; the end may be missing.
    pub fn resolve(&self, path: &[u8]) -> Result<Resolved, LayerError> {
        let mut left = Vec::new();
        push_parts(&mut left, path);
        let mut real = LayerPath::root();
        let mut links = 0;
        while let Some(part) = left.pop() {
            if part == b".." {
                real = real.parent().unwrap_or_default();
                continue;
            }
            let Some(next) = real.join(&part) else {
                continue;
            };
            match self.get(&next).map(|found| &found.entry.kind) {
                Some(Kind::Symlink { target }) => {
                    links += 1;
                    if links > MAX_LINKS {
                        return Err(LayerError::TooManyLinks {
                            path: LayerPath::clamped(path).unwrap_or_default(),
                        });
                    }
                    if target.first() == Some(&b'/') {
                        real = LayerPath::root();
                    }
                    push_parts(&mut left, target);
                }
                _ => real = next,
            }
        }
        Ok(self.split_missing(real))
    }

    /// Returns the file of a hard link, and every other entry as it is; the link and its file are in one layer.
    pub fn file_of<'a>(&'a self, found: Found<'a>) -> Option<Found<'a>> {
        match &found.entry.kind {
            Kind::HardLink { .. } => {
                let entry = self.listings.get(found.layer)?.file_of(&found.entry.path)?;
                Some(Found {
                    entry,
                    layer: found.layer,
                })
            }
            _ => Some(found),
        }
    }

    /// Returns what is directly in a directory, by name. The path is taken as it is written.
    pub fn children(&self, directory: &LayerPath) -> Vec<Found<'_>> {
        let mut children = Vec::new();
        let mut rest = self.nodes_in(directory);
        while let Some((first, others)) = rest.split_first() {
            children.extend(self.found(*first));
            let child = self.path_of(*first);
            let end = others.partition_point(|node| is_in(self.path_of(*node), child));
            rest = others.get(end..).unwrap_or(&[]);
        }
        children
    }

    /// Returns all that is in a directory, at any depth, in order. The path is taken as it is written.
    pub fn walk(&self, directory: &LayerPath) -> impl Iterator<Item = Found<'_>> {
        self.nodes_in(directory)
            .iter()
            .filter_map(|node| self.found(*node))
    }

    /// Reports whether the image has nothing.
    pub fn is_empty(&self) -> bool {
        self.index().is_empty()
    }

    fn split_missing(&self, real: LayerPath) -> Resolved {
        let mut existing = real;
        let mut missing = Vec::new();
        while !existing.is_root() && self.get(&existing).is_none() {
            missing.push(existing.name().to_vec());
            existing = existing.parent().unwrap_or_default();
        }
        missing.reverse();
        Resolved { existing, missing }
    }

    fn nodes_in(&self, directory: &LayerPath) -> &[Node] {
        let directory = directory.as_bytes();
        let nodes = self.index();
        let start = nodes.partition_point(|node| compare(self.path_of(*node), directory).is_le());
        let rest = nodes.get(start..).unwrap_or(&[]);
        let end = rest.partition_point(|node| is_in(self.path_of(*node), directory));
        rest.get(..end).unwrap_or(&[])
    }

    fn found(&self, node: Node) -> Option<Found<'_>> {
        let layer = node.layer as usize;
        let entry = self
            .listings
            .get(layer)?
            .entries()
            .get(node.entry as usize)?;
        Some(Found { entry, layer })
    }

    fn path_of(&self, node: Node) -> &[u8] {
        self.found(node)
            .map_or(&[], |found| found.entry.path.as_bytes())
    }

    fn index(&self) -> &[Node] {
        self.index.get_or_init(|| {
            let mut nodes = self.merge_range(0, self.listings.len());
            let is_there = |node: &Node| {
                self.found(*node)
                    .is_some_and(|found| found.entry.kind != Kind::Whiteout)
            };
            nodes.retain(is_there);
            nodes
        })
    }

    /// Merges neighbours in pairs, so that a long chain costs `entries * log(layers)`.
    fn merge_range(&self, from: usize, to: usize) -> Vec<Node> {
        if to - from > 1 {
            let middle = usize::midpoint(from, to);
            return self.merge(
                &self.merge_range(from, middle),
                &self.merge_range(middle, to),
            );
        }
        let entries = self
            .listings
            .get(from..to)
            .and_then(<[_]>::first)
            .map_or(&[][..], |listing| listing.entries());
        let node = |(number, entry): (usize, &Entry)| Node {
            layer: from as u32,
            entry: number as u32,
            hides_lower: entry.kind.hides_lower(),
        };
        entries.iter().enumerate().map(node).collect()
    }

    fn merge(&self, lower: &[Node], upper: &[Node]) -> Vec<Node> {
        let mut merged = Vec::with_capacity(lower.len() + upper.len());
        let mut hidden: Option<&[u8]> = None;
        let mut above = upper.iter().peekable();
        for node in lower {
            let path = self.path_of(*node);
            while let Some(top) =
                above.next_if(|top| compare(self.path_of(**top), path) == Ordering::Less)
            {
                merged.push(*top);
                let top_path = self.path_of(*top);
                if top.hides_lower && !hidden.is_some_and(|hidden| is_in(top_path, hidden)) {
                    hidden = Some(top_path);
                }
            }
            if hidden.is_some_and(|hidden| is_in(path, hidden)) {
                continue;
            }
            match above.next_if(|top| self.path_of(**top) == path) {
                Some(top) => {
                    merged.push(Node {
                        hides_lower: top.hides_lower || node.hides_lower,
                        ..*top
                    });
                    if top.hides_lower {
                        hidden = Some(self.path_of(*top));
                    }
                }
                None => merged.push(*node),
            }
        }
        merged.extend(above);
        merged
    }
}

/// Puts the parts of a path on the stack, the first part on top.
fn push_parts(left: &mut Vec<Vec<u8>>, path: &[u8]) {
    let parts = path
        .split(|&byte| byte == b'/')
        .filter(|part| !matches!(*part, b"" | b"."));
    left.extend(parts.rev().map(<[u8]>::to_vec));
}

#[cfg(test)]
mod tests {
    use super::super::{ListingBuilder, Timestamp};
    use super::*;

    fn path(text: &str) -> LayerPath {
        LayerPath::parse(text.as_bytes()).unwrap()
    }

    /// `d/` directory, `o//` opaque directory, `-x` whiteout, `l>t` link, else a file.
    fn listing(items: &[&str]) -> Arc<Listing> {
        let mut builder = ListingBuilder::default();
        for item in items {
            let time = Timestamp::seconds(1);
            let entry = if let Some((name, target)) = item.split_once('>') {
                let kind = Kind::Symlink {
                    target: target.as_bytes().to_vec(),
                };
                Entry {
                    kind,
                    ..Entry::directory(path(name), time)
                }
            } else if let Some(name) = item.strip_prefix('-') {
                Entry::whiteout(path(name))
            } else if item.ends_with('/') {
                let kind = Kind::Directory {
                    is_opaque: item.ends_with("//"),
                };
                Entry {
                    kind,
                    ..Entry::directory(path(item), time)
                }
            } else {
                Entry::file(path(item), 1, 0o644, time)
            };
            builder.push(entry, 0);
        }
        Arc::new(builder.finish(false))
    }

    fn view(layers: &[&[&str]]) -> Merged {
        Merged::new(layers.iter().map(|layer| listing(layer)).collect())
    }

    fn names(found: impl IntoIterator<Item = Found<'static>>) -> Vec<String> {
        found
            .into_iter()
            .map(|found| String::from_utf8(found.entry.path.as_bytes().to_vec()).unwrap())
            .collect()
    }

    fn all(layers: &[&[&str]]) -> Vec<String> {
        let merged: &'static Merged = Box::leak(Box::new(view(layers)));
        names(merged.walk(&LayerPath::root()))
    }

    #[test]
    fn whiteout_hides_a_tree() {
        assert_eq!(
            all(&[&["a/", "a/b/", "a/b/c", "a/d", "e"], &["a/", "-a/b"]]),
            ["a", "a/d", "e"]
        );
    }

    #[test]
    fn opaque_directory_hides_what_is_below_in_every_order_of_merging() {
        let layers: &[&[&str]] = &[&["a/", "a/b"], &["a//", "a/c"], &["a/", "a/d"]];
        assert_eq!(all(layers), ["a", "a/c", "a/d"]);
        let layers: &[&[&str]] = &[&["a/", "a/b"], &["x"], &["a//", "a/c"], &["a/", "a/d"]];
        assert_eq!(all(layers), ["a", "a/c", "a/d", "x"]);
    }

    #[test]
    fn file_takes_the_place_of_a_directory() {
        assert_eq!(all(&[&["a/", "a/b", "c"], &["a"]]), ["a", "c"]);
        assert_eq!(
            all(&[&["a/", "a/b"], &["-a"], &["a/", "a/z"]]),
            ["a", "a/z"]
        );
    }

    #[test]
    fn resolves_links_inside_the_root() {
        let merged = view(&[&[
            "usr/",
            "usr/lib/",
            "lib>/usr/lib",
            "up>../../lib",
            "loop>loop",
        ]]);
        let resolved = merged.resolve(b"/up/x/y").unwrap();
        assert_eq!(resolved.existing, path("usr/lib"));
        assert_eq!(resolved.missing, [b"x".to_vec(), b"y".to_vec()]);
        assert_eq!(resolved.path(), path("usr/lib/x/y"));
        assert!(matches!(
            merged.resolve(b"loop/a"),
            Err(LayerError::TooManyLinks { .. })
        ));
        assert_eq!(merged.lookup(&path("lib")).unwrap().entry.path, path("lib"));
    }

    #[test]
    fn lists_children_by_name() {
        let merged: &'static Merged = Box::leak(Box::new(view(&[
            &["a/", "a/b", "a-b", "c/"],
            &["c/", "c/d", "b"],
        ])));
        assert_eq!(
            names(merged.children(&LayerPath::root())),
            ["a", "a-b", "b", "c"]
        );
        assert_eq!(names(merged.children(&path("a"))), ["a/b"]);
        assert_eq!(merged.get(&path("c")).unwrap().layer, 1);
    }
}
