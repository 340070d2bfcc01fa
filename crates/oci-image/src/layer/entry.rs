//! What a layer says about one path.

use super::LayerPath;

/// The only extended attribute that layers carry, as in BuildKit.
pub(super) const CAPABILITY: &[u8] = b"security.capability";

/// What a layer says about one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it is. For a whiteout: the path that is gone.
    pub path: LayerPath,
    /// What it is.
    pub kind: Kind,
    /// Permission bits, with setuid, setgid and sticky (07777).
    pub mode: u32,
    /// Who owns it, as the image says.
    pub uid: u32,
    /// The group that owns it, as the image says.
    pub gid: u32,
    /// When its content was last changed.
    pub modified: Timestamp,
    /// Extended attributes, name and value. Layers keep `security.capability` only.
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
}

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File {
        /// Length in bytes.
        size: u64,
    },
    /// A directory.
    Directory {
        /// Nothing of the layers below shows in it.
        is_opaque: bool,
    },
    /// A symbolic link.
    Symlink {
        /// Its text, as it is.
        target: Vec<u8>,
    },
    /// One more name of a file of the same layer.
    HardLink {
        /// The first name of the file.
        target: LayerPath,
    },
    /// A named pipe.
    Fifo,
    /// A character device.
    CharDevice {
        /// Driver.
        major: u32,
        /// Unit.
        minor: u32,
    },
    /// A block device.
    BlockDevice {
        /// Driver.
        major: u32,
        /// Unit.
        minor: u32,
    },
    /// What the layers below have at this path is gone.
    Whiteout,
}

/// A moment: seconds since 1970 and the part of a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// Whole seconds since 1970, rounded down.
    pub seconds: i64,
    /// The rest, under 1,000,000,000.
    pub nanos: u32,
}

impl Timestamp {
    /// Returns a whole second.
    pub const fn seconds(seconds: i64) -> Self {
        Self { seconds, nanos: 0 }
    }
}

impl Kind {
    /// Reports whether this is a directory.
    pub const fn is_directory(&self) -> bool {
        matches!(self, Self::Directory { .. })
    }

    /// Reports whether nothing of the layers below can be under this path.
    pub(super) const fn hides_lower(&self) -> bool {
        !matches!(self, Self::Directory { is_opaque: false })
    }
}

impl Entry {
    /// Returns a directory of root with mode 0755.
    pub fn directory(path: LayerPath, modified: Timestamp) -> Self {
        Self {
            path,
            kind: Kind::Directory { is_opaque: false },
            mode: 0o755,
            uid: 0,
            gid: 0,
            modified,
            xattrs: Vec::new(),
        }
    }

    /// Returns a regular file of root.
    pub fn file(path: LayerPath, size: u64, mode: u32, modified: Timestamp) -> Self {
        Self {
            kind: Kind::File { size },
            mode,
            ..Self::directory(path, modified)
        }
    }

    /// Returns a whiteout, which has no metadata of its own.
    pub fn whiteout(path: LayerPath) -> Self {
        Self {
            kind: Kind::Whiteout,
            mode: 0,
            ..Self::directory(path, Timestamp::default())
        }
    }

    /// Returns the file capabilities, if there are any.
    pub fn capability(&self) -> Option<&[u8]> {
        let found = self.xattrs.iter().find(|(name, _)| name == CAPABILITY);
        found
            .map(|(_, value)| value.as_slice())
            .filter(|value| !value.is_empty())
    }
}
