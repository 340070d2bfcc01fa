//! Reads a layer's tar, independently of the code under test.

use std::fmt::Write as _;
use std::io::Read;

use flate2::read::MultiGzDecoder;
use sha2::{Digest as _, Sha256};

use crate::escape::escaped;

pub(crate) struct Layer {
    pub(crate) entries: Vec<Entry>,
    /// `sha256:…` of the uncompressed tar.
    pub(crate) diff_id: String,
}

/// An entry of a tar.
#[derive(Clone)]
pub(crate) struct Entry {
    /// As in the tar: relative, directories with a trailing slash.
    pub(crate) name: Vec<u8>,
    /// `f`, `d`, `l`, `h`, `p`, `c`, `b`, or `?`.
    pub(crate) kind: char,
    pub(crate) mode: u32,
    pub(crate) uid: u64,
    pub(crate) gid: u64,
    pub(crate) size: u64,
    pub(crate) mtime: i64,
    pub(crate) link: Vec<u8>,
    /// Of a file the SHA-256, of a device `major:minor`, else empty.
    pub(crate) content: String,
    /// `name=value`, escaped and sorted.
    pub(crate) xattrs: Vec<String>,
}

/// Reads a blob of a known media type.
pub(crate) fn read_blob(blob: &[u8], media_type: &str) -> Result<Layer, String> {
    if media_type.ends_with("+gzip") || media_type.ends_with(".gzip") {
        read(MultiGzDecoder::new(blob))
    } else if media_type.ends_with("+zstd") {
        read(zstd::Decoder::new(blob).map_err(|e| e.to_string())?)
    } else {
        read(blob)
    }
}

/// Reads an uncompressed tar.
pub(crate) fn read(tar: impl Read) -> Result<Layer, String> {
    let mut hashing = Hashing {
        inner: tar,
        hash: Sha256::new(),
    };
    let mut archive = tar::Archive::new(&mut hashing);
    let mut entries = Vec::new();
    for entry in archive.entries().map_err(|e| e.to_string())? {
        let entry = entry.map_err(|e| format!("a bad tar entry: {e}"))?;
        entries.push(read_entry(entry)?);
    }
    // What follows the last entry belongs to the digest as well.
    std::io::copy(&mut hashing, &mut std::io::sink()).map_err(|e| e.to_string())?;
    let diff_id = format!("sha256:{}", hex(&hashing.hash.finalize()));
    Ok(Layer { entries, diff_id })
}

fn read_entry<R: Read>(mut entry: tar::Entry<'_, R>) -> Result<Entry, String> {
    let fault = |e: std::io::Error| format!("a bad tar header: {e}");
    let mut xattrs = Vec::new();
    let mut pax_time = None;
    if let Some(extensions) = entry.pax_extensions().map_err(fault)? {
        for extension in extensions {
            let extension = extension.map_err(fault)?;
            let key = extension.key_bytes();
            if let Some(name) = key.strip_prefix(b"SCHILY.xattr.") {
                let value = escaped(extension.value_bytes());
                xattrs.push(format!("{}={value}", escaped(name)));
            } else if key == b"mtime" {
                let text = String::from_utf8_lossy(extension.value_bytes()).into_owned();
                pax_time = text.split('.').next().and_then(|text| text.parse().ok());
            }
        }
    }
    xattrs.sort();
    let header = entry.header();
    let kind = match header.entry_type().as_byte() {
        b'0' | 0 => 'f',
        b'1' => 'h',
        b'2' => 'l',
        b'3' => 'c',
        b'4' => 'b',
        b'5' => 'd',
        b'6' => 'p',
        _ => '?',
    };
    let mode = header.mode().map_err(fault)? & 0o7777;
    let uid = header.uid().map_err(fault)?;
    let gid = header.gid().map_err(fault)?;
    let mtime = match pax_time {
        Some(time) => time,
        None => header.mtime().map_err(fault)?.cast_signed(),
    };
    let device = (kind == 'c' || kind == 'b').then(|| {
        let number = |number: std::io::Result<Option<u32>>| number.ok().flatten().unwrap_or(0);
        format!(
            "{}:{}",
            number(header.device_major()),
            number(header.device_minor())
        )
    });
    let name = entry.path_bytes().into_owned();
    let link = entry
        .link_name_bytes()
        .map(std::borrow::Cow::into_owned)
        .unwrap_or_default();
    let size = if kind == 'f' { entry.size() } else { 0 };
    let content = match (kind, device) {
        (_, Some(device)) => device,
        ('f', None) => {
            let mut hash = Sha256::new();
            let mut buffer = vec![0; 64 * 1024];
            loop {
                let count = entry.read(&mut buffer).map_err(fault)?;
                if count == 0 {
                    break hex(&hash.finalize());
                }
                hash.update(&buffer[..count]);
            }
        }
        _ => String::new(),
    };
    Ok(Entry {
        name,
        kind,
        mode,
        uid,
        gid,
        size,
        mtime,
        link,
        content,
        xattrs,
    })
}

/// Returns the rows of `expected.layers.tsv` for the layers after a base.
pub(crate) fn rows(layers: &[Layer]) -> Vec<String> {
    let mut rows = Vec::new();
    for (idx, layer) in layers.iter().enumerate() {
        let number = idx + 1;
        if layer.entries.is_empty() {
            rows.push(format!("{number}\t(empty)"));
        }
        for entry in &layer.entries {
            let link = if entry.kind == 'l' || entry.kind == 'h' {
                escaped(&entry.link)
            } else {
                "-".to_owned()
            };
            rows.push(format!(
                "{number}\t{}\t{}\t{}\t{link}",
                entry.kind,
                escaped(&entry.name),
                entry.mtime
            ));
        }
    }
    rows
}

struct Hashing<R> {
    inner: R,
    hash: Sha256,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hash.update(&buffer[..count]);
        Ok(count)
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
