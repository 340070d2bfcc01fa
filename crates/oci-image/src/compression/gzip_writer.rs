//! A gzip stream made by several threads, with the same bytes for any number of them.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use flate2::Crc;

use super::deflate_block::{BLOCK_SIZE, Block, DICTIONARY_SIZE, Deflated, Deflater};

/// Compresses what is written to it with gzip.
pub struct GzipWriter<W: Write> {
    output: W,
    /// The dictionary, then what was written since the last block was cut.
    pending: Vec<u8>,
    dictionary_size: usize,
    crc: Crc,
    /// Results in the order in which they go out.
    results: VecDeque<Receiver<io::Result<Deflated>>>,
    limit: usize,
    jobs: Option<SyncSender<Job>>,
    workers: Vec<JoinHandle<()>>,
}

struct Job {
    block: Block,
    result: SyncSender<io::Result<Deflated>>,
}

impl<W: Write> GzipWriter<W> {
    /// Starts a stream and `threads` threads to compress it.
    pub fn new(mut output: W, level: u32, threads: usize) -> io::Result<Self> {
        output.write_all(&header(level))?;
        let threads = threads.clamp(1, 64);
        let (jobs, queue) = mpsc::sync_channel::<Job>(threads);
        let queue = Arc::new(Mutex::new(queue));
        let mut workers = Vec::with_capacity(threads);
        for _ in 0..threads {
            let queue = Arc::clone(&queue);
            let worker = thread::Builder::new()
                .name("gzip".to_owned())
                .spawn(move || work(&queue, level))?;
            workers.push(worker);
        }
        Ok(Self {
            output,
            pending: Vec::with_capacity(DICTIONARY_SIZE + BLOCK_SIZE),
            dictionary_size: 0,
            crc: Crc::new(),
            results: VecDeque::new(),
            limit: threads * 2,
            jobs: Some(jobs),
            workers,
        })
    }

    /// Ends the stream and returns the writer below.
    pub fn finish(mut self) -> io::Result<W> {
        self.cut_block(true)?;
        while let Some(result) = self.results.pop_front() {
            self.write_result(&result)?;
        }
        self.jobs = None;
        for worker in self.workers.drain(..) {
            if worker.join().is_err() {
                return Err(lost_worker());
            }
        }
        let mut trailer = [0; 8];
        let (crc, size) = trailer.split_at_mut(4);
        crc.copy_from_slice(&self.crc.sum().to_le_bytes());
        size.copy_from_slice(&self.crc.amount().to_le_bytes());
        self.output.write_all(&trailer)?;
        Ok(self.output)
    }

    /// Hands the pending bytes to a worker, and keeps their end as the next dictionary.
    fn cut_block(&mut self, is_last: bool) -> io::Result<()> {
        if self.results.len() >= self.limit
            && let Some(result) = self.results.pop_front()
        {
            self.write_result(&result)?;
        }
        let keep = self.pending.len().saturating_sub(DICTIONARY_SIZE);
        let mut next = Vec::with_capacity(DICTIONARY_SIZE + BLOCK_SIZE);
        next.extend_from_slice(self.pending.get(keep..).unwrap_or_default());
        let dictionary_size = std::mem::replace(&mut self.dictionary_size, next.len());
        let block = Block {
            bytes: std::mem::replace(&mut self.pending, next),
            dictionary_size,
            is_last,
        };
        let (result, receiver) = mpsc::sync_channel(1);
        let jobs = self.jobs.as_ref().ok_or_else(lost_worker)?;
        jobs.send(Job { block, result })
            .map_err(|_| lost_worker())?;
        self.results.push_back(receiver);
        Ok(())
    }

    fn write_result(&mut self, result: &Receiver<io::Result<Deflated>>) -> io::Result<()> {
        let deflated = result.recv().map_err(|_| lost_worker())??;
        self.crc.combine(&deflated.crc);
        self.output.write_all(&deflated.bytes)
    }
}

impl<W: Write> Write for GzipWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = (self.dictionary_size + BLOCK_SIZE).saturating_sub(self.pending.len());
        let piece = bytes.get(..room.min(bytes.len())).unwrap_or_default();
        self.pending.extend_from_slice(piece);
        if piece.len() == room {
            self.cut_block(false)?;
        }
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn work(queue: &Mutex<Receiver<Job>>, level: u32) {
    let mut deflater = Deflater::new(level);
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        // The writer may have gone: nobody waits for the result then.
        let _ = job.result.send(deflater.deflate(&job.block));
    }
}

/// Returns the header that Go writes: no name, no time, an unknown system (compress/gzip, `Writer.Write`).
fn header(level: u32) -> [u8; 10] {
    let extra = match level {
        9 => 2,
        1 => 4,
        _ => 0,
    };
    [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, extra, 255]
}

fn lost_worker() -> io::Error {
    io::Error::other("a thread that compresses has ended")
}
