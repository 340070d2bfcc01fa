//! The digests of files that did not change since they were read.
//!
//! One flat file for each context: a head, records sorted by path, and a checksum. A file that cannot be read or understood is
//! taken for missing; the worst that happens is that content is read again.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use oci_image::layer::LayerPath;

use super::Stamp;

const MAGIC: &[u8; 8] = b"dfstats1";
const CHECKSUM: usize = 32;
/// A file that was written to this short before it was read may change again without another time (git's "racily clean"): the
/// clock of files goes on by up to 10 ms at once, that of file systems without fractions of seconds by up to 2 s (FAT).
const TRUST_AFTER_NANOSECONDS: i128 = 100_000_000;
const TRUST_COARSE_AFTER_NANOSECONDS: i128 = 2_000_000_000;
/// More is no context any more.
const MAX_FILE: u64 = 1 << 30;
/// The numbers and the digest of a record.
const NUMBERS: usize = 8 + 8 + 12 + 12 + 4;
const RECORD: usize = NUMBERS + 32;

/// Digests made by this build, by path.
type Fresh = BTreeMap<Vec<u8>, (Stamp, [u8; 32])>;

/// The digests of files that did not change since they were read.
#[derive(Debug)]
pub(super) struct StatCache {
    /// `None`: nothing is kept.
    place: Option<PathBuf>,
    bytes: Vec<u8>,
    // Invariant: where the records begin in `bytes`, ascending by path.
    records: Vec<u32>,
    fresh: Mutex<Fresh>,
}

impl StatCache {
    /// Reads the cache of a context directory.
    pub(super) fn load(context: &Path, cache_directory: &Path) -> StatCache {
        let Ok(context) = fs::canonicalize(context) else {
            return StatCache::none();
        };
        let name = blake3::hash(context.as_os_str().as_encoded_bytes());
        let place = cache_directory.join(name.to_hex().get(..32).unwrap_or_default());
        let bytes = read_file(&place).unwrap_or_default();
        let records = records_of(&bytes);
        let bytes = if records.is_empty() {
            Vec::new()
        } else {
            bytes
        };
        StatCache {
            place: Some(place),
            bytes,
            records,
            fresh: Mutex::default(),
        }
    }

    pub(super) fn none() -> StatCache {
        StatCache {
            place: None,
            bytes: Vec::new(),
            records: Vec::new(),
            fresh: Mutex::default(),
        }
    }

    /// Returns the digest of a file that is still the same.
    pub(super) fn get(&self, path: &LayerPath, stamp: &Stamp) -> Option<[u8; 32]> {
        if let Some((old, digest)) = self
            .fresh
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(path.as_bytes())
        {
            return (old == stamp).then_some(*digest);
        }
        let search = |place: &u32| {
            record_at(&self.bytes, *place)
                .map_or(&[][..], |record| record.path)
                .cmp(path.as_bytes())
        };
        let place = *self
            .records
            .get(self.records.binary_search_by(search).ok()?)?;
        let record = record_at(&self.bytes, place)?;
        (record.stamp() == Some(*stamp)).then(|| record.digest())?
    }

    /// Adds a digest of what was read from a moment on, unless the file was too young then to be trusted.
    pub(super) fn add(&self, path: &LayerPath, stamp: Stamp, digest: [u8; 32], begun: SystemTime) {
        if self.place.is_none() || is_young(&stamp, begun) {
            return;
        }
        let mut fresh = self.fresh.lock().unwrap_or_else(PoisonError::into_inner);
        fresh.insert(path.as_bytes().to_vec(), (stamp, digest));
    }

    /// Writes the cache if there is something new.
    pub(super) fn save(&self) -> io::Result<()> {
        let Some(place) = &self.place else {
            return Ok(());
        };
        let fresh = self.fresh.lock().unwrap_or_else(PoisonError::into_inner);
        if fresh.is_empty() {
            return Ok(());
        }
        let directory = place.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(directory)?;
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.write_all(&self.merged(&fresh))?;
        file.persist(place).map_err(|error| error.error)?;
        Ok(())
    }

    fn merged(&self, fresh: &Fresh) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        let mut fresh = fresh.iter().peekable();
        let mut put = |path: &[u8], stamp: &Stamp, digest: [u8; 32]| {
            put_record(&mut out, path, stamp, digest);
        };
        for record in self
            .records
            .iter()
            .filter_map(|place| record_at(&self.bytes, *place))
        {
            while let Some((path, (stamp, digest))) =
                fresh.next_if(|(path, _)| path.as_slice() < record.path)
            {
                put(path, stamp, *digest);
            }
            if let (Some(stamp), Some(digest)) = (record.stamp(), record.digest())
                && fresh
                    .peek()
                    .is_none_or(|(path, _)| path.as_slice() != record.path)
            {
                put(record.path, &stamp, digest);
            }
        }
        for (path, (stamp, digest)) in fresh {
            put(path, stamp, *digest);
        }
        let sum = blake3::hash(&out);
        out.extend_from_slice(sum.as_bytes());
        out
    }
}

fn is_young(stamp: &Stamp, now: SystemTime) -> bool {
    let now = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |time| time.as_nanos().cast_signed());
    let (seconds, nanoseconds) = stamp.modified.max(stamp.changed);
    let touched = i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds);
    let is_coarse = stamp.modified.1 == 0 || stamp.changed.1 == 0;
    let least = if is_coarse {
        TRUST_COARSE_AFTER_NANOSECONDS
    } else {
        TRUST_AFTER_NANOSECONDS
    };
    now - touched < least
}

fn read_file(place: &Path) -> Option<Vec<u8>> {
    let is_fine = fs::metadata(place).is_ok_and(|found| found.is_file() && found.len() <= MAX_FILE);
    let mut bytes = is_fine.then(|| fs::read(place).ok())??;
    let end = bytes.len().checked_sub(CHECKSUM)?;
    let (body, sum) = bytes.split_at_checked(end)?;
    if !body.starts_with(MAGIC) || blake3::hash(body).as_bytes() != sum {
        return None;
    }
    bytes.truncate(end);
    Some(bytes)
}

/// Returns where the records begin; none if they are not in order.
fn records_of(bytes: &[u8]) -> Vec<u32> {
    let mut records = Vec::with_capacity(bytes.len() / (RECORD + 32));
    let mut place = MAGIC.len();
    let mut previous: Option<&[u8]> = None;
    while place < bytes.len() {
        let start = u32::try_from(place).ok();
        let found = start.and_then(|start| Some((start, record_at(bytes, start)?)));
        let Some((start, record)) =
            found.filter(|(_, record)| previous.is_none_or(|previous| previous < record.path))
        else {
            return Vec::new();
        };
        records.push(start);
        previous = Some(record.path);
        place += 2 + record.path.len() + RECORD;
    }
    records
}

/// The bytes of one record: a length, the path, the numbers, the digest.
struct Record<'a> {
    path: &'a [u8],
    rest: &'a [u8],
}

fn record_at(bytes: &[u8], place: u32) -> Option<Record<'_>> {
    let rest = bytes.get(place as usize..)?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let (path, rest) = rest.split_at_checked(u16::from_le_bytes(*length).into())?;
    Some(Record {
        path,
        rest: rest.get(..RECORD)?,
    })
}

impl Record<'_> {
    fn stamp(&self) -> Option<Stamp> {
        let mut rest = self.rest;
        Some(Stamp {
            inode: u64::from_le_bytes(take(&mut rest)?),
            size: u64::from_le_bytes(take(&mut rest)?),
            modified: (
                i64::from_le_bytes(take(&mut rest)?),
                u32::from_le_bytes(take(&mut rest)?),
            ),
            changed: (
                i64::from_le_bytes(take(&mut rest)?),
                u32::from_le_bytes(take(&mut rest)?),
            ),
            mode: u32::from_le_bytes(take(&mut rest)?),
        })
    }

    fn digest(&self) -> Option<[u8; 32]> {
        self.rest.last_chunk::<32>().copied()
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, behind) = rest.split_first_chunk::<N>()?;
    *rest = behind;
    Some(*first)
}

fn put_record(out: &mut Vec<u8>, path: &[u8], stamp: &Stamp, digest: [u8; 32]) {
    let Ok(length) = u16::try_from(path.len()) else {
        return;
    };
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(path);
    out.extend_from_slice(&stamp.inode.to_le_bytes());
    out.extend_from_slice(&stamp.size.to_le_bytes());
    for (seconds, nanoseconds) in [stamp.modified, stamp.changed] {
        out.extend_from_slice(&seconds.to_le_bytes());
        out.extend_from_slice(&nanoseconds.to_le_bytes());
    }
    out.extend_from_slice(&stamp.mode.to_le_bytes());
    out.extend_from_slice(&digest);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> LayerPath {
        LayerPath::parse(text.as_bytes()).unwrap()
    }

    fn stamp(inode: u64) -> Stamp {
        Stamp {
            inode,
            size: 7,
            modified: (1_000_000_000, 5),
            changed: (1_000_000_001, 6),
            mode: 0o100_644,
        }
    }

    #[test]
    fn remembers_digests_until_something_changes() {
        let (context, store) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let cache = StatCache::load(context.path(), store.path());
        cache.add(&path("b"), stamp(1), [1; 32], SystemTime::now());
        cache.add(&path("a/c"), stamp(2), [2; 32], SystemTime::now());
        cache.save().unwrap();
        let cache = StatCache::load(context.path(), store.path());
        assert_eq!(cache.get(&path("b"), &stamp(1)), Some([1; 32]));
        assert_eq!(cache.get(&path("a/c"), &stamp(2)), Some([2; 32]));
        assert_eq!(cache.get(&path("a/c"), &stamp(3)), None);
        cache.add(&path("a/c"), stamp(3), [3; 32], SystemTime::now());
        cache.save().unwrap();
        let cache = StatCache::load(context.path(), store.path());
        assert_eq!(cache.get(&path("b"), &stamp(1)), Some([1; 32]));
        assert_eq!(cache.get(&path("a/c"), &stamp(3)), Some([3; 32]));
    }

    #[test]
    fn does_not_trust_a_file_that_was_just_written() {
        let (context, store) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let cache = StatCache::load(context.path(), store.path());
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let touched = |seconds, nanoseconds| Stamp {
            modified: (now.cast_signed() - seconds, nanoseconds),
            ..stamp(1)
        };
        let is_trusted = |stamp| {
            cache.add(&path("b"), stamp, [1; 32], SystemTime::now());
            cache.get(&path("b"), &stamp).is_some()
        };
        assert!(!is_trusted(touched(0, 0)));
        assert!(!is_trusted(touched(1, 0)), "a clock of whole seconds");
        assert!(!is_trusted(touched(-1, 5)), "a time to come");
        assert!(is_trusted(touched(2, 5)));
    }

    #[test]
    fn takes_a_damaged_file_for_missing() {
        let (context, store) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let cache = StatCache::load(context.path(), store.path());
        cache.add(&path("b"), stamp(1), [1; 32], SystemTime::now());
        cache.save().unwrap();
        let file = fs::read_dir(store.path())
            .unwrap()
            .next()
            .unwrap()
            .unwrap()
            .path();
        let mut bytes = fs::read(&file).unwrap();
        bytes[20] ^= 1;
        fs::write(&file, bytes).unwrap();
        let cache = StatCache::load(context.path(), store.path());
        assert_eq!(cache.get(&path("b"), &stamp(1)), None);
    }
}
