//! Unpacking with a bound on what comes out, and exact words for data that end too early.

use std::io::{self, BufRead, BufReader, Read};

use bzip2::read::MultiBzDecoder;
use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;

const BUFFER_SIZE: usize = 64 << 10;
/// The window of `zstd --ultra -22` and `--long=27`; more is refused, as zstd(1) does.
const ZSTD_WINDOW_LOG: u32 = 27;
/// What xz may take for its dictionary: that of `xz -9` is 64 MiB.
const XZ_MEMORY_KIB: u32 = 160 << 10;

/// How a stream is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    None,
    Gzip,
    Zstd,
    Xz,
    Bzip2,
}

impl Format {
    /// Tells the format by the first bytes; six are enough.
    pub fn detect(start: &[u8]) -> Self {
        match start {
            [0x1f, 0x8b, 0x08, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            // A skippable frame, which may come first (RFC 8878, 3.1.2).
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Self::Bzip2,
            _ => Self::None,
        }
    }

    /// Returns the name, as in a message.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "uncompressed",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
            Self::Bzip2 => "bzip2",
        }
    }
}

/// Unpacks a stream of whatever format.
///
/// Data that end too early are an error of kind `UnexpectedEof` (CVE-2021-20291 was a program that waited for more);
/// more than `limit` bytes are one of kind `FileTooLarge`.
pub struct Decompressor<R: Read> {
    input: Input<R>,
    format: Format,
    limit: u64,
    left: u64,
}

type Buffered<R> = BufReader<io::Chain<io::Cursor<Vec<u8>>, R>>;

enum Input<R: Read> {
    None(Buffered<R>),
    Gzip(Box<MultiGzDecoder<Buffered<R>>>),
    Zstd(Box<zstd::Decoder<'static, Buffered<R>>>),
    Xz(Box<XzReader<Buffered<R>>>),
    Bzip2(Box<MultiBzDecoder<Buffered<R>>>),
}

impl<R: Read> Decompressor<R> {
    /// Tells the format by the first bytes of `input`, and unpacks at most `limit` bytes.
    pub fn new(mut input: R, limit: u64) -> io::Result<Self> {
        let mut start = Vec::with_capacity(6);
        input.by_ref().take(6).read_to_end(&mut start)?;
        let format = Format::detect(&start);
        let input = BufReader::with_capacity(BUFFER_SIZE, io::Cursor::new(start).chain(input));
        let input = match format {
            Format::None => Input::None(input),
            Format::Gzip => Input::Gzip(Box::new(MultiGzDecoder::new(input))),
            Format::Zstd => {
                let mut decoder = zstd::Decoder::with_buffer(input)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                Input::Zstd(Box::new(decoder))
            }
            Format::Xz => {
                let reader = XzReader::new_mem_limit(input, true, XZ_MEMORY_KIB);
                Input::Xz(Box::new(reader))
            }
            Format::Bzip2 => Input::Bzip2(Box::new(MultiBzDecoder::new(input))),
        };
        Ok(Self {
            input,
            format,
            limit,
            left: limit,
        })
    }

    /// Returns the format of the stream.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Reads what is behind the end of the data that were wanted, so that a digest below sees every byte.
    pub fn drain(mut self) -> io::Result<()> {
        io::copy(&mut self, &mut io::sink())?;
        if let Input::None(input) = &mut self.input {
            while let length @ 1.. = input.fill_buf()?.len() {
                input.consume(length);
            }
        }
        Ok(())
    }

    fn read_input(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.input {
            Input::None(input) => input.read(buffer),
            Input::Gzip(input) => input.read(buffer),
            Input::Zstd(input) => input.read(buffer),
            Input::Xz(input) => input.read(buffer),
            Input::Bzip2(input) => input.read(buffer),
        }
    }

    fn explain(&self, error: io::Error) -> io::Error {
        // What the reader below says of itself (a corrupt blob, say) is not a matter of the format.
        let is_ours = matches!(error.get_ref(), Some(source) if source.is::<crate::Error>());
        if is_ours || self.format == Format::None {
            return error;
        }
        let name = self.format.name();
        match error.kind() {
            io::ErrorKind::UnexpectedEof => io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("the {name} data end too early"),
            ),
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other => {
                let message = format!("the {name} data are damaged: {error}");
                io::Error::new(io::ErrorKind::InvalidData, message)
            }
            _ => error,
        }
    }
}

impl<R: Read> Read for Decompressor<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self
            .read_input(buffer)
            .map_err(|error| self.explain(error))?;
        match self.left.checked_sub(read as u64) {
            Some(left) => {
                self.left = left;
                Ok(read)
            }
            None => Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!(
                    "the {} data unpack to more than the limit of {} bytes",
                    self.format.name(),
                    self.limit
                ),
            )),
        }
    }
}
