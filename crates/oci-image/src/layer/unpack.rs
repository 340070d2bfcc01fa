//! Writes a layer as a directory of overlayfs.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{
    AtFlags, Dir, FileType, Gid, Mode, OFlags, Timespec, Timestamps, Uid, XattrFlags, chmodat,
    chownat, linkat, mkdirat, mknodat, openat, symlinkat, unlinkat, utimensat,
};

use super::assembly::{Assembly, Step};
use super::capability;
use super::directories::{Directories, through_proc};
use super::{Entry, Kind, LayerError, LayerPath, Limits, Listing, Merged, Timestamp, read_layer};

const BUFFER: usize = 256 << 10;

/// How a layer is unpacked.
#[derive(Clone, Copy, Debug, Default)]
pub struct UnpackOptions<'a> {
    /// In a user namespace: overlayfs is mounted with `userxattr`, device nodes cannot be made and are left out.
    pub is_rootless: bool,
    /// The user namespace has one id: owners stay as they are, the listing has the real ones.
    pub has_one_id: bool,
    /// How large the layer may be.
    pub limits: Limits,
    /// The layers below: they say what the directories are that the archive leaves out.
    pub lower: Option<&'a Merged>,
    /// A listing of the same archive that knows fractions of times which the archive does not have.
    pub fractions: Option<&'a Listing>,
}

impl UnpackOptions<'_> {
    fn with_fraction(&self, mut entry: Entry) -> Entry {
        let known = self.fractions.and_then(|listing| listing.get(&entry.path));
        if let Some(known) = known
            && known.modified.seconds == entry.modified.seconds
        {
            entry.modified = known.modified;
        }
        entry
    }
}

/// Unpacks an uncompressed tar stream into an empty directory, which becomes a layer of overlayfs: whiteouts are devices 0:0,
/// opaque directories have an attribute. The listing has the offsets of the data in the stream.
///
/// The stream is read to its end. After an error the directory has a part of the layer.
pub fn unpack(
    reader: impl Read,
    directory: &Path,
    options: &UnpackOptions<'_>,
) -> Result<Listing, LayerError> {
    let mut reader = read_layer(reader, options.limits);
    let mut assembly = Assembly::new(options.lower);
    let mut target = Target {
        directories: Directories::open(directory)?,
        options,
        umask: umask(),
        buffer: vec![0; BUFFER],
    };
    while let Some(record) = reader.next_record()? {
        for step in assembly.place(record, reader.data_offset())? {
            match step {
                Step::Remove(path) => target.remove(&path)?,
                Step::Make(entry) => target.make(&options.with_fraction(entry), &mut reader)?,
                Step::Opaque(path) => target.mark_opaque(&path)?,
            }
        }
    }
    // Children first, so that nothing changes the time of a directory after it was set.
    for entry in assembly.directories() {
        target.finish_directory(entry)?;
    }
    Ok(assembly.finish())
}

struct Target<'a> {
    directories: Directories,
    options: &'a UnpackOptions<'a>,
    umask: u32,
    buffer: Vec<u8>,
}

impl Target<'_> {
    fn make(&mut self, entry: &Entry, content: &mut dyn Read) -> Result<(), LayerError> {
        let failed =
            |action| move |error: rustix::io::Errno| LayerError::file(action, &entry.path, error);
        let name = entry.path.name();
        match &entry.kind {
            Kind::File { size } => return self.make_file(entry, *size, content),
            Kind::HardLink { target } => return self.make_link(entry, target),
            Kind::Directory { is_opaque } => {
                let parent = self.directories.parent_of(&entry.path)?;
                mkdirat(parent, name, Mode::RWXU).map_err(failed("make the directory"))?;
                return if *is_opaque {
                    self.mark_opaque(&entry.path)
                } else {
                    Ok(())
                };
            }
            Kind::Whiteout => {
                let parent = self.directories.parent_of(&entry.path)?;
                let made = mknodat(parent, name, FileType::CharacterDevice, Mode::empty(), 0);
                return made.map_err(failed("make the whiteout"));
            }
            Kind::Symlink { target } => {
                let parent = self.directories.parent_of(&entry.path)?;
                symlinkat(target.as_slice(), parent, name)
                    .map_err(failed("make the symbolic link"))?;
            }
            Kind::Fifo => self.make_node(entry, FileType::Fifo, 0)?,
            Kind::CharDevice { .. } | Kind::BlockDevice { .. } if self.options.is_rootless => {
                return Ok(());
            }
            Kind::CharDevice { major, minor } => {
                self.make_node(
                    entry,
                    FileType::CharacterDevice,
                    rustix::fs::makedev(*major, *minor),
                )?;
            }
            Kind::BlockDevice { major, minor } => {
                self.make_node(
                    entry,
                    FileType::BlockDevice,
                    rustix::fs::makedev(*major, *minor),
                )?;
            }
        }
        self.set_metadata(entry)
    }

    fn make_node(&mut self, entry: &Entry, kind: FileType, device: u64) -> Result<(), LayerError> {
        let parent = self.directories.parent_of(&entry.path)?;
        let made = mknodat(
            parent,
            entry.path.name(),
            kind,
            Mode::RUSR | Mode::WUSR,
            device,
        );
        made.map_err(|error| LayerError::file("make the node", &entry.path, error))
    }

    fn make_file(
        &mut self,
        entry: &Entry,
        size: u64,
        content: &mut dyn Read,
    ) -> Result<(), LayerError> {
        let failed =
            |error: rustix::io::Errno| LayerError::file("make the file", &entry.path, error);
        let parent = self.directories.parent_of(&entry.path)?;
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let plain = entry.mode & 0o777;
        let file =
            openat(parent, entry.path.name(), flags, Mode::from_raw_mode(plain)).map_err(failed)?;
        let mut file = std::fs::File::from(file);
        let mut left = size;
        while left > 0 {
            let count = content.read(&mut self.buffer).map_err(LayerError::Read)?;
            let data = self.buffer.get(..count).filter(|data| !data.is_empty());
            let data = data.ok_or_else(|| LayerError::Read(io::ErrorKind::UnexpectedEof.into()))?;
            file.write_all(data)
                .map_err(|error| LayerError::file("write", &entry.path, error))?;
            left = left.saturating_sub(count as u64);
        }
        let file = file.as_fd();
        if let Some((uid, gid)) = self.owner(entry) {
            rustix::fs::fchown(file, Some(uid), Some(gid)).map_err(failed)?;
        }
        // After the owner: chown takes setuid and capabilities away.
        if entry.mode & (self.umask | 0o7000) != 0 {
            rustix::fs::fchmod(file, Mode::from_raw_mode(entry.mode)).map_err(failed)?;
        }
        if let Some(value) = entry.capability() {
            let value = capability::for_disk(value, self.options.is_rootless);
            let set =
                rustix::fs::fsetxattr(file, "security.capability", &value, XattrFlags::empty());
            self.allow_one_id(set).map_err(failed)?;
        }
        rustix::fs::futimens(file, &times(entry.modified)).map_err(failed)
    }

    /// The first name was made from this archive, through the same descriptors; a link is not followed.
    fn make_link(&mut self, entry: &Entry, target: &LayerPath) -> Result<(), LayerError> {
        let first = self.directories.parent_of(target)?;
        let first =
            rustix::io::dup(first).map_err(|error| LayerError::file("open", target, error))?;
        let parent = self.directories.parent_of(&entry.path)?;
        let made = linkat(
            &first,
            target.name(),
            parent,
            entry.path.name(),
            AtFlags::empty(),
        );
        made.map_err(|error| LayerError::file("make the hard link", &entry.path, error))
    }

    fn set_metadata(&mut self, entry: &Entry) -> Result<(), LayerError> {
        let failed =
            |error: rustix::io::Errno| LayerError::file("set the metadata of", &entry.path, error);
        let owner = self.owner(entry);
        let parent = self.directories.parent_of(&entry.path)?;
        let name = entry.path.name();
        if let Some((uid, gid)) = owner {
            chownat(
                parent,
                name,
                Some(uid),
                Some(gid),
                AtFlags::SYMLINK_NOFOLLOW,
            )
            .map_err(failed)?;
        }
        if !matches!(entry.kind, Kind::Symlink { .. }) {
            // Not a link: it was made here with `O_EXCL`, and nobody else writes to the directory.
            chmodat(
                parent,
                name,
                Mode::from_raw_mode(entry.mode),
                AtFlags::empty(),
            )
            .map_err(failed)?;
        }
        utimensat(
            parent,
            name,
            &times(entry.modified),
            AtFlags::SYMLINK_NOFOLLOW,
        )
        .map_err(failed)
    }

    fn finish_directory(&mut self, entry: &Entry) -> Result<(), LayerError> {
        if !entry.path.is_root() {
            return self.set_metadata(entry);
        }
        let failed =
            |error: rustix::io::Errno| LayerError::file("set the metadata of", &entry.path, error);
        let owner = self.owner(entry);
        let root = through_proc(self.directories.directory(&entry.path)?, b"");
        if let Some((uid, gid)) = owner {
            rustix::fs::chown(&root, Some(uid), Some(gid)).map_err(failed)?;
        }
        rustix::fs::chmod(&root, Mode::from_raw_mode(entry.mode)).map_err(failed)?;
        utimensat(
            rustix::fs::CWD,
            &root,
            &times(entry.modified),
            AtFlags::empty(),
        )
        .map_err(failed)
    }

    /// Who is to own the file; `None` where it is ours already.
    fn owner(&self, entry: &Entry) -> Option<(Uid, Gid)> {
        let is_ours = entry.uid == rustix::process::geteuid().as_raw()
            && entry.gid == rustix::process::getegid().as_raw();
        let stays = self.options.has_one_id || is_ours;
        (!stays).then(|| (Uid::from_raw(entry.uid), Gid::from_raw(entry.gid)))
    }

    /// Without the right to set capabilities the listing alone has them.
    fn allow_one_id(&self, set: rustix::io::Result<()>) -> rustix::io::Result<()> {
        match set {
            Err(rustix::io::Errno::PERM) if self.options.has_one_id => Ok(()),
            other => other,
        }
    }

    fn mark_opaque(&mut self, path: &LayerPath) -> Result<(), LayerError> {
        let name = if self.options.is_rootless {
            "user.overlay.opaque"
        } else {
            "trusted.overlay.opaque"
        };
        let directory = through_proc(self.directories.directory(path)?, b"");
        let set = rustix::fs::setxattr(directory, name, b"y", XattrFlags::empty());
        set.map_err(|error| LayerError::file("mark as opaque", path, error))
    }

    fn remove(&mut self, path: &LayerPath) -> Result<(), LayerError> {
        self.directories.forget();
        let parent = self.directories.parent_of(path)?;
        remove_tree(parent, path)
    }
}

/// Removes a path with all that is in it, without recursion: depth is the archive's choice.
fn remove_tree(parent: std::os::fd::BorrowedFd<'_>, path: &LayerPath) -> Result<(), LayerError> {
    let failed = |error: rustix::io::Errno| LayerError::file("remove", path, error);
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match unlinkat(parent, path.name(), AtFlags::empty()) {
        Ok(()) | Err(rustix::io::Errno::NOENT) => return Ok(()),
        Err(rustix::io::Errno::ISDIR | rustix::io::Errno::PERM) => {}
        Err(error) => return Err(failed(error)),
    }
    let mut open = vec![(
        openat(parent, path.name(), flags, Mode::empty()).map_err(failed)?,
        path.name().to_vec(),
    )];
    while let Some((directory, name)) = open.last() {
        let mut deeper = None;
        for child in Dir::read_from(directory).map_err(failed)? {
            let child = child.map_err(failed)?;
            if matches!(child.file_name().to_bytes(), b"." | b"..") {
                continue;
            }
            match unlinkat(directory, child.file_name(), AtFlags::empty()) {
                Ok(()) => {}
                Err(rustix::io::Errno::ISDIR | rustix::io::Errno::PERM) => {
                    let opened = openat(directory, child.file_name(), flags, Mode::empty())
                        .map_err(failed)?;
                    deeper = Some((opened, child.file_name().to_bytes().to_vec()));
                    break;
                }
                Err(error) => return Err(failed(error)),
            }
        }
        if let Some(deeper) = deeper {
            open.push(deeper);
            continue;
        }
        let name = name.clone();
        open.pop();
        let above = open.last().map_or(parent, |(above, _)| above.as_fd());
        unlinkat(above, name.as_slice(), AtFlags::REMOVEDIR).map_err(failed)?;
    }
    Ok(())
}

fn times(modified: Timestamp) -> Timestamps {
    let time = Timespec {
        tv_sec: modified.seconds,
        tv_nsec: modified.nanos.into(),
    };
    Timestamps {
        last_access: time,
        last_modification: time,
    }
}

/// Returns the bits that the process takes from new files; all, if they cannot be read without a change to the process.
fn umask() -> u32 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    line.and_then(|bits| u32::from_str_radix(bits.trim(), 8).ok())
        .unwrap_or(0o777)
}
