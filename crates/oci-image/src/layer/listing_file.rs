//! The compact file of a listing.

use std::io::{self, Read, Write};

use super::{Entry, Kind, LayerError, LayerPath, Listing, Timestamp};

const MAGIC: &[u8; 7] = b"dflayer";
const VERSION: u8 = 1;

impl Listing {
    /// Writes the listing in a form that [`Listing::load`] reads quickly.
    pub fn save(&self, mut writer: impl Write) -> io::Result<()> {
        let mut out = Vec::with_capacity(self.entries.len() * 40 + 32);
        out.extend_from_slice(MAGIC);
        out.push(VERSION);
        put_number(&mut out, self.entries.len() as u64);
        out.push(u8::from(!self.offsets.is_empty()));
        let mut previous: &[u8] = &[];
        for (number, entry) in self.entries.iter().enumerate() {
            put_entry(&mut out, previous, entry);
            if let Some(&offset) = self.offsets.get(number) {
                put_number(&mut out, offset);
            }
            previous = entry.path.as_bytes();
        }
        let sum = checksum(&out);
        out.extend_from_slice(&sum.to_le_bytes());
        writer.write_all(&out)
    }

    /// Reads what [`Listing::save`] wrote; damage is an error.
    pub fn load(mut reader: impl Read) -> Result<Self, LayerError> {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).map_err(LayerError::Read)?;
        parse(&bytes).map_err(|problem| LayerError::Listing { problem })
    }
}

fn parse(bytes: &[u8]) -> Result<Listing, &'static str> {
    let (bytes, sum) = bytes.split_last_chunk::<8>().ok_or("it is cut off")?;
    if u64::from_le_bytes(*sum) != checksum(bytes) {
        return Err("the checksum differs");
    }
    let mut input = Input { bytes };
    if input.take(MAGIC.len())? != MAGIC {
        return Err("it is no listing");
    }
    if input.byte()? != VERSION {
        return Err("it is of another version");
    }
    let count = input.number()?;
    let has_offsets = input.byte()? != 0;
    // An entry has at least 8 bytes, so a wrong count cannot ask for much memory.
    let capacity = usize::try_from(count).unwrap_or(0).min(bytes.len() / 8);
    let mut listing = Listing {
        entries: Vec::with_capacity(capacity),
        offsets: Vec::new(),
    };
    for _ in 0..count {
        let previous = listing.entries.last().map(|entry| &entry.path);
        let entry = input.entry(previous)?;
        if previous.is_some_and(|previous| *previous >= entry.path) {
            return Err("the paths are out of order");
        }
        listing.entries.push(entry);
        if has_offsets {
            listing.offsets.push(input.number()?);
        }
    }
    if input.bytes.is_empty() {
        Ok(listing)
    } else {
        Err("there is something behind the end")
    }
}

/// FNV-1a over words: finds damage, is no defence against a forger (the store is private to its user).
fn checksum(bytes: &[u8]) -> u64 {
    let step = |sum: u64, word: u64| (sum ^ word).wrapping_mul(0x0100_0000_01b3).rotate_left(23);
    let (words, rest) = bytes.as_chunks::<8>();
    let sum = words.iter().fold(0xcbf2_9ce4_8422_2325, |sum, word| {
        step(sum, u64::from_le_bytes(*word))
    });
    rest.iter()
        .fold(sum, |sum, &byte| step(sum, u64::from(byte)))
}

fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn put_entry(out: &mut Vec<u8>, previous: &[u8], entry: &Entry) {
    let path = entry.path.as_bytes();
    let shared = previous
        .iter()
        .zip(path)
        .take_while(|(one, other)| one == other)
        .count();
    put_number(out, shared as u64);
    put_bytes(out, path.get(shared..).unwrap_or(&[]));
    let tag = |out: &mut Vec<u8>, tag| out.push(tag);
    match &entry.kind {
        Kind::File { size } => {
            tag(out, 0);
            put_number(out, *size);
        }
        Kind::Directory { is_opaque } => tag(out, 1 + u8::from(*is_opaque)),
        Kind::Symlink { target } => {
            tag(out, 3);
            put_bytes(out, target);
        }
        Kind::HardLink { target } => {
            tag(out, 4);
            put_bytes(out, target.as_bytes());
        }
        Kind::Fifo => tag(out, 5),
        Kind::CharDevice { major, minor } | Kind::BlockDevice { major, minor } => {
            tag(
                out,
                if matches!(entry.kind, Kind::CharDevice { .. }) {
                    6
                } else {
                    7
                },
            );
            put_number(out, u64::from(*major));
            put_number(out, u64::from(*minor));
        }
        Kind::Whiteout => tag(out, 8),
    }
    for number in [entry.mode, entry.uid, entry.gid, entry.modified.nanos] {
        put_number(out, u64::from(number));
    }
    let seconds = entry.modified.seconds;
    put_number(out, ((seconds << 1) ^ (seconds >> 63)).cast_unsigned());
    put_number(out, entry.xattrs.len() as u64);
    for (name, value) in &entry.xattrs {
        put_bytes(out, name);
        put_bytes(out, value);
    }
}

struct Input<'a> {
    bytes: &'a [u8],
}

impl<'a> Input<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], &'static str> {
        let (taken, rest) = self.bytes.split_at_checked(count).ok_or("it is cut off")?;
        self.bytes = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, &'static str> {
        self.take(1)?.first().copied().ok_or("it is cut off")
    }

    fn number(&mut self) -> Result<u64, &'static str> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err("a number is too long")
    }

    fn small(&mut self) -> Result<u32, &'static str> {
        u32::try_from(self.number()?).map_err(|_| "a number is too large")
    }

    fn sized(&mut self) -> Result<&'a [u8], &'static str> {
        let length = usize::try_from(self.number()?).map_err(|_| "a length is too large")?;
        self.take(length)
    }

    fn entry(&mut self, previous: Option<&LayerPath>) -> Result<Entry, &'static str> {
        let shared = usize::try_from(self.number()?).map_err(|_| "a length is too large")?;
        let previous = previous.map_or(&[][..], LayerPath::as_bytes);
        let suffix = self.sized()?;
        let prefix = previous.get(..shared).ok_or("a path is out of range")?;
        let mut path = Vec::with_capacity(prefix.len() + suffix.len());
        path.extend_from_slice(prefix);
        path.extend_from_slice(suffix);
        let path = LayerPath::from_clean(path).ok_or("a path is not clean")?;
        let kind = self.kind()?;
        let (mode, uid, gid, nanos) = (self.small()?, self.small()?, self.small()?, self.small()?);
        let zigzag = self.number()?;
        let seconds = (zigzag >> 1).cast_signed() ^ -((zigzag & 1).cast_signed());
        let mut xattrs = Vec::new();
        for _ in 0..self.number()? {
            xattrs.push((self.sized()?.to_vec(), self.sized()?.to_vec()));
        }
        Ok(Entry {
            path,
            kind,
            mode,
            uid,
            gid,
            modified: Timestamp { seconds, nanos },
            xattrs,
        })
    }

    fn kind(&mut self) -> Result<Kind, &'static str> {
        Ok(match self.byte()? {
            0 => Kind::File {
                size: self.number()?,
            },
            1 => Kind::Directory { is_opaque: false },
            2 => Kind::Directory { is_opaque: true },
            3 => Kind::Symlink {
                target: self.sized()?.to_vec(),
            },
            4 => {
                let target = LayerPath::from_clean(self.sized()?.to_vec());
                Kind::HardLink {
                    target: target.ok_or("a path is not clean")?,
                }
            }
            5 => Kind::Fifo,
            6 => Kind::CharDevice {
                major: self.small()?,
                minor: self.small()?,
            },
            7 => Kind::BlockDevice {
                major: self.small()?,
                minor: self.small()?,
            },
            8 => Kind::Whiteout,
            _ => return Err("an unknown kind"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::ListingBuilder;
    use super::*;

    fn sample() -> Listing {
        let path = |text: &str| LayerPath::parse(text.as_bytes()).unwrap();
        let mut builder = ListingBuilder::default();
        builder.push(
            Entry::directory(
                path("a"),
                Timestamp {
                    seconds: -7,
                    nanos: 5,
                },
            ),
            0,
        );
        let mut file = Entry::file(path("a/b"), 1 << 40, 0o4755, Timestamp::seconds(1 << 33));
        file.xattrs
            .push((b"security.capability".to_vec(), vec![1, 2, 3]));
        builder.push(file, 1536);
        builder.push(Entry::whiteout(path("c")), 0);
        builder.finish(true)
    }

    #[test]
    fn load_returns_what_was_saved() {
        let mut bytes = Vec::new();
        sample().save(&mut bytes).unwrap();
        assert_eq!(Listing::load(bytes.as_slice()).unwrap(), sample());
    }

    #[test]
    fn every_damaged_byte_and_every_cut_is_an_error() {
        let mut bytes = Vec::new();
        sample().save(&mut bytes).unwrap();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x20;
            assert!(Listing::load(damaged.as_slice()).is_err(), "byte {at}");
            assert!(Listing::load(&bytes[..at]).is_err(), "cut at {at}");
        }
    }
}
