//! Places in the root of the image, never outside of it.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::{Component, Path};

use nix::sys::stat::Mode;

use crate::error::Fault;
use crate::system;

/// The root, held open: a path is resolved as if there were nothing above it.
#[derive(Debug)]
pub(super) struct Root(OwnedFd);

impl Root {
    pub(super) fn open(folder: &Path) -> Result<Root, Fault> {
        std::fs::File::open(folder)
            .map(|file| Root(file.into()))
            .map_err(|error| Fault::system("cannot open the root of the image", &error))
    }

    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// Opens a place without reading or writing it; symbolic links are followed inside of the root.
    pub(super) fn place(&self, path: &Path) -> io::Result<OwnedFd> {
        system::open_in_root(self.descriptor(), path.as_os_str(), libc::O_PATH)
    }

    /// Opens a place that something is to be mounted on, and makes it where it is missing.
    pub(super) fn mount_point(&self, path: &Path, is_file: bool) -> io::Result<OwnedFd> {
        match self.place(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => return other,
        }
        let mut parts: Vec<&OsStr> = path
            .components()
            .filter_map(|part| match part {
                Component::Normal(name) => Some(name),
                _ => None,
            })
            .collect();
        let last = parts.pop();
        let mut reached = self.place(Path::new("/"))?;
        let mut walked = std::path::PathBuf::from("/");
        for name in parts {
            walked.push(name);
            reached = match self.place(&walked) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    make_folder(reached.as_fd(), name)?;
                    self.place(&walked)?
                }
                other => other?,
            };
        }
        if let Some(name) = last {
            if is_file {
                make_file(reached.as_fd(), name)?;
            } else {
                make_folder(reached.as_fd(), name)?;
            }
        }
        self.place(path)
    }

    /// Puts a mount onto a place of the root.
    pub(super) fn put(&self, mount: BorrowedFd<'_>, path: &Path, is_file: bool) -> io::Result<()> {
        let place = self.mount_point(path, is_file)?;
        system::move_mount(mount, place.as_fd())
    }
}

fn make_folder(parent: BorrowedFd<'_>, name: &OsStr) -> io::Result<()> {
    match nix::sys::stat::mkdirat(parent, name, Mode::from_bits_truncate(0o755)) {
        Ok(()) | Err(nix::errno::Errno::EEXIST) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn make_file(parent: BorrowedFd<'_>, name: &OsStr) -> io::Result<()> {
    use nix::fcntl::OFlag;
    let flags =
        OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_WRONLY | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW;
    match nix::fcntl::openat(parent, name, flags, Mode::from_bits_truncate(0o644)) {
        Ok(_) | Err(nix::errno::Errno::EEXIST) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
