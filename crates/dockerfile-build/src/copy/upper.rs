//! What steps change in an image, kept in memory (the upper directory of an overlay, without a disk).

use std::collections::BTreeMap;
use std::ops::Bound;

use oci_image::layer::{Entry, Kind, LayerPath, Merged, Timestamp};

use super::source::{push_parts, text};
use super::{Content, CopyError, FileSource};

/// As BuildKit (`MaxSymlinkLimit` of containerd's continuity): a longer chain is taken for a loop.
const MAX_LINKS: usize = 255;

/// What steps change in an image.
pub struct Upper<'a> {
    pub(super) lower: &'a Merged,
    pub(super) lower_files: Option<&'a dyn FileSource>,
    // Invariant: with a path all paths above it are in here, as directories.
    pub(super) nodes: BTreeMap<LayerPath, Node>,
    pub(super) inodes: Vec<Inode<'a>>,
    moment: Timestamp,
}

/// What is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// A number in `inodes`.
    Is(usize),
    /// What the image had is gone.
    Gone,
}

/// A file, which may have several names. The path of its entry says nothing.
#[derive(Debug)]
pub(super) struct Inode<'a> {
    pub(super) entry: Entry,
    pub(super) content: Content<'a>,
    /// For a directory: nothing of the image below shows in it.
    pub(super) hides_lower: bool,
}

impl<'a> Upper<'a> {
    /// Begins to change an image. What is made gets the time `moment`; `lower_files` opens the files of the image.
    pub fn new(
        lower: &'a Merged,
        lower_files: Option<&'a dyn FileSource>,
        moment: Timestamp,
    ) -> Upper<'a> {
        let root = LayerPath::root();
        let below = lower.get(&root).map(|found| found.entry.clone());
        let entry = below.unwrap_or_else(|| Entry::directory(root.clone(), moment));
        let inode = Inode {
            entry,
            content: Content::None,
            hides_lower: false,
        };
        Upper {
            lower,
            lower_files,
            nodes: BTreeMap::from([(root, Node::Is(0))]),
            inodes: vec![inode],
            moment,
        }
    }

    /// Returns what is at a path as it is written; no link is followed.
    pub fn get(&self, path: &LayerPath) -> Option<&Entry> {
        match self.nodes.get(path) {
            Some(Node::Is(number)) => self.inodes.get(*number).map(|inode| &inode.entry),
            Some(Node::Gone) => None,
            None if self.shows_lower(path) => self.lower.get(path).map(|found| found.entry),
            None => None,
        }
    }

    /// Follows all links of a path inside of the image; the end may be missing.
    pub fn resolve(&self, path: &[u8]) -> Result<LayerPath, CopyError> {
        self.resolve_in(&LayerPath::root(), path)
    }

    /// Follows all links of a path as if the directory were the root.
    pub(super) fn resolve_in(&self, root: &LayerPath, path: &[u8]) -> Result<LayerPath, CopyError> {
        let mut left = Vec::new();
        push_parts(&mut left, path);
        let mut real = root.clone();
        let mut links = 0;
        while let Some(part) = left.pop() {
            if part == b".." {
                if real != *root {
                    real = real.parent().unwrap_or_default();
                }
                continue;
            }
            let next = real
                .join(&part)
                .ok_or_else(|| CopyError::BadPath { path: text(path) })?;
            match self.get(&next).map(|entry| &entry.kind) {
                Some(Kind::Symlink { target }) => {
                    links += 1;
                    if links > MAX_LINKS {
                        return Err(CopyError::TooManyLinks { path: text(path) });
                    }
                    if target.first() == Some(&b'/') {
                        real = root.clone();
                    }
                    push_parts(&mut left, target);
                }
                _ => real = next,
            }
        }
        Ok(real)
    }

    /// Makes a directory and those above it that are missing. Links in the path must be resolved.
    pub fn mkdir_all(
        &mut self,
        path: &LayerPath,
        owner: (u32, u32),
        mode: u32,
    ) -> Result<(), CopyError> {
        let paths: Vec<_> = path.ancestors().chain([path.clone()]).collect();
        for path in paths.into_iter().filter(|path| !path.is_root()) {
            match self.get(&path) {
                Some(entry) if entry.kind.is_directory() => {}
                Some(_) => return Err(CopyError::NotDirectory { path }),
                None => {
                    let entry = Entry::directory(path.clone(), self.moment);
                    self.make(
                        &path,
                        Entry {
                            mode,
                            uid: owner.0,
                            gid: owner.1,
                            ..entry
                        },
                        Content::None,
                    )?;
                }
            }
        }
        Ok(())
    }

    /// Makes something new at a path, in place of what is there. The directory above must exist.
    pub fn make(
        &mut self,
        path: &LayerPath,
        entry: Entry,
        content: Content<'a>,
    ) -> Result<(), CopyError> {
        let parent_hides = self.enter(path)?;
        let hides_lower = parent_hides
            || self
                .lower
                .get(path)
                .is_some_and(|found| found.entry.kind.is_directory());
        self.inodes.push(Inode {
            entry,
            content,
            hides_lower,
        });
        self.nodes
            .insert(path.clone(), Node::Is(self.inodes.len() - 1));
        Ok(())
    }

    /// Makes one more name for a file.
    pub fn link(&mut self, path: &LayerPath, file: &LayerPath) -> Result<(), CopyError> {
        let number = self.copy_up(file)?;
        self.enter(path)?;
        self.nodes.insert(path.clone(), Node::Is(number));
        Ok(())
    }

    /// Changes the metadata of what is at a path.
    pub fn change(
        &mut self,
        path: &LayerPath,
        change: impl FnOnce(&mut Entry),
    ) -> Result<(), CopyError> {
        let number = self.copy_up(path)?;
        if let Some(inode) = self.inodes.get_mut(number) {
            change(&mut inode.entry);
        }
        Ok(())
    }

    /// Takes away what is at a path, with all that is in it.
    pub fn remove(&mut self, path: &LayerPath) -> Result<(), CopyError> {
        if self.get(path).is_none() {
            return Ok(());
        }
        let range = (Bound::Included(path), Bound::Unbounded);
        let gone = self.nodes.range::<LayerPath, _>(range).map(|(at, _)| at);
        let gone: Vec<_> = gone
            .take_while(|at| *at == path || at.is_in(path))
            .cloned()
            .collect();
        for at in gone {
            self.nodes.remove(&at);
        }
        let parent = path.parent().unwrap_or_default();
        self.touch(&parent)?;
        self.nodes.insert(path.clone(), Node::Gone);
        Ok(())
    }

    /// Returns the time of what is made.
    pub fn moment(&self) -> Timestamp {
        self.moment
    }

    /// Readies the directory above a path for a change of the path; reports whether it hides what is below.
    fn enter(&mut self, path: &LayerPath) -> Result<bool, CopyError> {
        let parent = path
            .parent()
            .ok_or_else(|| CopyError::NotDirectory { path: path.clone() })?;
        if self
            .get(path)
            .is_some_and(|entry| entry.kind.is_directory())
        {
            self.remove(path)?;
        }
        let number = self.touch(&parent)?;
        Ok(self
            .inodes
            .get(number)
            .is_some_and(|inode| inode.hides_lower))
    }

    fn touch(&mut self, directory: &LayerPath) -> Result<usize, CopyError> {
        let number = self.copy_up(directory)?;
        match self.inodes.get_mut(number) {
            Some(inode) if inode.entry.kind.is_directory() => {
                inode.entry.modified = self.moment;
                Ok(number)
            }
            _ => Err(CopyError::NotDirectory {
                path: directory.clone(),
            }),
        }
    }

    /// Takes what is at a path over into this layer, with the directories above, and returns its number.
    fn copy_up(&mut self, path: &LayerPath) -> Result<usize, CopyError> {
        if let Some(Node::Is(number)) = self.nodes.get(path) {
            return Ok(*number);
        }
        let missing = || CopyError::NotDirectory { path: path.clone() };
        let parent = path.parent().ok_or_else(missing)?;
        // The depth is that of the path, which is bounded by its length.
        let parent = self.copy_up(&parent)?;
        let hides_lower = self
            .inodes
            .get(parent)
            .is_some_and(|inode| inode.hides_lower);
        let found = self
            .lower
            .get(path)
            .filter(|_| self.shows_lower(path))
            .ok_or_else(missing)?;
        let mut entry = found.entry.clone();
        let mut content = Content::None;
        if let Some(file) = self
            .lower
            .file_of(found)
            .filter(|file| matches!(file.entry.kind, Kind::File { .. }))
        {
            entry.kind = file.entry.kind.clone();
            let source = self.lower_files.ok_or_else(missing)?;
            let file = source.lookup(path)?.ok_or_else(missing)?;
            content = Content::of_source(source, &file);
        }
        self.inodes.push(Inode {
            entry,
            content,
            hides_lower,
        });
        let number = self.inodes.len() - 1;
        self.nodes.insert(path.clone(), Node::Is(number));
        Ok(number)
    }

    /// Reports whether the image below shows at a path that this layer says nothing about.
    fn shows_lower(&self, path: &LayerPath) -> bool {
        let mut above = path.parent();
        while let Some(path) = above {
            match self.nodes.get(&path) {
                Some(Node::Is(number)) => {
                    return self.inodes.get(*number).is_some_and(|inode| {
                        !inode.hides_lower && inode.entry.kind.is_directory()
                    });
                }
                Some(Node::Gone) => return false,
                None => above = path.parent(),
            }
        }
        true
    }
}
