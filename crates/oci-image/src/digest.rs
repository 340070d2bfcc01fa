//! Content digests: parsing, computing, and hashing bytes as they pass.

use std::fmt;
use std::io::{self, Read, Write};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Digest as _;

use crate::background_hash::BackgroundHash;
use crate::error::Error;

/// How a digest is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    Sha256,
    Sha512,
}

impl Algorithm {
    /// Returns the name that stands in front of the colon.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }
}

/// The digest of some bytes; safe as part of a path, because it is hexadecimal digits and nothing else.
///
/// What this program writes is SHA-256; SHA-512 is accepted from others.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(Value);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Value {
    Sha256([u8; 32]),
    Sha512([u8; 64]),
}

impl Digest {
    /// Returns the SHA-256 of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        let mut hasher = Hasher::default();
        hasher.update(bytes);
        hasher.finish()
    }

    /// Returns the digest with this SHA-256 value.
    pub const fn from_sha256(value: [u8; 32]) -> Self {
        Self(Value::Sha256(value))
    }

    /// Returns how the digest is computed.
    pub fn algorithm(&self) -> Algorithm {
        match self.0 {
            Value::Sha256(_) => Algorithm::Sha256,
            Value::Sha512(_) => Algorithm::Sha512,
        }
    }

    /// Returns the value.
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Value::Sha256(value) => value,
            Value::Sha512(value) => value,
        }
    }

    /// Returns the value in lower-case hexadecimal digits.
    pub fn hex(&self) -> String {
        let mut text = String::with_capacity(self.as_bytes().len() * 2);
        for byte in self.as_bytes() {
            for half in [byte >> 4, byte & 15] {
                text.push(char::from_digit(u32::from(half), 16).unwrap_or('0'));
            }
        }
        text
    }
}

impl FromStr for Digest {
    type Err = Error;

    /// Parses `sha256:<64 hex>` or `sha512:<128 hex>`, lower case as the image specification demands
    /// (descriptor.md, "Registered algorithms"); CVE-2024-3727 is what happens without this check.
    fn from_str(text: &str) -> Result<Self, Error> {
        let value = text.split_once(':').and_then(|(name, hex)| match name {
            "sha256" => decode_hex(hex).map(Value::Sha256),
            "sha512" => decode_hex(hex).map(Value::Sha512),
            _ => None,
        });
        value.map(Self).ok_or_else(|| Error::InvalidDigest {
            text: text.chars().take(160).collect(),
        })
    }
}

fn decode_hex<const LENGTH: usize>(hex: &str) -> Option<[u8; LENGTH]> {
    if hex.len() != LENGTH * 2 {
        return None;
    }
    let mut value = [0; LENGTH];
    for (byte, pair) in value.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = nibble(*high)? << 4 | nibble(*low)?;
    }
    Some(value)
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm().name(), self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Computes a digest from bytes that come in pieces.
#[derive(Clone)]
pub struct Hasher {
    state: State,
    size: u64,
}

#[derive(Clone)]
enum State {
    Sha256(sha2::Sha256),
    /// SHA-256 in assembly: twice as fast as `sha2` where the processor has no instructions for it.
    Sha256Assembly(ring::digest::Context),
    Sha512(sha2::Sha512),
}

impl Hasher {
    /// Creates a hasher that has seen nothing.
    pub fn new(algorithm: Algorithm) -> Self {
        let state = match algorithm {
            Algorithm::Sha256 if has_sha_instructions() => State::Sha256(sha2::Sha256::new()),
            Algorithm::Sha256 => {
                State::Sha256Assembly(ring::digest::Context::new(&ring::digest::SHA256))
            }
            Algorithm::Sha512 => State::Sha512(sha2::Sha512::new()),
        };
        Self { state, size: 0 }
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        match &mut self.state {
            State::Sha256(state) => state.update(bytes),
            State::Sha256Assembly(state) => state.update(bytes),
            State::Sha512(state) => state.update(bytes),
        }
    }

    /// Returns how many bytes there were so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns the digest of what there was so far.
    pub fn finish(self) -> Digest {
        match self.state {
            State::Sha256(state) => Digest(Value::Sha256(state.finalize().into())),
            State::Sha256Assembly(state) => {
                let mut value = [0; 32];
                let computed = state.finish();
                for (byte, from) in value.iter_mut().zip(computed.as_ref()) {
                    *byte = *from;
                }
                Digest(Value::Sha256(value))
            }
            State::Sha512(state) => Digest(Value::Sha512(state.finalize().into())),
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn has_sha_instructions() -> bool {
    std::is_x86_feature_detected!("sha")
}

#[cfg(not(target_arch = "x86_64"))]
fn has_sha_instructions() -> bool {
    true
}

impl Default for Hasher {
    fn default() -> Self {
        Self::new(Algorithm::Sha256)
    }
}

/// Passes bytes on to a writer, and hashes and counts them.
pub struct DigestWriter<W> {
    inner: W,
    hash: BackgroundHash,
}

impl<W: Write> DigestWriter<W> {
    /// Wraps `inner` with SHA-256.
    pub fn new(inner: W) -> Self {
        Self {
            inner,
            hash: BackgroundHash::new(),
        }
    }

    /// Returns how many bytes were written.
    pub fn size(&self) -> u64 {
        self.hash.size()
    }

    /// Returns the writer, whose bytes are hashed only when they come through here.
    pub(crate) fn inner(&self) -> &W {
        &self.inner
    }

    /// Returns the writer, the digest of what went through, and how many bytes that were.
    pub fn finish(self) -> (W, Digest, u64) {
        let size = self.hash.size();
        (self.inner, self.hash.finish(), size)
    }
}

impl<W: Write> Write for DigestWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or(bytes));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Reads bytes from a reader, and hashes and counts them.
pub struct DigestReader<R> {
    inner: R,
    hasher: Hasher,
}

impl<R: Read> DigestReader<R> {
    /// Wraps `inner` with SHA-256.
    pub fn new(inner: R) -> Self {
        Self::with_algorithm(inner, Algorithm::Sha256)
    }

    /// Wraps `inner` with the given algorithm.
    pub fn with_algorithm(inner: R, algorithm: Algorithm) -> Self {
        Self {
            inner,
            hasher: Hasher::new(algorithm),
        }
    }

    /// Returns how many bytes were read.
    pub fn size(&self) -> u64 {
        self.hasher.size()
    }

    /// Returns the reader, the digest of what went through, and how many bytes that were.
    pub fn finish(self) -> (R, Digest, u64) {
        let size = self.hasher.size();
        (self.inner, self.hasher.finish(), size)
    }
}

impl<R: Read> Read for DigestReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hasher.update(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn computes_sha256_of_bytes() {
        assert_eq!(Digest::of(b"").to_string(), EMPTY);
    }

    #[test]
    fn accepts_sha512() {
        let digest = Hasher::new(Algorithm::Sha512).finish();
        let text = digest.to_string();
        assert!(text.starts_with("sha512:cf83e1357eefb8bd"), "{text}");
        assert_eq!(text.parse::<Digest>().unwrap(), digest);
    }

    #[test]
    fn refuses_what_could_leave_the_folder() {
        let hex = &EMPTY[7..];
        let bad = [
            String::new(),
            "sha256".to_owned(),
            "sha256:".to_owned(),
            "sha256:../../../../etc/passwd".to_owned(),
            format!("sha256:{}", &hex[1..]),
            format!("sha256:{hex}0"),
            format!("sha256:{}", hex.to_uppercase()),
            format!("md5:{hex}"),
            format!("sha512:{hex}"),
            format!(" {EMPTY}"),
            format!("{EMPTY}\n"),
            format!("sha256:{}é", &hex[2..]),
        ];
        for text in bad {
            assert!(text.parse::<Digest>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn both_implementations_agree() {
        let bytes: Vec<u8> = (0..100_000_u32)
            .map(|n| (n.wrapping_mul(n) >> 7) as u8)
            .collect();
        let plain = State::Sha256(sha2::Sha256::new());
        let assembly = ring::digest::Context::new(&ring::digest::SHA256);
        let digests = [plain, State::Sha256Assembly(assembly)].map(|state| {
            let mut hasher = Hasher { state, size: 0 };
            bytes.chunks(999).for_each(|piece| hasher.update(piece));
            hasher.finish()
        });
        assert_eq!(digests[0], digests[1]);
    }

    #[test]
    fn hashes_what_passes_through() {
        let mut reader = DigestReader::new(&b"some bytes"[..]);
        let mut writer = DigestWriter::new(Vec::new());
        io::copy(&mut reader, &mut writer).unwrap();
        let (_, read, _) = reader.finish();
        let (bytes, written, size) = writer.finish();
        assert_eq!((read, written), (Digest::of(&bytes), Digest::of(&bytes)));
        assert_eq!(size, 10);
    }

    proptest! {
        #[test]
        fn text_and_value_agree(bytes in any::<[u8; 32]>()) {
            let digest = Digest::from_sha256(bytes);
            prop_assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,200}") {
            if let Ok(digest) = text.parse::<Digest>() {
                prop_assert_eq!(digest.to_string(), text);
            }
        }
    }
}
