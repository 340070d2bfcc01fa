//! What is known of the files of images, as plain data: one list a layer, and layers on top of each other.

use std::sync::Arc;

use smol_str::SmolStr;

use crate::clean_path;

/// A longer chain of symbolic links is taken for a loop (as Linux does, `MAXSYMLINKS` of path_resolution(7)).
const MOST_LINKS: usize = 40;
/// A path with more parts is not followed.
const MOST_PARTS: usize = 256;

static IMPLIED: FileKind = FileKind::Directory { is_opaque: false };

/// What one layer holds, or all layers of an image together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LayerFiles {
    /// Invariant: sorted by path, each path once. Absolute and clean, without the root itself.
    entries: Vec<(Box<str>, FileKind)>,
    /// The names in `/etc/passwd`.
    pub users: AccountNames,
    /// The names in `/etc/group`.
    pub groups: AccountNames,
}

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileKind {
    Directory {
        /// Whether what lower layers have in it is gone.
        is_opaque: bool,
    },
    File {
        is_executable: bool,
    },
    /// A symbolic link, with its target as it is written.
    Link(Box<str>),
    /// A device, a pipe, or what nobody has looked at.
    Other,
    /// What a lower layer has there is gone.
    Removed,
}

/// The names of a file such as `/etc/passwd`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AccountNames {
    /// The layer does not touch the file.
    #[default]
    Untouched,
    /// The layer has the file, but nobody could read it.
    Unknown,
    /// Sorted; empty where the file is removed.
    Known(Vec<SmolStr>),
}

/// The file system after a step of a build of this very text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltStep {
    /// Where its instruction stands.
    pub range: dockerfile_source::TextRange,
    /// What the step changed.
    pub changes: Arc<LayerFiles>,
}

/// Layers on top of each other.
#[derive(Clone, Debug, Default)]
pub struct FileTree<'f> {
    /// From the lowest.
    layers: Vec<&'f LayerFiles>,
}

/// Where a path leads after all links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// Something is there.
    There { path: SmolStr, kind: FileKind },
    /// Nothing is there; the path has no links as far as it exists.
    Missing { path: SmolStr },
    /// Links go in circles, or too deep.
    Unknown,
}

impl LayerFiles {
    /// Returns a layer with these entries; paths are absolute. Of two entries of one path, the last one counts.
    pub fn new(entries: impl IntoIterator<Item = (String, FileKind)>) -> LayerFiles {
        let clean = |(path, kind): (String, FileKind)| (clean_path(&path).as_str().into(), kind);
        let mut entries: Vec<(Box<str>, FileKind)> = entries.into_iter().map(clean).collect();
        entries.retain(|(path, _)| path.len() > 1);
        entries.reverse();
        entries.sort_by(|(left, _), (right, _)| left.cmp(right));
        entries.dedup_by(|later, kept| later.0 == kept.0);
        LayerFiles {
            entries,
            ..LayerFiles::default()
        }
    }

    /// Returns all that lies below a directory, sorted by path; the path is taken as it is written.
    pub fn below<'f>(&'f self, directory: &str) -> impl Iterator<Item = (&'f str, &'f FileKind)> {
        let prefix = format!("{}/", directory.trim_end_matches('/'));
        let is_before = |(path, _): &(Box<str>, FileKind)| **path < *prefix.as_str();
        let start = self.entries.partition_point(is_before);
        let rest = self.entries.get(start..).unwrap_or(&[]);
        rest.iter()
            .map(|(path, kind)| (&**path, kind))
            .take_while(move |(path, _)| path.starts_with(prefix.as_str()))
    }

    fn get(&self, path: &str) -> Option<&FileKind> {
        let at = self
            .entries
            .binary_search_by(|(known, _)| (**known).cmp(path))
            .ok()?;
        Some(&self.entries.get(at)?.1)
    }

    /// Returns whether lower layers do not show at a path because of something above it in this one.
    fn hides(&self, path: &str) -> bool {
        parents(path).any(|parent| {
            !matches!(
                self.get(parent),
                None | Some(FileKind::Directory { is_opaque: false })
            )
        })
    }
}

impl<'f> FileTree<'f> {
    /// Returns layers on top of each other, the lowest first.
    pub fn new(layers: Vec<&'f LayerFiles>) -> FileTree<'f> {
        FileTree { layers }
    }

    /// Returns the layers, the lowest first.
    pub fn layers(&self) -> &[&'f LayerFiles] {
        &self.layers
    }

    /// Returns what is at a path as it is written: no link is followed.
    pub fn get(&self, path: &str) -> Option<&'f FileKind> {
        for layer in self.layers.iter().rev() {
            match layer.get(path) {
                Some(FileKind::Removed) => return None,
                Some(kind) => return Some(kind),
                None if layer.hides(path) => return None,
                None => {}
            }
        }
        // Some archives have files in a directory that they do not have.
        let mut layers = self.layers.iter();
        layers
            .any(|layer| {
                layer
                    .below(path)
                    .any(|(_, kind)| *kind != FileKind::Removed)
            })
            .then_some(&IMPLIED)
    }

    /// Follows all links of an absolute path. `..` stops at the root.
    pub fn resolve(&self, path: &str) -> Resolved {
        let mut left: Vec<&str> = path.split('/').rev().collect();
        let mut real = String::new();
        let mut links = 0;
        let mut is_missing = false;
        let mut kind = FileKind::Directory { is_opaque: false };
        while let Some(part) = left.pop() {
            match part {
                "" | "." => continue,
                ".." => {
                    real.truncate(real.rfind('/').unwrap_or(0));
                    // What was missing may be left again, but no kernel goes through it.
                    continue;
                }
                _ => {}
            }
            let parent = real.len();
            real.push('/');
            real.push_str(part);
            if is_missing {
                continue;
            }
            match self.get(&real) {
                Some(FileKind::Link(target)) => {
                    links += 1;
                    if links > MOST_LINKS || left.len() > MOST_PARTS {
                        return Resolved::Unknown;
                    }
                    real.truncate(if target.starts_with('/') { 0 } else { parent });
                    left.extend(target.split('/').rev());
                }
                Some(found) => kind = found.clone(),
                None => is_missing = true,
            }
        }
        let path = SmolStr::new(if real.is_empty() { "/" } else { &real });
        match (is_missing, path.as_str()) {
            (true, _) => Resolved::Missing { path },
            (false, "/") => Resolved::There {
                path,
                kind: FileKind::Directory { is_opaque: false },
            },
            (false, _) => Resolved::There { path, kind },
        }
    }

    /// Returns whether a path leads to something that is there; none where that cannot be told.
    pub fn exists(&self, path: &str) -> Option<bool> {
        match self.resolve(path) {
            Resolved::There { .. } => Some(true),
            Resolved::Missing { .. } => Some(false),
            Resolved::Unknown => None,
        }
    }

    /// Returns the names in `/etc/passwd`, where they are known.
    pub fn users(&self) -> Option<&'f [SmolStr]> {
        self.names(|layer| &layer.users)
    }

    /// Returns the names in `/etc/group`, where they are known.
    pub fn groups(&self) -> Option<&'f [SmolStr]> {
        self.names(|layer| &layer.groups)
    }

    fn names(&self, of: impl Fn(&'f LayerFiles) -> &'f AccountNames) -> Option<&'f [SmolStr]> {
        for layer in self.layers.iter().rev() {
            match of(layer) {
                AccountNames::Known(names) => return Some(names),
                AccountNames::Unknown => return None,
                AccountNames::Untouched => {}
            }
        }
        Some(&[])
    }
}

/// Returns the directories above a path, the root left out.
fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/')
        .filter(|(at, _)| *at > 0)
        .filter_map(move |(at, _)| path.get(..at))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `d/` directory, `d//` opaque directory, `-x` removed, `l>t` link, `x*` program, else a file.
    fn layer(items: &[&str]) -> LayerFiles {
        LayerFiles::new(items.iter().map(|item| {
            if let Some((path, target)) = item.split_once('>') {
                return (path.to_owned(), FileKind::Link(target.into()));
            }
            if let Some(path) = item.strip_prefix('-') {
                return (path.to_owned(), FileKind::Removed);
            }
            let is_executable = item.ends_with('*');
            let path = item.trim_end_matches(['*', '/']).to_owned();
            let is_opaque = item.ends_with("//");
            if item.ends_with('/') {
                (path, FileKind::Directory { is_opaque })
            } else {
                (path, FileKind::File { is_executable })
            }
        }))
    }

    #[test]
    fn upper_layers_hide_and_remove() {
        let lower = layer(&["/a/", "/a/b", "/a/c/", "/a/c/d", "/e"]);
        let upper = layer(&["/a/c//", "/a/c/x", "-/e"]);
        let tree = FileTree::new(vec![&lower, &upper]);
        assert_eq!(tree.exists("/a/b"), Some(true));
        assert_eq!(tree.exists("/a/c/x"), Some(true));
        assert_eq!(tree.exists("/a/c/d"), Some(false));
        assert_eq!(tree.exists("/e"), Some(false));
        let file = layer(&["/a"]);
        let tree = FileTree::new(vec![&lower, &file]);
        assert_eq!(tree.exists("/a/b"), Some(false));
        assert_eq!(tree.exists("/"), Some(true));
    }

    #[test]
    fn follows_links_through_layers() {
        let lower = layer(&["/bin>usr/bin", "/usr/", "/usr/bin/", "/usr/bin/sh>dash"]);
        let upper = layer(&["/usr/bin/dash*", "/up>../../usr/./bin", "/loop>loop"]);
        let tree = FileTree::new(vec![&lower, &upper]);
        assert_eq!(
            tree.resolve("/up/sh"),
            Resolved::There {
                path: "/usr/bin/dash".into(),
                kind: FileKind::File {
                    is_executable: true
                },
            }
        );
        assert_eq!(
            tree.resolve("/bin/x/y"),
            Resolved::Missing {
                path: "/usr/bin/x/y".into()
            }
        );
        assert_eq!(tree.resolve("/loop/x"), Resolved::Unknown);
        assert_eq!(tree.exists("/bin/../bin/dash"), Some(true));
    }

    #[test]
    fn the_uppermost_layer_names_the_users() {
        let mut lower = layer(&[]);
        lower.users = AccountNames::Known(vec!["root".into()]);
        let upper = layer(&[]);
        let tree = FileTree::new(vec![&lower, &upper]);
        assert_eq!(tree.users(), Some(&["root".into()][..]));
        assert_eq!(tree.groups(), Some(&[][..]));
        let mut broken = layer(&[]);
        broken.users = AccountNames::Unknown;
        assert_eq!(FileTree::new(vec![&lower, &broken]).users(), None);
    }

    #[test]
    fn the_last_entry_of_a_path_counts_and_lists_stay_in_order() {
        let layer = layer(&["/a/b", "/a-b", "/a/", "/a/b*", "a/c/"]);
        let below: Vec<&str> = layer.below("/a").map(|(path, _)| path).collect();
        assert_eq!(below, ["/a/b", "/a/c"]);
        assert_eq!(layer.below("/").count(), 4);
        assert_eq!(
            layer.get("/a/b"),
            Some(&FileKind::File {
                is_executable: true
            })
        );
    }

    #[test]
    fn a_directory_is_there_without_an_entry_of_its_own() {
        let layer = layer(&["/usr/bin/sh*", "/bin>usr/bin"]);
        let tree = FileTree::new(vec![&layer]);
        assert_eq!(tree.exists("/bin/sh"), Some(true));
        assert_eq!(tree.exists("/us"), Some(false));
    }

    #[test]
    fn long_chains_of_links_end() {
        let links: Vec<String> = (0..200)
            .map(|number| format!("/l{number}>l{}/l{}", number + 1, number + 2))
            .collect();
        let links: Vec<&str> = links.iter().map(String::as_str).collect();
        let layer = layer(&links);
        assert_eq!(FileTree::new(vec![&layer]).exists("/l0"), None);
    }
}
