//! Where the bytes of a new file come from.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::{CopyError, FileSource, SourceEntry};

/// Where the bytes of a new file come from.
#[derive(Clone)]
pub enum Content<'a> {
    /// It has none: a directory, a link, a device.
    None,
    /// A file of a source of the COPY, or of the layers below.
    Source {
        source: &'a dyn FileSource,
        file: Box<SourceEntry>,
    },
    /// Text of the Dockerfile.
    Inline(Arc<[u8]>),
    /// A part of a file on the disk.
    Disk {
        file: Arc<File>,
        offset: u64,
        size: u64,
    },
}

impl fmt::Debug for Content<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Content::None => "None",
            Content::Source { .. } => "Source",
            Content::Inline(_) => "Inline",
            Content::Disk { .. } => "Disk",
        })
    }
}

impl<'a> Content<'a> {
    pub(super) fn of_source(source: &'a dyn FileSource, file: &SourceEntry) -> Content<'a> {
        Content::Source {
            source,
            file: Box::new(file.clone()),
        }
    }

    /// Opens the bytes.
    pub fn open(&self) -> Result<Box<dyn Read + Send + '_>, CopyError> {
        Ok(match self {
            Content::None => Box::new(io::empty()),
            Content::Source { source, file } => source.open(file)?,
            Content::Inline(text) => Box::new(&text[..]),
            Content::Disk { file, offset, size } => Box::new(Part {
                file,
                offset: *offset,
                left: *size,
            }),
        })
    }
}

/// A part of a file, read without its cursor.
struct Part<'a> {
    file: &'a File,
    offset: u64,
    left: u64,
}

impl Read for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let count = self
            .file
            .read_at(buffer.get_mut(..wanted).unwrap_or_default(), self.offset)?;
        self.offset += count as u64;
        self.left -= count as u64;
        Ok(count)
    }
}
