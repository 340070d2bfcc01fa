//! One block of a gzip stream, compressed for itself, so that blocks can be compressed at the same time.
//!
//! The idea is that of pigz: a block knows the 32 KiB before it as a dictionary, and ends at a byte boundary by a sync flush,
//! so that the blocks one after another are one DEFLATE stream (RFC 1951).

use std::io;

use flate2::{Compress, Crc, FlushCompress, Status};

/// The bytes of one block before compression.
pub(super) const BLOCK_SIZE: usize = 256 << 10;
/// How far back DEFLATE can refer.
pub(super) const DICTIONARY_SIZE: usize = 32 << 10;
/// How much of a block is tried to see whether it can be compressed.
const SAMPLE_SIZE: usize = 8 << 10;
/// The largest stored block of DEFLATE.
const STORED_LIMIT: usize = 0xffff;

/// What goes into a block.
pub(super) struct Block {
    /// The dictionary, then the bytes themselves.
    pub(super) bytes: Vec<u8>,
    pub(super) dictionary_size: usize,
    pub(super) is_last: bool,
}

/// What comes out.
pub(super) struct Deflated {
    pub(super) bytes: Vec<u8>,
    pub(super) crc: Crc,
}

/// Compresses blocks, one after another, with one state that is used again.
pub(super) struct Deflater {
    state: Compress,
    sampler: Compress,
    scratch: Vec<u8>,
}

impl Deflater {
    pub(super) fn new(level: u32) -> Self {
        Self {
            state: Compress::new(flate2::Compression::new(level), false),
            sampler: Compress::new(flate2::Compression::new(1), false),
            // Room for more than there can be: zlib-rs 0.6.8 panics when it is reset before it could end.
            scratch: vec![0; SAMPLE_SIZE * 2],
        }
    }

    pub(super) fn deflate(&mut self, block: &Block) -> io::Result<Deflated> {
        let (dictionary, bytes) = block
            .bytes
            .split_at_checked(block.dictionary_size)
            .unwrap_or((&[], &block.bytes));
        let mut crc = Crc::new();
        crc.update(bytes);
        let bytes = if !block.is_last && self.is_incompressible(bytes)? {
            store(bytes)
        } else {
            self.compress(dictionary, bytes, block.is_last)?
        };
        Ok(Deflated { bytes, crc })
    }

    /// Tries three samples: archives, images and encrypted data do not get smaller, and take the longest to try.
    fn is_incompressible(&mut self, bytes: &[u8]) -> io::Result<bool> {
        if bytes.len() < BLOCK_SIZE {
            return Ok(false);
        }
        for start in [0, BLOCK_SIZE / 2, BLOCK_SIZE - SAMPLE_SIZE] {
            let sample = bytes.get(start..start + SAMPLE_SIZE).unwrap_or_default();
            self.sampler.reset();
            let status = self
                .sampler
                .compress(sample, &mut self.scratch, FlushCompress::Finish)
                .map_err(io::Error::other)?;
            let packed = usize::try_from(self.sampler.total_out()).unwrap_or(usize::MAX);
            if status == Status::StreamEnd && packed < SAMPLE_SIZE * 63 / 64 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn compress(&mut self, dictionary: &[u8], bytes: &[u8], is_last: bool) -> io::Result<Vec<u8>> {
        self.state.reset();
        if !dictionary.is_empty() {
            self.state
                .set_dictionary(dictionary)
                .map_err(io::Error::other)?;
        }
        let flush = if is_last {
            FlushCompress::Finish
        } else {
            FlushCompress::Sync
        };
        // Room for the worst case, so that one call does it all.
        let mut output = Vec::with_capacity(bytes.len() + bytes.len() / 8 + 1024);
        loop {
            let taken = usize::try_from(self.state.total_in()).unwrap_or(usize::MAX);
            let rest = bytes.get(taken..).unwrap_or_default();
            let status = self
                .state
                .compress_vec(rest, &mut output, flush)
                .map_err(io::Error::other)?;
            // A flush is complete when it left room (zlib.h, deflate).
            if status == Status::StreamEnd || !is_last && output.len() < output.capacity() {
                return Ok(output);
            }
            output.reserve(bytes.len() / 4 + 1024);
        }
    }
}

/// Returns the bytes as stored blocks: type 0, not the last, at a byte boundary (RFC 1951, 3.2.4).
fn store(bytes: &[u8]) -> Vec<u8> {
    let mut output = Vec::with_capacity(bytes.len() + 5 * (bytes.len() / STORED_LIMIT + 1));
    for piece in bytes.chunks(STORED_LIMIT) {
        let length = u16::try_from(piece.len()).unwrap_or(u16::MAX);
        output.push(0);
        output.extend_from_slice(&length.to_le_bytes());
        output.extend_from_slice(&(!length).to_le_bytes());
        output.extend_from_slice(piece);
    }
    output
}
