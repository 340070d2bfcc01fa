//! What earlier builds found out, one small file an answer.
//!
//! A file is written whole and renamed into place, so that a build that dies leaves the old answer or the new one, and two builds at
//! once cannot mix theirs. An answer is a hint: what it names is looked for before it is used.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::key::{Key, Part};
use crate::layers::LayerId;

/// The result of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StepRecord {
    pub(crate) layer: LayerId,
    /// Bytes of all files, as a person would count them.
    pub(crate) size: u64,
    /// How long it took, in microseconds.
    pub(crate) microseconds: u64,
}

/// What the last build of a step saw: to say what changed since.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LastTime {
    pub(crate) key: Option<Key>,
    pub(crate) parts: Vec<Part>,
    pub(crate) record: Option<StepRecord>,
}

/// A file that ADD got by its URL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DownloadRecord {
    /// With it the server can say that nothing changed.
    pub(crate) etag: Option<String>,
    pub(crate) digest: String,
    /// Seconds since 1970.
    pub(crate) modified: i64,
}

/// The answers in a store.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    root: PathBuf,
}

impl Cache {
    pub(crate) fn new(store: &Path) -> Cache {
        Cache {
            root: store.join("cache"),
        }
    }

    pub(crate) fn step(&self, key: Key) -> Option<StepRecord> {
        self.read("steps", key)
    }

    pub(crate) fn remember_step(&self, key: Key, record: &StepRecord) -> io::Result<()> {
        self.write("steps", key, record)
    }

    /// Returns the digest of files that a finished stage has.
    pub(crate) fn content(&self, key: Key) -> Option<Key> {
        self.read("contents", key)
    }

    pub(crate) fn remember_content(&self, key: Key, digest: Key) -> io::Result<()> {
        self.write("contents", key, &digest)
    }

    /// Returns what came from a URL the last time.
    pub(crate) fn download(&self, key: Key) -> Option<DownloadRecord> {
        self.read("downloads", key)
    }

    pub(crate) fn remember_download(&self, key: Key, record: &DownloadRecord) -> io::Result<()> {
        self.write("downloads", key, record)
    }

    pub(crate) fn last_time(&self, slot: Key) -> Option<LastTime> {
        self.read("last", slot)
    }

    pub(crate) fn remember_last_time(&self, slot: Key, last: &LastTime) -> io::Result<()> {
        self.write("last", slot, last)
    }

    /// Deletes answers that lead to a layer that is gone, and all that are older than a limit.
    pub(crate) fn forget(
        &self,
        older_than: Option<Duration>,
        has_layer: &dyn Fn(&str) -> bool,
    ) -> io::Result<()> {
        let mut open = vec![self.root.clone()];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten() {
                let path = entry?.path();
                let found = path.symlink_metadata()?;
                if found.is_dir() {
                    open.push(path);
                    continue;
                }
                let age = found.modified()?.elapsed().unwrap_or_default();
                let is_old = older_than.is_some_and(|limit| age >= limit);
                let is_step = path.starts_with(self.root.join("steps"));
                let leads_nowhere = || {
                    let bytes = fs::read(&path).unwrap_or_default();
                    let record = postcard::from_bytes::<StepRecord>(&bytes);
                    record.map_or(true, |record| !has_layer(&record.layer.to_string()))
                };
                // A step that is in use has the age of its layer, not of its answer.
                if is_step && leads_nowhere() || !is_step && is_old {
                    fs::remove_file(&path)?;
                }
            }
        }
        Ok(())
    }

    fn path(&self, kind: &str, key: Key) -> PathBuf {
        let hex = key.hex();
        let (folder, name) = hex.split_at(2);
        self.root.join(kind).join(folder).join(name)
    }

    fn read<T: DeserializeOwned>(&self, kind: &str, key: Key) -> Option<T> {
        let bytes = fs::read(self.path(kind, key)).ok()?;
        postcard::from_bytes(&bytes).ok()
    }

    fn write<T: Serialize>(&self, kind: &str, key: Key, value: &T) -> io::Result<()> {
        let path = self.path(kind, key);
        let bytes = postcard::to_stdvec(value).map_err(io::Error::other)?;
        let Some(folder) = path.parent() else {
            return Ok(());
        };
        let temporary = match tempfile::NamedTempFile::new_in(folder) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(folder)?;
                tempfile::NamedTempFile::new_in(folder)?
            }
            Err(error) => return Err(error),
        };
        let mut temporary = temporary;
        temporary.write_all(&bytes)?;
        temporary.persist(&path).map_err(|error| error.error)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_and_survives_rubbish() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache::new(folder.path());
        let key = Key::from([7; 32]);
        assert_eq!(cache.step(key), None);
        let record = StepRecord {
            layer: LayerId::new("abc"),
            size: 3,
            microseconds: 9,
        };
        cache.remember_step(key, &record).expect("written");
        assert_eq!(cache.step(key), Some(record));
        fs::write(cache.path("steps", key), b"\xff\xff\xff\xff\xff\xff").expect("rubbish");
        assert_eq!(cache.step(key), None);
    }
}
