//! What an upper directory of overlayfs changes, as BuildKit's differ says it (`util/overlay/overlay_linux.go`).

use std::collections::{HashMap, hash_map};
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, openat, readlinkat, statat};

use super::attributes::{Attributes, read_attributes};
use super::capability;
use super::entry::CAPABILITY;
use super::{Entry, Found, Kind, LayerError, LayerPath, Listing, Merged, Timestamp};

/// Gives the content of a file of the layers below.
pub trait Content {
    /// Opens the file that a layer (0 is the lowest) has at a path.
    fn open(&self, layer: usize, path: &LayerPath) -> io::Result<Box<dyn Read>>;
}

/// How an upper directory is read.
#[derive(Clone, Copy, Default)]
pub struct DiffOptions<'a> {
    /// The overlay was mounted with `userxattr`.
    pub is_rootless: bool,
    /// All files on the disk have one owner: a path that was there before keeps the owner of the layers below.
    pub has_one_id: bool,
    /// For files that were copied up and have the same time, to the second: are they the same? Without it they are taken
    /// for changed.
    pub content: Option<&'a dyn Content>,
}

/// Returns what an upper directory changes, with the times of the disk. No process may write to it meanwhile.
///
/// Directories above a change are in the listing; what was only copied up is not. An opaque directory is told by
/// single whiteouts of what it hides.
pub fn diff(
    upper: &Path,
    lower: &Merged,
    options: &DiffOptions<'_>,
) -> Result<Listing, LayerError> {
    let root = openat(CWD, upper, OPEN, Mode::empty());
    let root =
        root.map_err(|error| LayerError::file("open the snapshot", &LayerPath::root(), error))?;
    let mut differ = Differ {
        lower,
        options,
        entries: Vec::new(),
        pending: Vec::new(),
        first_names: HashMap::new(),
    };
    let is_opaque = differ
        .attributes(root.as_fd(), b"", &LayerPath::root())?
        .is_opaque;
    let mut levels = vec![differ.level(root, LayerPath::root(), None, is_opaque)?];
    while let Some(level) = levels.last_mut() {
        let Some(name) = level.names.pop() else {
            differ.pending.pop();
            levels.pop();
            continue;
        };
        if let Some(deeper) = differ.visit(level, &name)? {
            levels.push(deeper);
        }
    }
    Ok(Listing {
        entries: differ.entries,
        offsets: Vec::new(),
    })
}

const BUFFER: usize = 64 << 10;
const OPEN: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);

/// A directory that is being read.
struct Level {
    directory: OwnedFd,
    path: LayerPath,
    is_opaque: bool,
    // In descending order: the next is the last.
    names: Vec<Vec<u8>>,
}

struct Differ<'a> {
    lower: &'a Merged,
    options: &'a DiffOptions<'a>,
    entries: Vec<Entry>,
    // For each directory being read its entry, until something in it is listed.
    pending: Vec<Option<Entry>>,
    // The first listed name of each file that has several.
    first_names: HashMap<(u64, u64), LayerPath>,
}

impl Differ<'_> {
    /// Looks at one name; returns the directory to read next, if it is one.
    fn visit(&mut self, level: &Level, name: &[u8]) -> Result<Option<Level>, LayerError> {
        let Some(path) = level.path.join(name) else {
            return Ok(None);
        };
        let lower = self.lower;
        let below = lower.get(&path);
        let stat = match statat(&level.directory, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(rustix::io::Errno::NOENT) if level.is_opaque && below.is_some() => {
                self.list(Entry::whiteout(path));
                return Ok(None);
            }
            Err(rustix::io::Errno::NOENT) => return Err(LayerError::Changed { path }),
            Err(error) => return Err(LayerError::file("read", &path, error)),
        };
        let kind = FileType::from_raw_mode(stat.st_mode);
        if kind == FileType::CharacterDevice && stat.st_rdev == 0 {
            if below.is_some() {
                self.list(Entry::whiteout(path));
            }
            return Ok(None);
        }
        let Some(kind) = Self::kind(level, name, &stat, &path)? else {
            return Ok(None);
        };
        let attributes = self.attributes(level.directory.as_fd(), name, &path)?;
        let entry = self.entry(path, kind, &stat, &attributes, below);
        let is_same = match below {
            Some(below) => self.is_same(level, &entry, below)?,
            None => false,
        };
        if entry.kind.is_directory() {
            let opened = openat(
                &level.directory,
                name,
                OPEN | OFlags::NOFOLLOW,
                Mode::empty(),
            );
            let opened = opened
                .map_err(|error| LayerError::file("open the directory", &entry.path, error))?;
            let is_opaque = level.is_opaque || attributes.is_opaque;
            let path = entry.path.clone();
            let pending = if is_same {
                Some(entry)
            } else {
                self.listed(entry)
            };
            return self.level(opened, path, pending, is_opaque).map(Some);
        }
        if !is_same {
            self.list_file(entry, &stat);
        }
        Ok(None)
    }

    /// Reads the names of a directory; of an opaque one also those that it hides.
    fn level(
        &mut self,
        directory: OwnedFd,
        path: LayerPath,
        pending: Option<Entry>,
        is_opaque: bool,
    ) -> Result<Level, LayerError> {
        let failed =
            |error: rustix::io::Errno| LayerError::file("list the directory", &path, error);
        let mut names = Vec::new();
        for item in Dir::read_from(&directory).map_err(failed)? {
            let item = item.map_err(failed)?;
            if !matches!(item.file_name().to_bytes(), b"." | b"..") {
                names.push(item.file_name().to_bytes().to_vec());
            }
        }
        if is_opaque {
            names.extend(
                self.lower
                    .children(&path)
                    .iter()
                    .map(|child| child.entry.path.name().to_vec()),
            );
        }
        names.sort_unstable_by(|one, other| other.cmp(one));
        names.dedup();
        self.pending.push(pending);
        Ok(Level {
            directory,
            path,
            is_opaque,
            names,
        })
    }

    fn kind(
        level: &Level,
        name: &[u8],
        stat: &Stat,
        path: &LayerPath,
    ) -> Result<Option<Kind>, LayerError> {
        let (major, minor) = (
            rustix::fs::major(stat.st_rdev),
            rustix::fs::minor(stat.st_rdev),
        );
        Ok(Some(match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Kind::File {
                size: u64::try_from(stat.st_size).unwrap_or(0),
            },
            FileType::Directory => Kind::Directory { is_opaque: false },
            FileType::Symlink => {
                let target = readlinkat(&level.directory, name, Vec::new());
                let target =
                    target.map_err(|error| LayerError::file("read the link", path, error))?;
                Kind::Symlink {
                    target: target.into_bytes(),
                }
            }
            FileType::Fifo => Kind::Fifo,
            FileType::CharacterDevice => Kind::CharDevice { major, minor },
            FileType::BlockDevice => Kind::BlockDevice { major, minor },
            // Sockets mean nothing without their process.
            _ => return Ok(None),
        }))
    }

    fn attributes(
        &self,
        directory: BorrowedFd<'_>,
        name: &[u8],
        path: &LayerPath,
    ) -> Result<Attributes, LayerError> {
        let attributes = read_attributes(directory, name, self.options.is_rootless);
        let attributes =
            attributes.map_err(|error| LayerError::file("read the attributes of", path, error))?;
        if attributes.is_redirected {
            return Err(LayerError::Redirected { path: path.clone() });
        }
        Ok(attributes)
    }

    fn entry(
        &self,
        path: LayerPath,
        kind: Kind,
        stat: &Stat,
        attributes: &Attributes,
        below: Option<Found<'_>>,
    ) -> Entry {
        let (uid, gid) = match (self.options.has_one_id, below) {
            (false, _) => (stat.st_uid, stat.st_gid),
            (true, Some(below)) => (below.entry.uid, below.entry.gid),
            (true, None) => (0, 0),
        };
        let value = attributes.capability.as_deref();
        let value = value.map(|value| capability::for_layer(value, self.options.is_rootless));
        Entry {
            path,
            kind,
            mode: stat.st_mode & 0o7777,
            uid,
            gid,
            modified: Timestamp {
                seconds: stat.st_mtime,
                nanos: u32::try_from(stat.st_mtime_nsec).unwrap_or(0),
            },
            xattrs: value
                .map(|value| (CAPABILITY.to_vec(), value))
                .into_iter()
                .collect(),
        }
    }

    /// `sameDirent` of BuildKit.
    fn is_same(&self, level: &Level, entry: &Entry, below: Found<'_>) -> Result<bool, LayerError> {
        let Some(old) = self.lower.file_of(below).map(|found| found.entry) else {
            return Ok(false);
        };
        let is_same_owner = (entry.mode, entry.uid, entry.gid) == (old.mode, old.uid, old.gid);
        if !is_same_owner || entry.capability() != old.capability() {
            return Ok(false);
        }
        if entry.kind.is_directory() || old.kind.is_directory() {
            return Ok(entry.kind.is_directory() && old.kind.is_directory());
        }
        if entry.kind != old.kind || entry.modified != old.modified {
            return Ok(false);
        }
        match entry.kind {
            // A time without a fraction may have been cut: the content decides.
            Kind::File { size } if size > 0 && entry.modified.nanos == 0 => self.has_same_content(
                level,
                entry,
                Found {
                    entry: old,
                    layer: below.layer,
                },
            ),
            _ => Ok(true),
        }
    }

    fn has_same_content(
        &self,
        level: &Level,
        entry: &Entry,
        below: Found<'_>,
    ) -> Result<bool, LayerError> {
        let Some(content) = self.options.content else {
            return Ok(false);
        };
        let failed = |error: io::Error| LayerError::file("compare", &entry.path, error);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = openat(&level.directory, entry.path.name(), flags, Mode::empty());
        let file = file.map_err(|error| failed(error.into()))?;
        let old = content
            .open(below.layer, &below.entry.path)
            .map_err(failed)?;
        is_same_data(std::fs::File::from(file), old).map_err(failed)
    }

    fn list_file(&mut self, mut entry: Entry, stat: &Stat) {
        if stat.st_nlink > 1 && matches!(entry.kind, Kind::File { .. }) {
            match self.first_names.entry((stat.st_dev, stat.st_ino)) {
                hash_map::Entry::Occupied(first) => {
                    entry.kind = Kind::HardLink {
                        target: first.get().clone(),
                    };
                }
                hash_map::Entry::Vacant(place) => {
                    place.insert(entry.path.clone());
                }
            }
        }
        self.list(entry);
    }

    fn listed(&mut self, entry: Entry) -> Option<Entry> {
        self.list(entry);
        None
    }

    /// Lists an entry after the directories above it.
    fn list(&mut self, entry: Entry) {
        let above = self.pending.iter_mut().filter_map(Option::take);
        self.entries.extend(above);
        self.entries.push(entry);
    }
}

fn is_same_data(mut one: impl Read, mut other: impl Read) -> io::Result<bool> {
    let mut buffers = (vec![0; BUFFER], vec![0; BUFFER]);
    loop {
        let count = fill(&mut one, &mut buffers.0)?;
        if count != fill(&mut other, &mut buffers.1)?
            || buffers.0.get(..count) != buffers.1.get(..count)
        {
            return Ok(false);
        }
        if count < BUFFER {
            return Ok(true);
        }
    }
}

fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(space) = buffer.get_mut(filled..).filter(|space| !space.is_empty()) {
        match reader.read(space) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
