//! Writes a layer as a tar stream.

use std::io::{self, Read, Write};

use super::header::{self, BLOCK};
use super::{Entry, Kind, LayerError, Listing, ListingBuilder};

/// Data is copied through a buffer of this size.
const BUFFER: usize = 256 << 10;

/// Writes a layer as a tar stream: the same entries give the same bytes, which are those of BuildKit.
pub struct LayerWriter<W> {
    inner: W,
    written: u64,
    builder: ListingBuilder,
    buffer: Vec<u8>,
}

impl<W: Write> LayerWriter<W> {
    /// Begins a layer.
    pub fn new(inner: W) -> Self {
        Self {
            inner,
            written: 0,
            builder: ListingBuilder::default(),
            buffer: Vec::new(),
        }
    }

    /// Writes one entry. The content is read for files only, to its announced size.
    ///
    /// Entries are to come in the order of [`Listing`], hard links after what they name.
    pub fn append(&mut self, entry: &Entry, content: &mut dyn Read) -> Result<(), LayerError> {
        let headers = header::headers(entry)?;
        self.put(entry, &headers)?;
        let data_offset = self.written;
        let size = match entry.kind {
            Kind::File { size } => size,
            _ => 0,
        };
        self.copy(entry, size, content)?;
        let padding = size.next_multiple_of(BLOCK as u64) - size;
        self.put(entry, [0; BLOCK].get(..padding as usize).unwrap_or(&[]))?;
        self.builder
            .push(entry.clone(), if size > 0 { data_offset } else { 0 });
        Ok(())
    }

    /// Ends the stream as Go does, with two empty blocks, and returns it with the listing of what was written.
    pub fn finish(mut self) -> Result<(W, Listing), LayerError> {
        let root = Entry::whiteout(super::LayerPath::root());
        self.put(&root, &[0; 2 * BLOCK])?;
        self.inner.flush().map_err(|source| LayerError::Write {
            path: root.path,
            source,
        })?;
        Ok((self.inner, self.builder.finish(true)))
    }

    /// Returns the bytes written so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    fn put(&mut self, entry: &Entry, bytes: &[u8]) -> Result<(), LayerError> {
        let write = |source| LayerError::Write {
            path: entry.path.clone(),
            source,
        };
        self.inner.write_all(bytes).map_err(write)?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    fn copy(&mut self, entry: &Entry, size: u64, content: &mut dyn Read) -> Result<(), LayerError> {
        if size == 0 {
            return Ok(());
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.resize(BUFFER, 0);
        let mut left = size;
        while left > 0 {
            let wanted = usize::try_from(left).unwrap_or(BUFFER).min(BUFFER);
            let Some(space) = buffer.get_mut(..wanted) else {
                break;
            };
            match content.read(space) {
                Ok(0) => {
                    let path = entry.path.clone();
                    return Err(LayerError::Size {
                        path,
                        expected: size,
                        actual: size - left,
                    });
                }
                Ok(count) => {
                    left -= count as u64;
                    self.put(entry, space.get(..count).unwrap_or(&[]))?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(LayerError::file("read", &entry.path, error)),
            }
        }
        self.buffer = buffer;
        Ok(())
    }
}
