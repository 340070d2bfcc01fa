//! Tar headers, byte for byte as Go's `archive/tar` writes them, which is what BuildKit's digests are made of.

use std::collections::BTreeMap;

use super::entry::CAPABILITY;
use super::{Entry, Kind, LayerError, Timestamp};

pub(super) const BLOCK: usize = 512;
pub(super) const WHITEOUT_PREFIX: &[u8] = b".wh.";
pub(super) const OPAQUE_NAME: &[u8] = b".wh..wh..opq";
pub(super) const PAX_XATTR: &str = "SCHILY.xattr.";

const NAME: usize = 100;
const PREFIX: usize = 155;
/// `maxSpecialFileSize` of Go: what its reader takes for a PAX record block.
const MAX_RECORDS: usize = 1 << 20;

/// What one header says. Also the raw side of whiteouts, which are empty files for tar.
struct Fields<'a> {
    name: &'a [u8],
    link: &'a [u8],
    kind: u8,
    mode: u32,
    uid: u32,
    gid: u32,
    size: u64,
    modified: i64,
    device: (u32, u32),
}

/// Returns the header blocks of an entry: a PAX block before where needed, the header, and for an opaque directory the
/// marker behind it.
pub(super) fn headers(entry: &Entry) -> Result<Vec<u8>, LayerError> {
    let name = tar_name(entry);
    let mut fields = Fields {
        name: &name,
        link: &[],
        kind: b'0',
        mode: entry.mode & 0o7777,
        uid: entry.uid,
        gid: entry.gid,
        size: 0,
        modified: rounded(entry.modified),
        device: (0, 0),
    };
    match &entry.kind {
        Kind::File { size } => fields.size = *size,
        Kind::Directory { .. } => fields.kind = b'5',
        Kind::Symlink { target } => (fields.kind, fields.link) = (b'2', target),
        Kind::HardLink { target } => (fields.kind, fields.link) = (b'1', target.as_bytes()),
        Kind::Fifo => fields.kind = b'6',
        Kind::CharDevice { major, minor } => {
            (fields.kind, fields.device) = (b'3', (*major, *minor));
        }
        Kind::BlockDevice { major, minor } => {
            (fields.kind, fields.device) = (b'4', (*major, *minor));
        }
        Kind::Whiteout => (fields.mode, fields.uid, fields.gid, fields.modified) = (0, 0, 0, 0),
    }
    if fields.link.contains(&0) {
        return Err(unwritable(entry, "NUL in the target of a link"));
    }
    let mut out = Vec::with_capacity(BLOCK);
    put(&mut out, &fields, entry.capability()).map_err(|problem| unwritable(entry, problem))?;
    if entry.kind == (Kind::Directory { is_opaque: true }) {
        let marker = [name.as_slice(), OPAQUE_NAME].concat();
        let marker = Fields {
            name: &marker,
            link: &[],
            kind: b'0',
            mode: 0,
            uid: 0,
            gid: 0,
            modified: 0,
            ..fields
        };
        put(&mut out, &marker, None).map_err(|problem| unwritable(entry, problem))?;
    }
    Ok(out)
}

fn unwritable(entry: &Entry, problem: &'static str) -> LayerError {
    LayerError::Unwritable {
        path: entry.path.clone(),
        problem,
    }
}

/// Returns the name in the archive: directories with a slash, whiteouts with their prefix; the root is `./`.
fn tar_name(entry: &Entry) -> Vec<u8> {
    let path = entry.path.as_bytes();
    match entry.kind {
        Kind::Directory { .. } if path.is_empty() => b"./".to_vec(),
        Kind::Directory { .. } => [path, b"/"].concat(),
        Kind::Whiteout => {
            let directory = path.len() - entry.path.name().len();
            let (directory, name) = path.split_at(directory);
            [directory, WHITEOUT_PREFIX, name].concat()
        }
        _ => path.to_vec(),
    }
}

/// containerd truncates to the second before Go's writer would round (`archive/tar.go`).
fn rounded(modified: Timestamp) -> i64 {
    modified.seconds
}

fn put(
    out: &mut Vec<u8>,
    fields: &Fields<'_>,
    capability: Option<&[u8]>,
) -> Result<(), &'static str> {
    let mut records = BTreeMap::new();
    let mut needs_pax = false;
    let split = split_name(fields.name);
    if !is_plain(fields.name) || fields.name.len() > NAME {
        records.insert("path".to_owned(), fields.name.to_vec());
        needs_pax |= split.is_none();
    }
    if !is_plain(fields.link) || fields.link.len() > NAME {
        records.insert("linkpath".to_owned(), fields.link.to_vec());
        needs_pax = true;
    }
    let numbers = [
        ("uid", i128::from(fields.uid), 7),
        ("gid", i128::from(fields.gid), 7),
        ("size", i128::from(fields.size), 11),
        ("mtime", i128::from(fields.modified), 11),
    ];
    for (key, number, digits) in numbers {
        if !fits(number, digits) {
            records.insert(key.to_owned(), number.to_string().into_bytes());
            needs_pax = true;
        }
    }
    let (major, minor) = fields.device;
    if !fits(major.into(), 7) || !fits(minor.into(), 7) {
        return Err("the device numbers are too large");
    }
    if let Some(value) = capability {
        records.insert(
            format!("{PAX_XATTR}{}", String::from_utf8_lossy(CAPABILITY)),
            value.to_vec(),
        );
        needs_pax = true;
    }
    if needs_pax {
        put_records(out, fields.name, &records)?;
        put_header(out, fields, &[], &ascii(fields.name), &ascii(fields.link));
    } else {
        let (prefix, name) = split.unwrap_or((&[], fields.name));
        put_header(out, fields, prefix, name, fields.link);
    }
    Ok(())
}

/// `writePAXHeader` and `writeRawFile` of Go's writer.go.
fn put_records(
    out: &mut Vec<u8>,
    name: &[u8],
    records: &BTreeMap<String, Vec<u8>>,
) -> Result<(), &'static str> {
    let mut data = Vec::new();
    for (key, value) in records {
        put_record(&mut data, key, value);
    }
    if data.len() > MAX_RECORDS {
        return Err("its PAX records are too long");
    }
    let slash = name
        .iter()
        .rposition(|&byte| byte == b'/')
        .map_or(0, |at| at + 1);
    let (directory, file) = name.split_at(slash);
    let mut record_name = directory.to_vec();
    record_name.extend_from_slice(b"PaxHeaders.0");
    if !file.is_empty() {
        record_name.push(b'/');
        record_name.extend_from_slice(file);
    }
    let mut record_name = ascii(clean_join(&record_name));
    record_name.truncate(NAME);
    while record_name.last() == Some(&b'/') {
        record_name.pop();
    }
    let mut block = [0; BLOCK];
    put_text(&mut block, 0, NAME, &record_name);
    for (at, width, number) in [
        (100, 8, 0),
        (108, 8, 0),
        (116, 8, 0),
        (124, 12, data.len() as i128),
        (136, 12, 0),
    ] {
        put_octal(&mut block, at, width, number);
    }
    put_text(&mut block, 156, 1, b"x");
    seal(&mut block);
    out.extend_from_slice(&block);
    out.extend_from_slice(&data);
    out.resize(out.len().next_multiple_of(BLOCK), 0);
    Ok(())
}

/// `path.Join` of Go drops a leading `./`.
fn clean_join(name: &[u8]) -> &[u8] {
    name.strip_prefix(b"./").unwrap_or(name)
}

/// Writes `LENGTH KEY=VALUE\n`, where LENGTH counts itself.
fn put_record(data: &mut Vec<u8>, key: &str, value: &[u8]) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + decimal_digits(rest);
    if length != rest + decimal_digits(length) {
        length = rest + decimal_digits(length);
    }
    data.extend_from_slice(length.to_string().as_bytes());
    data.push(b' ');
    data.extend_from_slice(key.as_bytes());
    data.push(b'=');
    data.extend_from_slice(value);
    data.push(b'\n');
}

const fn decimal_digits(number: usize) -> usize {
    match number.checked_ilog10() {
        Some(digits) => digits as usize + 1,
        None => 1,
    }
}

fn put_header(out: &mut Vec<u8>, fields: &Fields<'_>, prefix: &[u8], name: &[u8], link: &[u8]) {
    let mut block = [0; BLOCK];
    put_text(&mut block, 0, NAME, name);
    let numbers = [
        (100, 8, i128::from(fields.mode)),
        (108, 8, i128::from(fields.uid)),
        (116, 8, i128::from(fields.gid)),
        (124, 12, i128::from(fields.size)),
        (136, 12, i128::from(fields.modified)),
        (329, 8, i128::from(fields.device.0)),
        (337, 8, i128::from(fields.device.1)),
    ];
    for (at, width, number) in numbers {
        put_octal(&mut block, at, width, number);
    }
    put_text(&mut block, 156, 1, &[fields.kind]);
    put_text(&mut block, 157, NAME, link);
    put_text(&mut block, 345, PREFIX, prefix);
    seal(&mut block);
    out.extend_from_slice(&block);
}

/// `formatString` of Go: a cut name does not end with a slash, old readers would see a directory.
fn put_text(block: &mut [u8; BLOCK], at: usize, width: usize, text: &[u8]) {
    let Some(field) = block.get_mut(at..at + width) else {
        return;
    };
    for (to, from) in field.iter_mut().zip(text) {
        *to = *from;
    }
    if text.len() > width && field.last() == Some(&b'/') {
        let kept = field
            .iter()
            .rposition(|&byte| byte != b'/')
            .map_or(0, |last| last + 1);
        if let Some(first) = field.get_mut(kept) {
            *first = 0;
        }
    }
}

/// `formatOctal` of Go: leading zeros and a NUL; what does not fit is zero, its value is in a PAX record.
fn put_octal(block: &mut [u8; BLOCK], at: usize, width: usize, number: i128) {
    let digits = width - 1;
    let number = if fits(number, digits) { number } else { 0 };
    put_text(block, at, width, format!("{number:0digits$o}").as_bytes());
}

/// Writes the magic and the checksum.
fn seal(block: &mut [u8; BLOCK]) {
    put_text(block, 257, 8, b"ustar\x0000");
    put_text(block, 148, 8, b"        ");
    let sum: i128 = block.iter().map(|&byte| i128::from(byte)).sum();
    put_octal(block, 148, 7, sum);
    put_text(block, 154, 2, b"\0 ");
}

const fn fits(number: i128, digits: usize) -> bool {
    number >= 0 && number < 1 << (digits * 3)
}

fn is_plain(text: &[u8]) -> bool {
    text.is_ascii() && !text.contains(&0)
}

fn ascii(text: &[u8]) -> Vec<u8> {
    text.iter()
        .copied()
        .filter(|byte| byte.is_ascii() && *byte != 0)
        .collect()
}

/// `splitUSTARPath` of Go.
fn split_name(name: &[u8]) -> Option<(&[u8], &[u8])> {
    if name.len() <= NAME || !is_plain(name) {
        return None;
    }
    let end = if name.len() > PREFIX + 1 {
        PREFIX + 1
    } else {
        name.len() - usize::from(name.ends_with(b"/"))
    };
    let slash = name.get(..end)?.iter().rposition(|&byte| byte == b'/')?;
    let (prefix, rest) = (name.get(..slash)?, name.get(slash + 1..)?);
    let is_fine =
        !prefix.is_empty() && prefix.len() <= PREFIX && !rest.is_empty() && rest.len() <= NAME;
    is_fine.then_some((prefix, rest))
}

#[cfg(test)]
mod tests {
    use super::super::LayerPath;
    use super::*;

    fn file(name: &[u8]) -> Entry {
        Entry::file(
            LayerPath::parse(name).unwrap(),
            0,
            0o644,
            Timestamp::seconds(1),
        )
    }

    #[test]
    fn splits_a_long_name_without_pax() {
        let name = [b"d".repeat(90).as_slice(), b"/", &b"f".repeat(90)].concat();
        let blocks = headers(&file(&name)).unwrap();
        assert_eq!(blocks.len(), BLOCK);
        assert_eq!(&blocks[345..435], b"d".repeat(90));
        assert_eq!(&blocks[..90], b"f".repeat(90));
    }

    #[test]
    fn writes_pax_for_a_name_that_cannot_be_split() {
        let blocks = headers(&file(&b"f".repeat(101))).unwrap();
        assert_eq!(blocks.len(), 3 * BLOCK);
        assert_eq!(&blocks[..13], b"PaxHeaders.0/");
        assert!(blocks[BLOCK..].starts_with(b"111 path=fff"));
    }

    #[test]
    fn drops_other_letters_from_the_old_name_field() {
        let blocks = headers(&file("é/ü".as_bytes())).unwrap();
        assert!(blocks[BLOCK..].starts_with("14 path=é/ü\n".as_bytes()));
        assert_eq!(&blocks[2 * BLOCK..2 * BLOCK + 2], b"/\0");
    }

    #[test]
    fn record_length_counts_its_own_digits() {
        for (value, start) in [
            (0, "5 a="),
            (4, "9 a=bbbb"),
            (5, "11 a="),
            (93, "99 a="),
            (94, "101 a="),
        ] {
            let mut data = Vec::new();
            put_record(&mut data, "a", &b"b".repeat(value));
            let text = String::from_utf8(data).unwrap();
            assert!(text.starts_with(start), "{text}");
            assert_eq!(
                text.split(' ').next().unwrap().parse::<usize>().unwrap(),
                text.len()
            );
        }
    }

    #[test]
    fn writes_time_before_1970_as_pax() {
        let entry = Entry {
            modified: Timestamp::seconds(-5),
            ..file(b"f")
        };
        assert!(headers(&entry).unwrap()[BLOCK..].starts_with(b"12 mtime=-5\n"));
    }
}
