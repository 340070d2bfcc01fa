//! Reads a layer, which may be hostile, from a tar stream.
//!
//! One reading of the bytes or none: where tar readers are known to disagree (CVE-2025-62518, CVE-2021-38511,
//! CVE-2018-20990) the stream is refused. The reader is our own, because the positions of the data belong to the listing.

use std::io::{self, Read};

use super::assembly::Assembly;
use super::extensions::{Extensions, MAX_EXTENSION};
use super::header::{BLOCK, OPAQUE_NAME, WHITEOUT_PREFIX};
use super::raw_header::RawHeader;
use super::{Entry, Kind, LayerError, LayerPath, Limits, Listing, Merged, Timestamp};

/// What an archive says, one step at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LayerRecord {
    /// An entry or a whiteout. The data of a file is read from the [`LayerReader`].
    Entry(Entry),
    /// Nothing of the layers below shows in this directory.
    Opaque(LayerPath),
}

/// Reads a layer entry by entry; after [`LayerReader::next_record`] returned a file, `Read` gives its data.
pub struct LayerReader<R> {
    inner: R,
    limits: Limits,
    position: u64,
    // Invariant: what is left of the data, and of the zeros behind it.
    left: u64,
    padding: u64,
    data_offset: u64,
    entries: u64,
    name: Vec<u8>,
    is_done: bool,
}

/// What a `.wh.` name means.
enum Whiteout {
    No,
    /// The old marks of aufs say nothing.
    Meaningless,
    Record(LayerRecord),
}

/// Begins to read a layer from an uncompressed tar stream.
pub fn read_layer<R: Read>(reader: R, limits: Limits) -> LayerReader<R> {
    LayerReader {
        inner: reader,
        limits,
        position: 0,
        left: 0,
        padding: 0,
        data_offset: 0,
        entries: 0,
        name: Vec::new(),
        is_done: false,
    }
}

/// Reads a layer for its listing only. `lower` is what lies below: it completes directories that the archive leaves out.
pub fn list_layer(
    reader: impl Read,
    lower: Option<&Merged>,
    limits: Limits,
) -> Result<Listing, LayerError> {
    let mut reader = read_layer(reader, limits);
    let mut assembly = Assembly::new(lower);
    while let Some(record) = reader.next_record()? {
        assembly.place(record, reader.data_offset())?;
    }
    Ok(assembly.finish())
}

impl<R: Read> LayerReader<R> {
    /// Returns the next entry; `None` at the end, after the rest of the stream was read.
    pub fn next_record(&mut self) -> Result<Option<LayerRecord>, LayerError> {
        let mut extensions = Extensions::default();
        loop {
            self.skip_data()?;
            let Some(header) = self.next_header()? else {
                if extensions.is_empty() {
                    return Ok(None);
                }
                return Err(self.malformed("the archive ends after an extended header"));
            };
            self.name = header.name();
            match header.kind {
                b'x' | b'g' | b'L' | b'K' => {
                    let data = self.extension_data(&header)?;
                    extensions
                        .add(header.kind, data)
                        .map_err(|problem| self.malformed(problem))?;
                }
                b'S' | b'M' | b'D' | b'V' => {
                    return Err(self.malformed("a kind of entry that is not supported"));
                }
                _ => {
                    if let Some(record) = self.record(&header, &extensions)? {
                        return Ok(Some(record));
                    }
                    extensions = Extensions::default();
                }
            }
        }
    }

    /// Returns where the data of the last entry begins in the stream; 0 if it has none.
    pub fn data_offset(&self) -> u64 {
        self.data_offset
    }

    fn record(
        &mut self,
        header: &RawHeader,
        extensions: &Extensions,
    ) -> Result<Option<LayerRecord>, LayerError> {
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(self.too_large("entries", self.limits.entries));
        }
        let name = extensions.path.clone().unwrap_or_else(|| header.name());
        let link = extensions
            .link
            .clone()
            .unwrap_or_else(|| header.link.clone());
        self.name.clone_from(&name);
        if name.len().max(link.len()) > self.limits.path_length {
            return Err(self.too_large("a path", self.limits.path_length as u64));
        }
        let is_file = matches!(header.kind, 0 | b'0' | b'7') && !name.ends_with(b"/");
        let size = self.size(header, extensions)?;
        let path = self.path(&name)?;
        if path.parts().count() > self.limits.depth {
            return Err(self.too_large("nested directories", self.limits.depth as u64));
        }
        self.begin_data(header, size)?;
        match self.whiteout(&path)? {
            Whiteout::No => {}
            Whiteout::Meaningless => return Ok(None),
            Whiteout::Record(record) => {
                self.data_offset = 0;
                return Ok(Some(record));
            }
        }
        let number = |value: Option<u64>, field: i128| value.map_or(field, i128::from);
        let id = |number: i128| {
            u32::try_from(number).map_err(|_| self.malformed("an owner is out of range"))
        };
        let device = (header.major, header.minor);
        let kind = match header.kind {
            _ if is_file => Kind::File { size },
            0 | b'0' | b'7' | b'5' => Kind::Directory { is_opaque: false },
            b'1' => Kind::HardLink {
                target: self.path(&link)?,
            },
            b'2' => self.symlink(link)?,
            b'3' => Kind::CharDevice {
                major: id(device.0)?,
                minor: id(device.1)?,
            },
            b'4' => Kind::BlockDevice {
                major: id(device.0)?,
                minor: id(device.1)?,
            },
            b'6' => Kind::Fifo,
            _ => return Err(self.malformed("an unknown kind of entry")),
        };
        if matches!(kind, Kind::CharDevice { major: 0, minor: 0 }) {
            // Overlayfs would take it for a whiteout, which only a `.wh.` name may be.
            return Err(self.unsafe_name("a device 0:0"));
        }
        let seconds =
            i64::try_from(header.modified).map_err(|_| self.malformed("a time is out of range"))?;
        Ok(Some(LayerRecord::Entry(Entry {
            path,
            kind,
            mode: u32::try_from(header.mode & 0o7777).unwrap_or(0),
            uid: id(number(extensions.uid, header.uid))?,
            gid: id(number(extensions.gid, header.gid))?,
            modified: extensions.modified.unwrap_or(Timestamp::seconds(seconds)),
            xattrs: extensions.xattrs.clone(),
        })))
    }

    /// The size in a PAX record and the one in the header must not disagree: two readers would see two archives
    /// (CVE-2025-62518). Go writes 0 in the header where the size does not fit.
    fn size(&self, header: &RawHeader, extensions: &Extensions) -> Result<u64, LayerError> {
        let Ok(size) = u64::try_from(header.size) else {
            return Err(self.malformed("a size is negative"));
        };
        match extensions.size {
            Some(larger) if size == 0 || size == larger => Ok(larger),
            Some(_) => Err(self.malformed("two sizes that differ")),
            None => Ok(size),
        }
    }

    fn begin_data(&mut self, header: &RawHeader, size: u64) -> Result<(), LayerError> {
        // As Go's reader: links, devices, directories and pipes have no data, whatever their size says.
        let size = if matches!(header.kind, b'1'..=b'6') {
            0
        } else {
            size
        };
        if size > self.limits.bytes.saturating_sub(self.position) {
            return Err(self.too_large("bytes", self.limits.bytes));
        }
        self.left = size;
        self.padding = size.next_multiple_of(BLOCK as u64) - size;
        self.data_offset = if size > 0 { self.position } else { 0 };
        Ok(())
    }

    fn path(&self, name: &[u8]) -> Result<LayerPath, LayerError> {
        if name.contains(&0) {
            return Err(self.unsafe_name("NUL"));
        }
        if name.is_empty() {
            return Err(self.malformed("an empty name"));
        }
        let path = LayerPath::parse(name).ok_or_else(|| self.unsafe_name("`..`"))?;
        if path.parts().any(|part| part.len() > 255) {
            return Err(self.too_large("a name", 255));
        }
        let parent_is_whiteout = path
            .parts()
            .rev()
            .skip(1)
            .any(|part| part.starts_with(WHITEOUT_PREFIX));
        if parent_is_whiteout && !path.as_bytes().starts_with(b".wh..wh.") {
            return Err(self.unsafe_name("a directory named like a whiteout"));
        }
        Ok(path)
    }

    fn symlink(&self, target: Vec<u8>) -> Result<Kind, LayerError> {
        if target.is_empty() || target.contains(&0) {
            return Err(self.unsafe_name("a symbolic link to nothing"));
        }
        Ok(Kind::Symlink { target })
    }

    /// Reads `.wh.` names.
    fn whiteout(&self, path: &LayerPath) -> Result<Whiteout, LayerError> {
        if path.as_bytes().starts_with(b".wh..wh.") && path.name() != OPAQUE_NAME {
            return Ok(Whiteout::Meaningless);
        }
        let Some(name) = path.name().strip_prefix(WHITEOUT_PREFIX) else {
            return Ok(Whiteout::No);
        };
        let parent = path.parent().unwrap_or_default();
        if path.name() == OPAQUE_NAME {
            return Ok(Whiteout::Record(LayerRecord::Opaque(parent)));
        }
        if name.starts_with(WHITEOUT_PREFIX) {
            return Ok(Whiteout::Meaningless);
        }
        let removed = parent
            .join(name)
            .ok_or_else(|| self.unsafe_name("a whiteout of no name"))?;
        Ok(Whiteout::Record(LayerRecord::Entry(Entry::whiteout(
            removed,
        ))))
    }

    fn extension_data(&mut self, header: &RawHeader) -> Result<Vec<u8>, LayerError> {
        let size = u64::try_from(header.size).map_err(|_| self.malformed("a size is negative"))?;
        if size > MAX_EXTENSION {
            return Err(self.too_large("bytes of an extended header", MAX_EXTENSION));
        }
        let mut data = vec![0; size as usize];
        self.inner.read_exact(&mut data).map_err(LayerError::Read)?;
        self.position += size;
        self.padding = size.next_multiple_of(BLOCK as u64) - size;
        Ok(data)
    }

    fn next_header(&mut self) -> Result<Option<RawHeader>, LayerError> {
        if self.is_done {
            return Ok(None);
        }
        let Some(block) = self.block()? else {
            self.is_done = true;
            return Ok(None);
        };
        if block.iter().any(|&byte| byte != 0) {
            return RawHeader::parse(&block)
                .map(Some)
                .map_err(|problem| self.malformed(problem));
        }
        self.is_done = true;
        if self
            .block()?
            .is_some_and(|block| block.iter().any(|&byte| byte != 0))
        {
            return Err(self.malformed("one empty block instead of two"));
        }
        let rest = self.limits.bytes.saturating_sub(self.position);
        let trailing = io::copy(&mut (&mut self.inner).take(rest), &mut io::sink());
        self.position += trailing.map_err(LayerError::Read)?;
        if self.position >= self.limits.bytes {
            return Err(self.too_large("bytes", self.limits.bytes));
        }
        Ok(None)
    }

    /// Reads one block; `None` at the end of the stream, as Go's reader takes it for the end of the archive.
    fn block(&mut self) -> Result<Option<[u8; BLOCK]>, LayerError> {
        let mut block = [0; BLOCK];
        let mut filled = 0;
        while let Some(space) = block.get_mut(filled..).filter(|space| !space.is_empty()) {
            match self.inner.read(space) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => return Err(LayerError::Read(io::ErrorKind::UnexpectedEof.into())),
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(LayerError::Read(error)),
            }
        }
        self.position += BLOCK as u64;
        if self.position > self.limits.bytes {
            return Err(self.too_large("bytes", self.limits.bytes));
        }
        Ok(Some(block))
    }

    fn skip_data(&mut self) -> Result<(), LayerError> {
        let wanted = self.left + self.padding;
        if wanted == 0 {
            return Ok(());
        }
        let skipped = io::copy(&mut (&mut self.inner).take(wanted), &mut io::sink())
            .map_err(LayerError::Read)?;
        self.position += skipped;
        (self.left, self.padding) = (0, 0);
        if skipped < wanted {
            return Err(LayerError::Read(io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(())
    }

    fn malformed(&self, problem: &'static str) -> LayerError {
        LayerError::Malformed {
            problem,
            name: self.name.escape_ascii().to_string(),
        }
    }

    fn unsafe_name(&self, problem: &'static str) -> LayerError {
        LayerError::UnsafeName {
            problem,
            name: self.name.escape_ascii().to_string(),
        }
    }

    fn too_large(&self, what: &'static str, limit: u64) -> LayerError {
        let shown = self.name.get(..self.name.len().min(200)).unwrap_or(&[]);
        LayerError::TooLarge {
            what,
            name: shown.escape_ascii().to_string(),
            limit,
        }
    }
}

impl<R: Read> Read for LayerReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let Some(space) = buffer.get_mut(..wanted).filter(|space| !space.is_empty()) else {
            return Ok(0);
        };
        let count = self.inner.read(space)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= count as u64;
        self.position += count as u64;
        Ok(count)
    }
}
