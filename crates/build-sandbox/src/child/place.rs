//! Mount points: found below the root, made where they are missing.
//!
//! Every step goes from one directory's descriptor to the next name and follows no link on its own, so a name that is swapped
//! meanwhile (CVE-2021-30465, CVE-2024-45310) leads nowhere but to another file below the same root.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat, readlinkat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, fstatat, mkdirat};

use crate::SandboxError;
use crate::error::Attempt;
use crate::message::{Parent, StubChain};
use crate::system_call::mount_id;

/// As many links as the kernel itself follows.
const MOST_LINKS: usize = 40;

/// The mount points of one root.
pub(crate) struct Places<'root> {
    root: BorrowedFd<'root>,
    root_mount: u64,
    /// Where changes of the root end up.
    changes: BorrowedFd<'root>,
    is_overlay: bool,
    made: Vec<StubChain>,
    /// For each directory above a new entry: whether it was copied up for it.
    parents: BTreeMap<PathBuf, bool>,
}

impl<'root> Places<'root> {
    pub(crate) fn new(
        root: BorrowedFd<'root>,
        changes: BorrowedFd<'root>,
        is_overlay: bool,
    ) -> Result<Places<'root>, SandboxError> {
        Ok(Places {
            root,
            root_mount: mount_id(root)
                .attempt(|| String::from("asking for the mount of the root"))?,
            changes,
            is_overlay,
            made: Vec::new(),
            parents: BTreeMap::new(),
        })
    }

    /// Returns the directory of this name in the root, which must be no link (CVE-2019-16884, CVE-2023-27561).
    ///
    /// One that is made here stays: BuildKit's `MountStubsCleaner` (`executor/stubs.go`) leaves what runc makes for itself.
    pub(crate) fn system_directory(&mut self, name: &str) -> Result<OwnedFd, SandboxError> {
        let path = Path::new("/").join(name);
        match fstatat(self.root, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
            Ok(about) if kind(&about) == SFlag::S_IFLNK => {
                Err(SandboxError::SystemDirectoryIsLink { path })
            }
            Ok(about) if kind(&about) != SFlag::S_IFDIR => {
                Err(SandboxError::SystemDirectoryIsFile { path })
            }
            found => {
                if found.is_err() {
                    mkdirat(self.root, name, Mode::from_bits_truncate(0o755))
                        .attempt(|| format!("making the mount point `{}`", path.display()))?;
                }
                self.place(&path, false)
            }
        }
    }

    /// Finds or makes a mount point.
    pub(crate) fn place(&mut self, target: &Path, is_file: bool) -> Result<OwnedFd, SandboxError> {
        let wrong = |reason: &str| SandboxError::MountTarget {
            target: target.to_owned(),
            reason: reason.to_owned(),
        };
        let mut pending: VecDeque<OsString> = components(target).collect();
        let mut stack: Vec<(OsString, OwnedFd)> = Vec::new();
        let mut links = 0;
        let mut chain: Option<usize> = None;
        while let Some(name) = pending.pop_front() {
            if name == ".." {
                stack.pop();
                chain = None;
                continue;
            }
            let here = stack
                .last()
                .map_or(self.root, |(_, directory)| directory.as_fd());
            let opened = match open_name(here, &name) {
                Ok(opened) => opened,
                Err(Errno::ENOENT) => {
                    let file_here = is_file && pending.is_empty();
                    chain = self
                        .make(&stack, here, &name, file_here, chain)
                        .attempt(|| format!("making the mount point `{}`", target.display()))?;
                    open_name(here, &name)
                        .attempt(|| format!("opening the mount point `{}`", target.display()))?
                }
                Err(Errno::ENOTDIR) => return Err(wrong("a file is in the way")),
                Err(errno) => {
                    return Err(SandboxError::system(
                        format!("opening the mount point `{}`", target.display()),
                        &errno.into(),
                    ));
                }
            };
            let about = fstat(&opened).attempt(|| format!("reading `{}`", target.display()))?;
            if kind(&about) == SFlag::S_IFLNK {
                links += 1;
                if links > MOST_LINKS {
                    return Err(wrong("too many symbolic links"));
                }
                let link = readlinkat(&opened, "")
                    .attempt(|| format!("reading a link of `{}`", target.display()))?;
                if Path::new(&link).is_absolute() {
                    stack.clear();
                }
                for component in components(Path::new(&link))
                    .collect::<Vec<_>>()
                    .into_iter()
                    .rev()
                {
                    pending.push_front(component);
                }
                continue;
            }
            stack.push((name, opened));
        }
        let Some((_, place)) = stack.pop() else {
            return Err(wrong("it is the root itself"));
        };
        let about = fstat(&place).attempt(|| format!("reading `{}`", target.display()))?;
        match (is_file, kind(&about) == SFlag::S_IFDIR) {
            (true, true) => Err(wrong("it is a directory, and a file is to be mounted")),
            (false, false) => Err(wrong("it is a file, and a directory is to be mounted")),
            _ => Ok(place),
        }
    }

    /// Makes one entry; returns the number of the chain of entries that it belongs to.
    fn make(
        &mut self,
        stack: &[(OsString, OwnedFd)],
        here: BorrowedFd<'_>,
        name: &OsStr,
        is_file: bool,
        chain: Option<usize>,
    ) -> nix::Result<Option<usize>> {
        let in_root = mount_id(here).is_ok_and(|mount| mount == self.root_mount);
        let directory: PathBuf = stack.iter().map(|(name, _)| name).collect();
        if in_root && chain.is_none() {
            for parent in directory.ancestors() {
                let is_overlay = self.is_overlay;
                let changes = self.changes;
                self.parents.entry(parent.to_owned()).or_insert_with(|| {
                    is_overlay
                        && !parent.as_os_str().is_empty()
                        && fstatat(changes, parent, AtFlags::AT_SYMLINK_NOFOLLOW).is_err()
                });
            }
        }
        if is_file {
            let flags = OFlag::O_CREAT
                | OFlag::O_EXCL
                | OFlag::O_NOFOLLOW
                | OFlag::O_WRONLY
                | OFlag::O_CLOEXEC;
            openat(here, name, flags, Mode::from_bits_truncate(0o644))?;
        } else {
            mkdirat(here, name, Mode::from_bits_truncate(0o755))?;
        }
        if !in_root {
            return Ok(None);
        }
        let path = directory.join(name);
        if let Some(stub) = chain.and_then(|index| self.made.get_mut(index)) {
            stub.path = path;
            stub.is_file = is_file;
            stub.made += 1;
            return Ok(chain);
        }
        self.made.push(StubChain {
            path,
            is_file,
            made: 1,
            parents: Vec::new(),
        });
        Ok(Some(self.made.len() - 1))
    }

    /// Notes the state of the directories that got entries, and returns all that was made.
    pub(crate) fn finish(self) -> Result<Vec<StubChain>, SandboxError> {
        let mut made = self.made;
        for chain in &mut made {
            for parent in chain.path.ancestors().skip(chain.made) {
                let copied_up = self.parents.get(parent).copied().unwrap_or(false);
                let about = if parent.as_os_str().is_empty() {
                    fstat(self.changes)
                } else {
                    fstatat(self.changes, parent, AtFlags::AT_SYMLINK_NOFOLLOW)
                }
                .attempt(|| format!("reading `{}` of the upper directory", parent.display()))?;
                chain.parents.push(Parent {
                    copied_up,
                    changed: (about.st_ctime, about.st_ctime_nsec),
                });
            }
        }
        Ok(made)
    }
}

fn open_name(directory: BorrowedFd<'_>, name: &OsStr) -> nix::Result<OwnedFd> {
    openat(
        directory,
        name,
        OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC,
        Mode::empty(),
    )
}

fn kind(about: &FileStat) -> SFlag {
    SFlag::from_bits_truncate(about.st_mode & SFlag::S_IFMT.bits())
}

fn components(path: &Path) -> impl Iterator<Item = OsString> + '_ {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    })
}
