//! Hashing beside the work that makes the bytes: large streams get a thread of their own.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use crate::digest::{Digest, Hasher};

/// What is smaller is hashed sooner than a thread is there.
const SMALL: u64 = 1 << 20;
const BLOCK_SIZE: usize = 256 << 10;
/// How far hashing may be behind: memory is bounded by this many blocks and two more.
const MOST_BLOCKS: usize = 6;

/// A SHA-256 that takes bytes without waiting for their hash.
pub(crate) struct BackgroundHash {
    state: State,
    size: u64,
}

enum State {
    Here(Hasher),
    Apart(Apart),
}

struct Apart {
    block: Vec<u8>,
    blocks: SyncSender<Vec<u8>>,
    free: Receiver<Vec<u8>>,
    thread: JoinHandle<Hasher>,
}

impl BackgroundHash {
    pub(crate) fn new() -> BackgroundHash {
        BackgroundHash {
            state: State::Here(Hasher::default()),
            size: 0,
        }
    }

    /// Returns how many bytes there were.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        match &mut self.state {
            State::Here(hasher) => {
                hasher.update(bytes);
                if self.size >= SMALL
                    && let Some(apart) = Apart::start(hasher)
                {
                    self.state = State::Apart(apart);
                }
            }
            State::Apart(apart) => apart.update(bytes),
        }
    }

    /// Waits for the hash of all bytes.
    pub(crate) fn finish(self) -> Digest {
        match self.state {
            State::Here(hasher) => hasher.finish(),
            State::Apart(apart) => apart.finish().finish(),
        }
    }
}

impl Apart {
    /// Goes on in a thread, if there is one to be had.
    fn start(hasher: &Hasher) -> Option<Apart> {
        let (blocks, taken) = sync_channel::<Vec<u8>>(MOST_BLOCKS);
        let (give_back, free) = sync_channel(MOST_BLOCKS + 2);
        let mut hasher = hasher.clone();
        let hash_all = move || {
            for block in taken {
                hasher.update(&block);
                let _ = give_back.try_send(block);
            }
            hasher
        };
        let thread = thread::Builder::new()
            .name("hash".to_owned())
            .spawn(hash_all)
            .ok()?;
        Some(Apart {
            block: Vec::with_capacity(BLOCK_SIZE),
            blocks,
            free,
            thread,
        })
    }

    fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let space = BLOCK_SIZE.saturating_sub(self.block.len());
            let (now, rest) = bytes.split_at(space.min(bytes.len()));
            self.block.extend_from_slice(now);
            bytes = rest;
            if self.block.len() >= BLOCK_SIZE {
                self.send();
            }
        }
    }

    fn send(&mut self) {
        let next = self.free.try_recv().map(|mut block| {
            block.clear();
            block
        });
        let next = next.unwrap_or_else(|_| Vec::with_capacity(BLOCK_SIZE));
        // Nobody takes it when the thread panicked: `finish` passes that on.
        let _ = self.blocks.send(std::mem::replace(&mut self.block, next));
    }

    fn finish(mut self) -> Hasher {
        self.send();
        drop(self.blocks);
        self.thread
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_any_size_give_the_hash_of_the_whole() {
        let bytes: Vec<u8> = (0..5_000_000_u32)
            .map(|number| (number % 253) as u8)
            .collect();
        for piece in [999, 262_144, 1_000_000, 5_000_000] {
            let mut hash = BackgroundHash::new();
            for part in bytes.chunks(piece) {
                hash.update(part);
            }
            assert_eq!(hash.size(), 5_000_000);
            assert_eq!(hash.finish(), Digest::of(&bytes), "pieces of {piece}");
        }
        assert_eq!(BackgroundHash::new().finish(), Digest::of(b""));
    }
}
