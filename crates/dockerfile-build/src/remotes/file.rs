//! A file by URL: from the store, or from its server.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::sync::Arc;

use dockerfile_source::TextRange;
use oci_image::Digest;
use oci_image::store::Store;
use oci_registry::{Answer, Download, Downloads, RegistryError};

use super::{ATTEMPTS, Asking, failure};
use crate::cache::DownloadRecord;
use crate::error::{BuildError, Failure};
use crate::key::{Key, KeyMaker};
use crate::time::parse_http_date;

const BUFFER: usize = 128 << 10;

/// A file that is among the blobs of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FetchedFile {
    pub(crate) digest: Digest,
    /// Seconds since 1970: `Last-Modified`, or 0 without it.
    pub(crate) modified: i64,
}

impl FetchedFile {
    /// Opens the file.
    pub(crate) fn open(&self, store: &Store) -> io::Result<Arc<File>> {
        File::open(store.blob_path(&self.digest)).map(Arc::new)
    }
}

/// Returns a file, or `None` where it would have to be fetched and nobody waits for it.
pub(super) fn fetch(
    downloads: &Downloads,
    asking: Asking<'_>,
    url: &str,
    range: TextRange,
    checksum: Option<&(String, TextRange)>,
) -> Result<Option<FetchedFile>, BuildError> {
    let wanted = match checksum {
        Some((text, range)) => Some((parse_checksum(text, *range)?, *range)),
        None => None,
    };
    let record = asking.cache.download(record_key(url));
    let known = record.as_ref().and_then(|record| {
        let digest: Digest = record.digest.parse().ok()?;
        is_whole(asking.store, &digest).then_some((record, digest))
    });
    if let Some((record, digest)) = &known
        && wanted.is_some_and(|(wanted, _)| wanted == *digest)
    {
        // For `prune`, which begins with what was not used for long.
        let _ = asking.store.touch(digest);
        return Ok(Some(FetchedFile {
            digest: *digest,
            modified: record.modified,
        }));
    }
    let digest = known.as_ref().map(|(_, digest)| digest);
    // Another file than the last is wanted: its tag is of no use.
    let etag = known
        .as_ref()
        .filter(|_| wanted.is_none())
        .and_then(|(record, _)| record.etag.as_deref());
    if asking.step.is_none() && etag.is_none() {
        return Ok(None);
    }
    let mut attempt = 1;
    loop {
        let fault = |error: &RegistryError| failure::of_download(error, url, range, digest);
        let answer = downloads.open(url, etag, asking.is_cancelled);
        let download = match answer {
            Ok(Answer::NotModified) => {
                return Ok(known.as_ref().map(|(record, digest)| FetchedFile {
                    digest: *digest,
                    modified: record.modified,
                }));
            }
            _ if asking.step.is_none() => return Ok(None),
            Ok(Answer::File(download)) => download,
            Err(error) => return Err(fault(&error)),
        };
        match keep(asking, url, download, wanted) {
            Ok(file) => return Ok(Some(file)),
            Err(Broken::Failed(error)) => return Err(error),
            Err(Broken::Transfer(source)) => {
                let is_last = attempt >= ATTEMPTS || source.kind() == io::ErrorKind::FileTooLarge;
                if is_last || (asking.is_cancelled)() {
                    let url = url.to_owned();
                    return Err(fault(&RegistryError::Transfer { url, source }));
                }
                attempt += 1;
            }
        }
    }
}

enum Broken {
    /// It may work when it is tried again.
    Transfer(io::Error),
    Failed(BuildError),
}

/// Writes what comes into the store, and remembers it.
fn keep(
    asking: Asking<'_>,
    url: &str,
    mut download: Download,
    wanted: Option<(Digest, TextRange)>,
) -> Result<FetchedFile, Broken> {
    let system =
        |error: &dyn std::error::Error| BuildError::system("cannot keep what ADD fetches", error);
    let begun = asking.store.begin_blob();
    let mut blob = begun.map_err(|error| Broken::Failed(system(&error)))?;
    let (total, what) = (download.size.unwrap_or(0), super::file_name(url));
    let what = String::from_utf8_lossy(&what).into_owned();
    let mut buffer = vec![0; BUFFER];
    loop {
        if (asking.is_cancelled)() {
            let cancelled = BuildError::new(Failure::Cancelled, "the build was cancelled");
            return Err(Broken::Failed(cancelled));
        }
        let count = match download.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Broken::Transfer(error)),
        };
        let written = blob.write_all(buffer.get(..count).unwrap_or_default());
        written.map_err(|error| Broken::Failed(system(&error)))?;
        asking.progress(&what, blob.size(), total);
    }
    let committed = blob.commit(wanted.as_ref().map(|(digest, _)| digest));
    let (digest, _) = committed.map_err(|error| Broken::Failed(mismatch(&error, url, wanted)))?;
    let modified = download.last_modified.as_deref().and_then(parse_http_date);
    let record = DownloadRecord {
        etag: download.etag,
        digest: digest.to_string(),
        modified: modified.unwrap_or(0),
    };
    // Without it the next build fetches the file again.
    let _ = asking.cache.remember_download(record_key(url), &record);
    Ok(FetchedFile {
        digest,
        modified: record.modified,
    })
}

fn mismatch(
    error: &oci_image::Error,
    url: &str,
    wanted: Option<(Digest, TextRange)>,
) -> BuildError {
    match (error, wanted) {
        (oci_image::Error::DigestMismatch { actual, .. }, Some((_, range))) => {
            let message = format!(
                "`{}` is not the file that the checksum means",
                super::without_password(url)
            );
            BuildError::new(Failure::Source, message)
                .at(range, "another file")
                .help(format!("the file that came has `--checksum={actual}`"))
        }
        _ => BuildError::system("cannot keep what ADD fetches", error),
    }
}

/// Reads `--checksum` of a URL.
pub(crate) fn parse_checksum(text: &str, range: TextRange) -> Result<Digest, BuildError> {
    text.parse().map_err(|error: oci_image::Error| {
        BuildError::new(
            Failure::Dockerfile,
            format!("`{text}` is not a checksum: {error}"),
        )
        .at(range, "")
        .help("it is written `sha256:` and 64 hexadecimal digits")
    })
}

/// Returns whether a blob is there and has the bytes that its name says.
fn is_whole(store: &Store, digest: &Digest) -> bool {
    let Ok(mut blob) = store.open_blob(digest) else {
        return false;
    };
    io::copy(&mut blob, &mut io::sink()).is_ok()
}

fn record_key(url: &str) -> Key {
    let mut maker = KeyMaker::new("download");
    maker.add(url.as_bytes());
    maker.finish().0
}
