//! ADD of archives (BuildKit `solver/llbsolver/file/unpack.go`, containerd `archive/tar.go`).
//!
//! Names are clamped inside of the destination, links on the way are followed there (CVE-2018-15664's kind), whiteouts are plain names.
//! The archive is read once; its files wait in a temporary file until the layer is written in order.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

use oci_image::compression::Decompressor;
use oci_image::layer::{Entry, Kind, LayerPath, Limits, Timestamp};
use tar::{Archive, EntryType};

use super::{Content, CopyError, Upper};

const CAPABILITY: &str = "SCHILY.xattr.security.capability";
/// Enough for the headers before the first entry.
const MAX_PROBE: u64 = 4 << 20;
const NEW_DIRECTORY: u32 = 0o755;

/// Reports whether a file is a tar archive, compressed or not (`isArchivePath`); its name says nothing.
pub(super) fn is_archive(content: &Content<'_>) -> Result<bool, CopyError> {
    let reader = content.open()?;
    let Ok(reader) = Decompressor::new(reader, MAX_PROBE) else {
        return Ok(false);
    };
    let mut archive = Archive::new(reader);
    let first = archive
        .entries()
        .ok()
        .and_then(|mut entries| entries.next());
    Ok(matches!(first, Some(Ok(_))))
}

/// The files of an archive, until they are written.
pub(super) struct Spool {
    writer: io::BufWriter<File>,
    file: Arc<File>,
    written: u64,
}

impl Spool {
    pub(super) fn new(directory: &Path) -> Result<Spool, CopyError> {
        let fail = |source| CopyError::Spool { source };
        let file = tempfile::tempfile_in(directory).map_err(fail)?;
        let writer = io::BufWriter::with_capacity(256 << 10, file.try_clone().map_err(fail)?);
        Ok(Spool {
            writer,
            file: Arc::new(file),
            written: 0,
        })
    }

    /// Takes all bytes of a file; the reader's errors are told from the disk's.
    fn take(
        &mut self,
        reader: &mut dyn Read,
        size: u64,
    ) -> Result<Result<Content<'static>, String>, CopyError> {
        let offset = self.written;
        let mut buffer = vec![0; 64 << 10];
        let mut left = size;
        while left > 0 {
            let wanted = usize::try_from(left)
                .unwrap_or(usize::MAX)
                .min(buffer.len());
            let space = buffer.get_mut(..wanted).unwrap_or_default();
            let count = match reader.read(space) {
                Ok(0) => return Ok(Err("unexpected end of the archive".to_owned())),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Ok(Err(error.to_string())),
            };
            self.writer
                .write_all(space.get(..count).unwrap_or_default())
                .map_err(|source| CopyError::Spool { source })?;
            left -= count as u64;
        }
        self.written += size;
        Ok(Ok(Content::Disk {
            file: Arc::clone(&self.file),
            offset,
            size,
        }))
    }
}

/// Unpacks an archive into a directory of the image.
pub(super) fn unpack<'a>(
    upper: &mut Upper<'a>,
    content: &Content<'a>,
    name: &LayerPath,
    target: &LayerPath,
    chown: Option<(u32, u32)>,
    limits: Limits,
    spool: Spool,
) -> Result<(), CopyError> {
    let fail = |problem: String| CopyError::Archive {
        path: name.clone(),
        problem,
    };
    let reader = Decompressor::new(content.open()?, limits.bytes)
        .map_err(|error| fail(error.to_string()))?;
    let mut archive = Archive::new(reader);
    let mut unpacking = Unpacking {
        upper,
        name,
        target,
        chown,
        limits,
        spool,
        directory_times: Vec::new(),
    };
    let mut count = 0;
    for entry in archive.entries().map_err(|error| fail(error.to_string()))? {
        count += 1;
        if count > limits.entries {
            return Err(fail(format!("it has more than {} entries", limits.entries)));
        }
        unpacking.entry(entry.map_err(|error| fail(error.to_string()))?)?;
    }
    unpacking.finish()
}

struct Unpacking<'u, 'a> {
    upper: &'u mut Upper<'a>,
    name: &'u LayerPath,
    target: &'u LayerPath,
    chown: Option<(u32, u32)>,
    limits: Limits,
    spool: Spool,
    directory_times: Vec<(LayerPath, Timestamp)>,
}

impl Unpacking<'_, '_> {
    fn finish(mut self) -> Result<(), CopyError> {
        self.spool
            .writer
            .flush()
            .map_err(|source| CopyError::Spool { source })?;
        for (path, time) in self.directory_times {
            // It may have been replaced later in the archive.
            if self
                .upper
                .get(&path)
                .is_some_and(|entry| entry.kind.is_directory())
            {
                self.upper.change(&path, |entry| entry.modified = time)?;
            }
        }
        Ok(())
    }

    fn fail(&self, problem: impl Into<String>) -> CopyError {
        CopyError::Archive {
            path: self.name.clone(),
            problem: problem.into(),
        }
    }

    fn entry<R: Read>(&mut self, mut archived: tar::Entry<'_, R>) -> Result<(), CopyError> {
        let kind = archived.header().entry_type();
        if kind.is_pax_global_extensions() {
            return Ok(());
        }
        let name = archived.path_bytes().into_owned();
        let path = self.place(&name)?;
        let entry = self.metadata(&mut archived, path.clone())?;
        if kind.is_hard_link() {
            let target = archived.link_name_bytes().unwrap_or_default().into_owned();
            return self.hard_link(&path, &target, &entry);
        }
        let kind = self.kind(&archived, kind)?;
        let there = self.upper.get(&path).map(|there| there.kind.is_directory());
        if kind.is_directory() {
            self.directory_times.push((path.clone(), entry.modified));
            if there == Some(true) || path.is_root() {
                return self.upper.change(&path, |old| {
                    *old = Entry {
                        path: old.path.clone(),
                        kind: old.kind.clone(),
                        ..entry
                    }
                });
            }
        } else if path == *self.target {
            return Err(self.fail("an entry takes the place of the destination"));
        }
        if there.is_some() {
            self.upper.remove(&path)?;
        }
        let content = match kind {
            Kind::File { size } => match self.spool.take(&mut archived, size)? {
                Ok(content) => content,
                Err(problem) => return Err(self.fail(problem)),
            },
            _ => Content::None,
        };
        let mode = if matches!(kind, Kind::Symlink { .. }) {
            0o777
        } else {
            entry.mode
        };
        self.upper.make(
            &path,
            Entry {
                kind,
                mode,
                ..entry
            },
            content,
        )
    }

    /// Returns where an entry goes, and makes the directories above it.
    fn place(&mut self, name: &[u8]) -> Result<LayerPath, CopyError> {
        let relative = LayerPath::clamped(name).ok_or_else(|| self.fail("a name with a NUL"))?;
        let is_long = relative.as_bytes().len() > self.limits.path_length
            || relative.parts().any(|part| part.len() > 255);
        if is_long || relative.parts().count() > self.limits.depth {
            return Err(self.fail("a name that is too long"));
        }
        let Some(parent) = relative.parent() else {
            return Ok(self.target.clone());
        };
        let parent = self.upper.resolve_in(self.target, parent.as_bytes())?;
        self.upper
            .mkdir_all(&parent, self.chown.unwrap_or_default(), NEW_DIRECTORY)?;
        parent
            .join(relative.name())
            .ok_or_else(|| self.fail("a name that cannot be used"))
    }

    fn metadata<R: Read>(
        &self,
        archived: &mut tar::Entry<'_, R>,
        path: LayerPath,
    ) -> Result<Entry, CopyError> {
        let broken = |error: io::Error| self.fail(error.to_string());
        let header = archived.header();
        let id = |id: io::Result<u64>| -> Result<u32, CopyError> {
            u32::try_from(id.map_err(broken)?)
                .map_err(|_| self.fail("an owner that is out of range"))
        };
        let (uid, gid) = match self.chown {
            Some(owner) => owner,
            None => (id(header.uid())?, id(header.gid())?),
        };
        let mode = header.mode().map_err(broken)? & 0o7777;
        let seconds = header.mtime().map_err(broken)?;
        let mut modified = Timestamp::seconds(seconds.cast_signed());
        let mut xattrs = Vec::new();
        if let Some(extensions) = archived.pax_extensions().map_err(broken)? {
            for extension in extensions {
                let extension = extension.map_err(broken)?;
                match extension.key() {
                    Ok("mtime") => {
                        modified = timestamp(extension.value_bytes()).unwrap_or(modified);
                    }
                    Ok(CAPABILITY) => {
                        xattrs = vec![(
                            b"security.capability".to_vec(),
                            extension.value_bytes().to_vec(),
                        )];
                    }
                    _ => {}
                }
            }
        }
        Ok(Entry {
            path,
            kind: Kind::Fifo,
            mode,
            uid,
            gid,
            modified,
            xattrs,
        })
    }

    fn kind<R: Read>(
        &self,
        archived: &tar::Entry<'_, R>,
        kind: EntryType,
    ) -> Result<Kind, CopyError> {
        let header = archived.header();
        let device = || -> Result<(u32, u32), CopyError> {
            let major = header.device_major().ok().flatten();
            let minor = header.device_minor().ok().flatten();
            match (major, minor) {
                // Overlayfs would take 0:0 for a whiteout.
                (Some(major), Some(minor)) if (major, minor) != (0, 0) => Ok((major, minor)),
                _ => Err(self.fail("a device without numbers")),
            }
        };
        Ok(match kind {
            EntryType::Directory => Kind::Directory { is_opaque: false },
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                // The old format marks directories by a slash.
                if archived.path_bytes().ends_with(b"/") && archived.size() == 0 {
                    Kind::Directory { is_opaque: false }
                } else {
                    Kind::File {
                        size: archived.size(),
                    }
                }
            }
            EntryType::Symlink => {
                let target = archived.link_name_bytes().unwrap_or_default().into_owned();
                if target.is_empty()
                    || target.contains(&0)
                    || target.len() > self.limits.path_length
                {
                    return Err(self.fail("a symbolic link to nothing"));
                }
                Kind::Symlink { target }
            }
            EntryType::Fifo => Kind::Fifo,
            EntryType::Char => {
                let (major, minor) = device()?;
                Kind::CharDevice { major, minor }
            }
            EntryType::Block => {
                let (major, minor) = device()?;
                Kind::BlockDevice { major, minor }
            }
            _ => return Err(self.fail("a kind of entry that is not known")),
        })
    }

    /// A link gives its metadata to the file that it names, as they are one.
    fn hard_link(
        &mut self,
        path: &LayerPath,
        target: &[u8],
        entry: &Entry,
    ) -> Result<(), CopyError> {
        let file = self.upper.resolve_in(self.target, target)?;
        let is_file = self
            .upper
            .get(&file)
            .is_some_and(|there| !there.kind.is_directory());
        if !is_file {
            return Err(self.fail("a hard link to a file that is not there"));
        }
        if file == *path {
            return Ok(());
        }
        self.upper.remove(path)?;
        self.upper.link(path, &file)?;
        self.upper.change(path, |there| {
            *there = Entry {
                path: there.path.clone(),
                kind: there.kind.clone(),
                xattrs: there.xattrs.clone(),
                ..entry.clone()
            };
        })
    }
}

/// Reads a time of a PAX record: seconds with a fraction.
fn timestamp(text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = whole.parse().ok()?;
    if !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let digits = format!("{fraction:0<9}");
    let nanos: u32 = digits.get(..9)?.parse().ok()?;
    if whole.starts_with('-') && nanos > 0 {
        return Some(Timestamp {
            seconds: seconds.checked_sub(1)?,
            nanos: 1_000_000_000 - nanos,
        });
    }
    Some(Timestamp { seconds, nanos })
}
