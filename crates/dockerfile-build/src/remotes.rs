//! What ADD takes from elsewhere: files by URL, and git repositories (moby/buildkit `source/http`, `source/git`).
//!
//! A source counts by its content: a file by its digest, a repository by its commit. With `--checksum` both are known beforehand, and
//! nobody is asked. Without, the server is asked once in a build, and sends the file only when its tag (ETag) is another one than that
//! of the file which an earlier build has left in the store.

mod failure;
mod file;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use dockerfile_source::TextRange;
use oci_image::store::Store;
use oci_registry::{Downloads, Options, percent_decoded};
use rustc_hash::FxHashMap;

use crate::cache::Cache;
use crate::context::Context;
use crate::error::{BuildError, Failure};
use crate::event::{Event, Observer, Progress, StepId};
use crate::git::{GitUrl, clone, commit_of};
use crate::key::{Key, KeyMaker};
use crate::plan::{CopyOperation, CopySource};

pub(crate) use file::{FetchedFile, parse_checksum};

/// More than that is no file that belongs in an image.
const MOST_BYTES: u64 = 64 << 30;
/// How often a server is asked that does not answer.
const ATTEMPTS: u32 = 3;
/// How long a server may be silent.
const SILENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// What this build has learned about places elsewhere.
#[derive(Default)]
pub(crate) struct Remotes {
    downloads: OnceLock<Downloads>,
    /// By URL; whoever asks first finds out for all.
    files: Mutex<FxHashMap<String, Slot<FetchedFile>>>,
    commits: Mutex<FxHashMap<String, Slot<String>>>,
}

type Slot<T> = Arc<Mutex<Option<Result<T, BuildError>>>>;

/// Who asks, and with what.
#[derive(Clone, Copy)]
pub(crate) struct Asking<'a> {
    pub(crate) store: &'a Store,
    pub(crate) cache: &'a Cache,
    pub(crate) observer: &'a dyn Observer,
    pub(crate) is_cancelled: &'a (dyn Fn() -> bool + Sync),
    /// The step that waits for it; `None`: nobody waits, so nothing large is fetched.
    pub(crate) step: Option<StepId>,
}

impl Asking<'_> {
    fn progress(&self, what: &str, done: u64, total: u64) {
        if let Some(step) = self.step {
            self.observer.event(Event::Progress {
                step,
                what: what.to_owned(),
                progress: Progress { done, total },
            });
        }
    }
}

/// A repository on the disk, for as long as this lives.
pub(crate) struct Checkout {
    pub(crate) context: Context,
    /// What of it is copied.
    pub(crate) path: String,
    _folder: tempfile::TempDir,
}

/// Returns whether somebody elsewhere has to be asked before the key of a step is known.
pub(crate) fn asks_somebody(copy: &CopyOperation) -> bool {
    copy.sources.iter().any(|source| match source {
        CopySource::Url { .. } => copy.checksum.is_none(),
        CopySource::Git { url, .. } => {
            git_url(url, copy).is_ok_and(|url| url.whole_commit().is_none())
        }
        CopySource::Path { .. } | CopySource::Inline { .. } => false,
    })
}

impl Remotes {
    /// Returns what a source counts as, or `None` where that is not known and nobody waits for it.
    pub(crate) fn key(
        &self,
        asking: Asking<'_>,
        source: &CopySource,
        copy: &CopyOperation,
    ) -> Result<Option<Key>, BuildError> {
        let mut maker = KeyMaker::new("elsewhere");
        match source {
            CopySource::Path { .. } | CopySource::Inline { .. } => {}
            CopySource::Url { url, range } => {
                maker.add(&file_name(url));
                if let Some((checksum, _)) = &copy.checksum {
                    maker.add(checksum.to_ascii_lowercase().as_bytes());
                } else {
                    let Some(file) = self.file(asking, url, *range, copy)? else {
                        return Ok(None);
                    };
                    maker.add(file.digest.to_string().as_bytes());
                }
            }
            CopySource::Git { url, range } => {
                let url = git_url(url, copy).map_err(|error| failure::of_git(&error, *range))?;
                let Some(commit) = self.commit(asking, &url, *range)? else {
                    return Ok(None);
                };
                maker
                    .add(commit.as_bytes())
                    .add(url.folder().as_os_str().as_encoded_bytes())
                    .add(&[u8::from(keeps_git_folder(&url, copy))]);
            }
        }
        Ok(Some(maker.finish().0))
    }

    /// Returns a file; gets it where it is not in the store, if somebody waits for it.
    pub(crate) fn file(
        &self,
        asking: Asking<'_>,
        url: &str,
        range: TextRange,
        copy: &CopyOperation,
    ) -> Result<Option<FetchedFile>, BuildError> {
        let name = match &copy.checksum {
            Some((checksum, _)) => format!("{checksum} {url}"),
            None => url.to_owned(),
        };
        once(&self.files, &name, || {
            let downloads = self.downloads.get_or_init(|| {
                let options = Options {
                    attempts: ATTEMPTS,
                    timeout: SILENCE,
                    ..Options::default()
                };
                Downloads::new(&options, MOST_BYTES)
            });
            file::fetch(downloads, asking, url, range, copy.checksum.as_ref())
        })
    }

    fn commit(
        &self,
        asking: Asking<'_>,
        url: &GitUrl,
        range: TextRange,
    ) -> Result<Option<String>, BuildError> {
        once(&self.commits, &format!("{url:?}"), || {
            match commit_of(url) {
                Ok(commit) => Ok(Some(commit)),
                Err(_) if asking.step.is_none() => Ok(None),
                Err(error) => Err(failure::of_git(&error, range)),
            }
        })
    }

    /// Clones a repository at the commit that its key was made of.
    pub(crate) fn checkout(
        &self,
        asking: Asking<'_>,
        url: &str,
        range: TextRange,
        copy: &CopyOperation,
    ) -> Result<Checkout, BuildError> {
        let fault = |error| failure::of_git(&error, range);
        let url = git_url(url, copy).map_err(fault)?;
        let commit = self.commit(asking, &url, range)?.unwrap_or_default();
        let system = |error| BuildError::system("cannot make a folder for a clone", &error);
        let folder = tempfile::tempdir_in(asking.store.temporary_folder()).map_err(system)?;
        let cloned = clone(&url, folder.path(), keeps_git_folder(&url, copy)).map_err(fault)?;
        if cloned.commit != commit {
            let message = format!("{} changed while it was cloned", url.shown());
            return Err(BuildError::new(Failure::Source, message)
                .at(range, "")
                .help("build again"));
        }
        let context = Context::open_once(&folder.path().join("repository"))?;
        Ok(Checkout {
            context,
            path: format!("/{}", url.folder().display()),
            _folder: folder,
        })
    }
}

/// Finds something out, once for each name. What nobody waited for is asked again by those who do.
fn once<T: Clone>(
    slots: &Mutex<FxHashMap<String, Slot<T>>>,
    name: &str,
    find: impl FnOnce() -> Result<Option<T>, BuildError>,
) -> Result<Option<T>, BuildError> {
    let slot = {
        let mut slots = slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(name.to_owned()).or_default())
    };
    let mut known = slot.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = known.as_ref() {
        return known.clone().map(Some);
    }
    match find() {
        Ok(None) => Ok(None),
        Ok(Some(found)) => {
            *known = Some(Ok(found.clone()));
            Ok(Some(found))
        }
        Err(error) => {
            *known = Some(Err(error.clone()));
            Err(error)
        }
    }
}

fn git_url(text: &str, copy: &CopyOperation) -> Result<GitUrl, crate::git::GitError> {
    let mut url = GitUrl::parse(text)?.ok_or(crate::git::GitError::NoHost)?;
    if let Some((checksum, _)) = &copy.checksum {
        url.require_commit(checksum)?;
    }
    Ok(url)
}

fn keeps_git_folder(url: &GitUrl, copy: &CopyOperation) -> bool {
    copy.keeps_git_folder || url.keeps_git_folder() == Some(true)
}

/// Returns what a file is called that comes from a URL (`convert_copy.go`): the server's own idea of it does not count.
pub(crate) fn file_name(url: &str) -> Vec<u8> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let path = rest.split_once('/').map_or("", |(_, path)| path);
    let path = percent_decoded(path);
    let name = path
        .split(|&byte| byte == b'/')
        .rfind(|part| !part.is_empty());
    match name {
        None | Some(b"." | b"..") => b"__unnamed__".to_vec(),
        Some(name) => name.to_vec(),
    }
}

/// Returns a URL as it may be shown and kept: without a password (CVE-2023-26054; BuildKit `urlutil.RedactCredentials`).
pub(crate) fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
    match authority.rsplit_once('@') {
        Some((user, host)) if user.contains(':') || scheme.starts_with("http") => {
            let mask = if user.contains(':') {
                "xxxxx:xxxxx"
            } else {
                "xxxxx"
            };
            format!("{scheme}://{mask}@{host}{path}")
        }
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_the_url() {
        for (url, name) in [
            ("https://h/a/b.tar?x=/y#z", "b.tar"),
            ("https://h/a/b/", "b"),
            ("https://h", "__unnamed__"),
            ("https://h/", "__unnamed__"),
            ("https://h/a%20b", "a b"),
            ("https://h/x%2Fy", "y"),
            ("https://h/a/..", "__unnamed__"),
        ] {
            assert_eq!(file_name(url), name.as_bytes(), "{url}");
        }
    }

    #[test]
    fn passwords_are_masked() {
        for (url, shown) in [
            ("https://u:p@h/a@b", "https://xxxxx:xxxxx@h/a@b"),
            ("https://token@h/a", "https://xxxxx@h/a"),
            ("ssh://git@h/a", "ssh://git@h/a"),
            ("https://h/a@b", "https://h/a@b"),
            ("git@h:a", "git@h:a"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }
}
