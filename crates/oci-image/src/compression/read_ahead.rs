//! A reader that reads in a thread of its own, so that unpacking and what is done with the bytes share two cores.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};

/// Large enough that handing over costs nothing, small enough to stay in the cache.
const BLOCK_SIZE: usize = 256 << 10;
/// How far the thread may be ahead: memory is bounded by this many blocks and two more.
const MOST_BLOCKS: usize = 6;

/// Reads `R` ahead of whoever reads this.
///
/// An error comes after the bytes before it. The thread ends with this value: it is joined, and reads one block more at most.
pub struct ReadAhead {
    /// `None` once this value ends: the thread then finds nobody to send to.
    blocks: Option<Receiver<io::Result<Vec<u8>>>>,
    used: SyncSender<Vec<u8>>,
    current: Vec<u8>,
    position: usize,
    thread: Option<JoinHandle<()>>,
}

impl ReadAhead {
    /// Starts to read.
    pub fn new<R: Read + Send + 'static>(reader: R) -> io::Result<ReadAhead> {
        let (send, blocks) = sync_channel(MOST_BLOCKS);
        let (used, free) = sync_channel(MOST_BLOCKS + 2);
        let thread = thread::Builder::new()
            .name("read ahead".to_owned())
            .spawn(move || read_all(reader, &send, &free))?;
        Ok(ReadAhead {
            blocks: Some(blocks),
            used,
            current: Vec::new(),
            position: 0,
            thread: Some(thread),
        })
    }

    /// Takes the next block; an empty one is the end.
    fn advance(&mut self) -> io::Result<()> {
        let next = match &self.blocks {
            Some(blocks) => blocks.recv().unwrap_or_else(|_| Ok(Vec::new()))?,
            None => Vec::new(),
        };
        let old = std::mem::replace(&mut self.current, next);
        self.position = 0;
        match self.used.try_send(old) {
            Ok(()) | Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => Ok(()),
        }
    }
}

impl Read for ReadAhead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position == self.current.len() {
            self.advance()?;
        }
        let mut rest = self.current.get(self.position..).unwrap_or_default();
        let length = rest.read(buffer)?;
        self.position += length;
        Ok(length)
    }
}

impl Drop for ReadAhead {
    fn drop(&mut self) {
        self.blocks = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Sends block after block, until the end, an error, or nobody listens.
fn read_all(
    mut reader: impl Read,
    blocks: &SyncSender<io::Result<Vec<u8>>>,
    free: &Receiver<Vec<u8>>,
) {
    loop {
        let mut block = free.try_recv().unwrap_or_default();
        block.clear();
        let read = reader
            .by_ref()
            .take(BLOCK_SIZE as u64)
            .read_to_end(&mut block);
        let is_end = block.is_empty();
        let is_heard = is_end || blocks.send(Ok(block)).is_ok();
        if let Err(error) = read {
            let _ = blocks.send(Err(error));
            return;
        }
        if is_end || !is_heard {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_the_same_bytes() {
        let bytes: Vec<u8> = (0..3_000_000_u32)
            .map(|number| (number % 251) as u8)
            .collect();
        let mut found = Vec::new();
        let mut reader = ReadAhead::new(io::Cursor::new(bytes.clone())).unwrap();
        reader.read_to_end(&mut found).unwrap();
        assert!(found == bytes);
        assert_eq!(reader.read(&mut [0; 4]).unwrap(), 0);
    }

    #[test]
    fn an_error_comes_after_the_bytes_before_it() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, "cut off"))
            }
        }
        let mut reader = ReadAhead::new(io::Cursor::new(vec![7; 300_000]).chain(Broken)).unwrap();
        let mut found = Vec::new();
        let error = reader.read_to_end(&mut found).unwrap_err();
        assert_eq!(
            (error.kind(), found.len()),
            (io::ErrorKind::UnexpectedEof, 300_000)
        );
    }

    #[test]
    fn ends_when_nobody_reads_on() {
        let mut reader = ReadAhead::new(io::repeat(1)).unwrap();
        reader.read_exact(&mut [0; 10]).unwrap();
        drop(reader);
    }
}
