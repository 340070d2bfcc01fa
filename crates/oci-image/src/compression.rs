//! Compressing and unpacking streams, in this process: no helper program is ever run (CVE-2026-41567).
//!
//! Invariant: what comes out depends on what goes in and on the [`Compression`], never on the number of threads.

mod decompress;
mod deflate_block;
mod gzip_writer;
mod read_ahead;

use std::io::{self, Write};

pub use decompress::{Decompressor, Format};
pub use gzip_writer::GzipWriter;
pub use read_ahead::ReadAhead;

use crate::manifest::media_type;

/// How a layer is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compression {
    None,
    Gzip { level: u32 },
    Zstd { level: i32 },
}

impl Compression {
    /// The level that gzip(1) and Go take when none is given.
    pub const GZIP: Self = Self::Gzip { level: 6 };
    /// The level that zstd(1) takes when none is given.
    pub const ZSTD: Self = Self::Zstd { level: 3 };

    /// Returns the name of the form that this makes, for the table of the store.
    pub fn form(self) -> String {
        match self {
            Self::None => "none".to_owned(),
            Self::Gzip { level } => format!("gzip-{level}"),
            Self::Zstd { level } => format!("zstd-{level}"),
        }
    }

    /// Returns the OCI media type of a layer that is compressed so.
    pub fn layer_media_type(self) -> &'static str {
        match self {
            Self::None => media_type::OCI_LAYER,
            Self::Gzip { .. } => media_type::OCI_LAYER_GZIP,
            Self::Zstd { .. } => media_type::OCI_LAYER_ZSTD,
        }
    }
}

/// Compresses what is written to it.
pub enum Compressor<W: Write> {
    None(W),
    Gzip(Box<GzipWriter<W>>),
    Zstd(zstd::Encoder<'static, W>),
}

/// The size of a zstd job: bounds memory, and fixes where the stream is cut.
const ZSTD_JOB_SIZE: u32 = 2 << 20;

impl<W: Write> Compressor<W> {
    /// Starts a stream that is compressed by `threads` threads.
    pub fn new(output: W, compression: Compression, threads: usize) -> io::Result<Self> {
        let threads = threads.max(1);
        match compression {
            Compression::None => Ok(Self::None(output)),
            Compression::Gzip { level } => {
                let writer = GzipWriter::new(output, level, threads)?;
                Ok(Self::Gzip(Box::new(writer)))
            }
            Compression::Zstd { level } => {
                let mut encoder = zstd::Encoder::new(output, level)?;
                encoder.include_checksum(true)?;
                // Always with workers: a stream made without them has other bytes.
                encoder.multithread(u32::try_from(threads).unwrap_or(1))?;
                encoder.set_parameter(zstd::zstd_safe::CParameter::JobSize(ZSTD_JOB_SIZE))?;
                Ok(Self::Zstd(encoder))
            }
        }
    }

    /// Ends the stream and returns the writer below.
    pub fn finish(self) -> io::Result<W> {
        match self {
            Self::None(output) => Ok(output),
            Self::Gzip(writer) => writer.finish(),
            Self::Zstd(encoder) => encoder.finish(),
        }
    }
}

impl<W: Write> Write for Compressor<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::None(output) => output.write(bytes),
            Self::Gzip(writer) => writer.write(bytes),
            Self::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::None(output) => output.flush(),
            // A flush would change the bytes: only the end is one.
            Self::Gzip(_) | Self::Zstd(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use proptest::prelude::*;

    use super::*;

    const ALL: [Compression; 3] = [Compression::None, Compression::GZIP, Compression::ZSTD];

    fn compress(bytes: &[u8], compression: Compression, threads: usize) -> Vec<u8> {
        let mut writer = Compressor::new(Vec::new(), compression, threads).unwrap();
        for piece in bytes.chunks(70_001) {
            writer.write_all(piece).unwrap();
        }
        writer.finish().unwrap()
    }

    fn decompress(bytes: &[u8], limit: u64) -> io::Result<Vec<u8>> {
        let mut unpacked = Vec::new();
        Decompressor::new(bytes, limit)?.read_to_end(&mut unpacked)?;
        Ok(unpacked)
    }

    /// Returns text, zeros and noise in turn.
    fn mixed(length: usize) -> Vec<u8> {
        let mut state = 1_u64;
        (0..length)
            .map(|at| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                match at >> 18 & 3 {
                    0 => b"the quick brown fox jumps"[at % 25],
                    1 => 0,
                    2 => state as u8,
                    _ => state as u8 & 15,
                }
            })
            .collect()
    }

    #[test]
    fn gives_the_same_bytes_whatever_the_number_of_threads() {
        let bytes = mixed(5 << 20);
        for compression in ALL {
            let one = compress(&bytes, compression, 1);
            assert_eq!(one, compress(&bytes, compression, 2), "{compression:?}");
            assert_eq!(one, compress(&bytes, compression, 5), "{compression:?}");
            assert_eq!(
                decompress(&one, u64::MAX).unwrap(),
                bytes,
                "{compression:?}"
            );
        }
    }

    #[test]
    fn gzip_of_noise_is_hardly_larger_than_the_noise() {
        let noise: Vec<u8> = mixed(3 << 18).split_off(2 << 18);
        let packed = compress(&noise, Compression::GZIP, 2);
        assert!(packed.len() < noise.len() + 200, "{}", packed.len());
        assert_eq!(decompress(&packed, u64::MAX).unwrap(), noise);
    }

    #[test]
    fn blocks_that_hardly_get_smaller_are_packed_too() {
        let noise = mixed(3 << 18).split_off(2 << 18);
        let mut bytes = Vec::new();
        for limit in (200..=255_u8).rev() {
            bytes.extend(noise.iter().map(|&byte| byte.min(limit)));
        }
        let packed = compress(&bytes, Compression::GZIP, 2);
        assert_eq!(decompress(&packed, u64::MAX).unwrap(), bytes);
    }

    #[test]
    fn gzip_has_the_header_of_go() {
        let packed = compress(b"x", Compression::GZIP, 1);
        assert_eq!(packed[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
    }

    #[test]
    fn says_that_a_stream_ends_too_early() {
        let bytes = mixed(1 << 18);
        for compression in [Compression::GZIP, Compression::ZSTD] {
            let packed = compress(&bytes, compression, 1);
            for length in [5, 12, packed.len() / 2, packed.len() - 1] {
                let error = decompress(&packed[..length], u64::MAX).unwrap_err();
                assert_eq!(
                    error.kind(),
                    io::ErrorKind::UnexpectedEof,
                    "{compression:?} {length}"
                );
                assert!(error.to_string().contains("too early"), "{error}");
            }
        }
    }

    #[test]
    fn stops_at_the_limit() {
        let zeros = vec![0; 1 << 20];
        for compression in ALL {
            let packed = compress(&zeros, compression, 1);
            assert_eq!(decompress(&packed, 1 << 20).unwrap().len(), 1 << 20);
            let error = decompress(&packed, (1 << 20) - 1).unwrap_err();
            assert!(error.to_string().contains("limit"), "{error}");
        }
    }

    #[test]
    fn reads_what_xz_and_bzip2_write() {
        for (program, format) in [("xz", Format::Xz), ("bzip2", Format::Bzip2)] {
            let Some(packed) = run_filter(program, b"some text\n") else {
                test_support::skipped("reading what others compress", program);
                continue;
            };
            assert_eq!(Format::detect(&packed), format);
            assert_eq!(decompress(&packed, 100).unwrap(), b"some text\n");
            for length in 6..packed.len() {
                let error = decompress(&packed[..length], 100).unwrap_err();
                assert_eq!(
                    error.kind(),
                    io::ErrorKind::UnexpectedEof,
                    "{program} {length} {error}"
                );
            }
        }
    }

    #[test]
    fn finds_damage() {
        let bytes = mixed(1 << 16);
        for compression in [Compression::GZIP, Compression::ZSTD] {
            let mut packed = compress(&bytes, compression, 1);
            let middle = packed.len() / 2;
            packed[middle] ^= 0xff;
            assert!(decompress(&packed, u64::MAX).is_err());
        }
    }

    fn run_filter(program: &str, input: &[u8]) -> Option<Vec<u8>> {
        use std::process::{Command, Stdio};
        let mut child = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        child.stdin.take()?.write_all(input).ok()?;
        Some(child.wait_with_output().ok()?.stdout)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn what_is_packed_is_unpacked(bytes in prop::collection::vec(any::<u8>(), 0..3000), repeat in 1..200_usize) {
            let bytes = bytes.repeat(repeat);
            for compression in ALL {
                let packed = compress(&bytes, compression, 2);
                if compression != Compression::None {
                    prop_assert_eq!(&decompress(&packed, u64::MAX).unwrap(), &bytes);
                }
            }
        }

        #[test]
        fn no_bytes_make_it_panic(format in 0..5_usize, bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let magic: [&[u8]; 5] = [b"", &[0x1f, 0x8b, 8], &[0x28, 0xb5, 0x2f, 0xfd], b"\xfd7zXZ\0", b"BZh9"];
            let _ = decompress(&[magic[format], &bytes].concat(), 1 << 20);
        }
    }
}
