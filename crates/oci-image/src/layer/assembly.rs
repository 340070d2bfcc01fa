//! The tree that the entries of an archive add up to.

use std::collections::{BTreeMap, HashSet};
use std::ops::Bound;

use super::reader::LayerRecord;
use super::{Entry, Kind, LayerError, LayerPath, Listing, Merged, Timestamp};

/// The tree that the entries of an archive add up to, in whatever order they come.
pub(super) struct Assembly<'a> {
    lower: Option<&'a Merged>,
    entries: BTreeMap<LayerPath, (Entry, u64)>,
    // Files that have hard links: they must stay.
    linked: HashSet<LayerPath>,
}

/// What has to happen on the disk for one record.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// An earlier entry of the same archive goes, with all that is in it.
    Remove(LayerPath),
    /// A new path, whose parent exists.
    Make(Entry),
    /// A directory that exists hides what is below.
    Opaque(LayerPath),
}

impl<'a> Assembly<'a> {
    pub(super) fn new(lower: Option<&'a Merged>) -> Self {
        Self {
            lower,
            entries: BTreeMap::new(),
            linked: HashSet::new(),
        }
    }

    /// Adds a record and returns what it means for a directory that has all records before it. The file to be filled, if
    /// any, is the last step.
    pub(super) fn place(
        &mut self,
        record: LayerRecord,
        data_offset: u64,
    ) -> Result<Vec<Step>, LayerError> {
        let mut steps = Vec::new();
        match record {
            LayerRecord::Opaque(path) => self.place_opaque(path, &mut steps)?,
            LayerRecord::Entry(entry) => self.place_entry(entry, data_offset, &mut steps)?,
        }
        Ok(steps)
    }

    /// Returns the tree in order.
    pub(super) fn finish(self) -> Listing {
        let (entries, offsets) = self.entries.into_values().unzip();
        Listing { entries, offsets }
    }

    /// Returns the directories, children before their parents.
    pub(super) fn directories(&self) -> impl Iterator<Item = &Entry> {
        let entries = self.entries.values().rev().map(|(entry, _)| entry);
        entries.filter(|entry| entry.kind.is_directory())
    }

    fn place_opaque(&mut self, path: LayerPath, steps: &mut Vec<Step>) -> Result<(), LayerError> {
        if !path.is_root() {
            let path = self.settle(path, steps)?;
            self.make_directory(&path, steps)?;
            return self.mark_opaque(&path, steps);
        }
        self.entries
            .entry(LayerPath::root())
            .or_insert_with(|| (root_directory(), 0));
        self.mark_opaque(&path, steps)
    }

    fn mark_opaque(&mut self, path: &LayerPath, steps: &mut Vec<Step>) -> Result<(), LayerError> {
        match self.entries.get_mut(path) {
            Some((
                Entry {
                    kind: Kind::Directory { is_opaque },
                    ..
                },
                _,
            )) => *is_opaque = true,
            _ => {
                return Err(LayerError::NotInDirectory {
                    path: path.clone(),
                    parent: path.clone(),
                });
            }
        }
        steps.push(Step::Opaque(path.clone()));
        Ok(())
    }

    fn place_entry(
        &mut self,
        mut entry: Entry,
        data_offset: u64,
        steps: &mut Vec<Step>,
    ) -> Result<(), LayerError> {
        if entry.path.is_root() {
            return self.place_root(entry);
        }
        if entry.kind == Kind::Whiteout && self.removes_nothing(&entry.path) {
            return Ok(());
        }
        entry.path = self.settle(entry.path, steps)?;
        if let Kind::HardLink { target } = &entry.kind {
            let target = target.clone();
            entry = self.hard_link(entry, target)?;
        }
        let path = entry.path.clone();
        let old = self
            .entries
            .get(&path)
            .map(|(old, _)| (old.kind.is_directory(), old.kind.hides_lower()));
        match (old, &mut entry.kind) {
            (None, _) => {}
            (Some((true, _)), Kind::Whiteout) => return self.mark_opaque(&path, steps),
            (Some((false, _)), Kind::Whiteout) => return Ok(()),
            (Some((true, was_opaque)), Kind::Directory { is_opaque }) => {
                *is_opaque = was_opaque;
                self.entries.insert(path, (entry, 0));
                return Ok(());
            }
            (Some(_), kind) => {
                if let Kind::Directory { is_opaque } = kind {
                    *is_opaque = true;
                }
                self.remove(&path, steps)?;
            }
        }
        self.entries.insert(path, (entry.clone(), data_offset));
        steps.push(Step::Make(entry));
        Ok(())
    }

    /// The root must be a directory (CVE-2021-29136: a link at `.` or `/`).
    fn place_root(&mut self, entry: Entry) -> Result<(), LayerError> {
        if !entry.kind.is_directory() {
            return Err(LayerError::NotInDirectory {
                path: entry.path.clone(),
                parent: entry.path,
            });
        }
        let was_opaque = self
            .entries
            .get(&entry.path)
            .is_some_and(|(old, _)| old.kind.hides_lower());
        let entry = Entry {
            kind: Kind::Directory {
                is_opaque: was_opaque,
            },
            ..entry
        };
        self.entries.insert(LayerPath::root(), (entry, 0));
        Ok(())
    }

    fn removes_nothing(&self, path: &LayerPath) -> bool {
        self.lower.is_some_and(|lower| lower.lookup(path).is_none())
            && !self.entries.contains_key(path)
    }

    /// Returns where an entry really goes, and makes the directories above it that the archive leaves out.
    ///
    /// A parent that is a link in the layers below is followed inside of the image, as containerd does; a parent that is a
    /// link in this layer is refused (CVE-2018-15664's kind: link first, then a file under it).
    fn settle(&mut self, path: LayerPath, steps: &mut Vec<Step>) -> Result<LayerPath, LayerError> {
        let Some(parent) = path.parent().filter(|parent| !parent.is_root()) else {
            return Ok(path);
        };
        if self
            .entries
            .get(&parent)
            .is_some_and(|(entry, _)| entry.kind.is_directory())
        {
            return Ok(path);
        }
        let own = parent.ancestors().chain([parent.clone()]).find(|above| {
            self.entries.get(above).is_some_and(|(entry, _)| {
                entry.kind != Kind::Whiteout && !entry.kind.is_directory()
            })
        });
        if let Some(above) = own {
            return Err(LayerError::NotInDirectory {
                path,
                parent: above,
            });
        }
        let real = match self.lower {
            Some(lower) => self.in_lower(lower, &parent)?,
            None => parent,
        };
        let path = real.join(path.name()).unwrap_or(path);
        let above: Vec<_> = path.ancestors().collect();
        for directory in above {
            self.make_directory(&directory, steps)?;
        }
        Ok(path)
    }

    fn in_lower(&self, lower: &Merged, parent: &LayerPath) -> Result<LayerPath, LayerError> {
        // What this layer replaced is no longer a link.
        let replaces = |above: &LayerPath| {
            let own = self.entries.get(above);
            own.is_some_and(|(own, _)| {
                let below = lower.get(above).map(|found| &found.entry.kind);
                own.kind.hides_lower() || !below.is_none_or(Kind::is_directory)
            })
        };
        if parent
            .ancestors()
            .chain([parent.clone()])
            .any(|above| replaces(&above))
        {
            return Ok(parent.clone());
        }
        Ok(lower.resolve(parent.as_bytes())?.path())
    }

    fn make_directory(
        &mut self,
        path: &LayerPath,
        steps: &mut Vec<Step>,
    ) -> Result<(), LayerError> {
        let mut is_opaque = false;
        match self.entries.get(path).map(|(entry, _)| &entry.kind) {
            Some(Kind::Directory { .. }) => return Ok(()),
            Some(Kind::Whiteout) => {
                is_opaque = true;
                self.remove(path, steps)?;
            }
            Some(_) => {
                return Err(LayerError::NotInDirectory {
                    path: path.clone(),
                    parent: path.clone(),
                });
            }
            None => {}
        }
        let below = self
            .lower
            .and_then(|lower| lower.lookup(path))
            .map(|found| found.entry);
        let mut entry = match below {
            Some(entry) if entry.kind.is_directory() && !is_opaque => entry.clone(),
            Some(_) if !is_opaque => {
                return Err(LayerError::NotInDirectory {
                    path: path.clone(),
                    parent: path.clone(),
                });
            }
            _ => Entry::directory(path.clone(), Timestamp::default()),
        };
        entry.kind = Kind::Directory { is_opaque };
        self.entries.insert(path.clone(), (entry.clone(), 0));
        steps.push(Step::Make(entry));
        Ok(())
    }

    /// A link is one more name of a file of this archive; it has the metadata of the file.
    fn hard_link(&mut self, entry: Entry, target: LayerPath) -> Result<Entry, LayerError> {
        let missing = || LayerError::HardLink {
            path: entry.path.clone(),
            target: target.clone(),
        };
        let (found, _) = self.entries.get(&target).ok_or_else(missing)?;
        let first = match &found.kind {
            Kind::File { .. } => target.clone(),
            Kind::HardLink { target } => target.clone(),
            Kind::Directory { .. } | Kind::Whiteout => return Err(missing()),
            // Another name of a link, a pipe or a device is as good as a copy.
            _ => {
                return Ok(Entry {
                    path: entry.path,
                    ..found.clone()
                });
            }
        };
        if first == entry.path {
            return Err(missing());
        }
        let kind = Kind::HardLink {
            target: first.clone(),
        };
        let link = Entry {
            path: entry.path,
            kind,
            ..found.clone()
        };
        self.linked.insert(first);
        Ok(link)
    }

    fn remove(&mut self, path: &LayerPath, steps: &mut Vec<Step>) -> Result<(), LayerError> {
        let range = (Bound::Included(path), Bound::Unbounded);
        let gone = self.entries.range::<LayerPath, _>(range).map(|(at, _)| at);
        let gone: Vec<_> = gone
            .take_while(|at| *at == path || at.is_in(path))
            .cloned()
            .collect();
        for at in gone {
            if self.linked.contains(&at) {
                let name = at.as_bytes().escape_ascii().to_string();
                return Err(LayerError::Malformed {
                    problem: "a file that has hard links is replaced",
                    name,
                });
            }
            self.entries.remove(&at);
        }
        steps.push(Step::Remove(path.clone()));
        Ok(())
    }
}

fn root_directory() -> Entry {
    Entry::directory(LayerPath::root(), Timestamp::default())
}
