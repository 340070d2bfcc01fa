//! What a build reads that is no image: the context, `--build-context`, and what ADD fetches.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use dockerfile_model::IgnoreFile;
use rustc_hash::FxHashMap;

use crate::context::Context;
use crate::error::{BuildError, Failure};
use crate::key::Key;
use crate::remotes::Remotes;
use crate::request::{ContextSource, Request};

/// A larger list of patterns is none.
const MOST_IGNORE_BYTES: u64 = 64 << 20;

/// All folders, each opened once.
pub(crate) struct Contexts {
    main: ContextSource,
    ignore_file: Option<(String, String)>,
    stat_caches: PathBuf,
    open: Mutex<FxHashMap<PathBuf, Arc<Context>>>,
    /// What is not on this machine.
    pub(crate) remotes: Remotes,
    /// What was found out about selections of files, for whoever looks more than once.
    digests: Mutex<FxHashMap<String, Key>>,
}

impl Contexts {
    pub(crate) fn new(request: &Request) -> Contexts {
        Contexts {
            main: request.context.clone(),
            ignore_file: request.ignore_file.clone(),
            stat_caches: request.store.join("cache/contexts"),
            open: Mutex::default(),
            remotes: Remotes::default(),
            digests: Mutex::default(),
        }
    }

    /// Returns the context of the build.
    pub(crate) fn main(&self) -> Result<Arc<Context>, BuildError> {
        match &self.main {
            ContextSource::Directory(path) => self.open(path, self.ignore_file.as_ref()),
            ContextSource::Empty => Ok(Arc::new(Context::empty())),
        }
    }

    /// Returns a folder of `--build-context`; its own `.dockerignore` counts.
    pub(crate) fn of_folder(&self, path: &Path) -> Result<Arc<Context>, BuildError> {
        let ignore_file = read_ignore_file(path)?;
        self.open(path, ignore_file.as_ref())
    }

    fn open(
        &self,
        path: &Path,
        ignore: Option<&(String, String)>,
    ) -> Result<Arc<Context>, BuildError> {
        let mut open = self
            .open
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(context) = open.get(path) {
            return Ok(Arc::clone(context));
        }
        let rules = match ignore {
            Some((name, text)) => Some(IgnoreFile::parse(text).map_err(|error| {
                BuildError::new(
                    Failure::Source,
                    format!("{name}:{}: {error}", error.line + 1),
                )
            })?),
            None => None,
        };
        let context = Arc::new(Context::open(path, rules, &self.stat_caches)?);
        open.insert(path.to_owned(), Arc::clone(&context));
        Ok(context)
    }

    /// Returns the digest of files that was found out before, or finds it out: what was looked at once stays as it was then.
    pub(crate) fn digest(
        &self,
        selection: String,
        find: impl FnOnce() -> Result<Key, BuildError>,
    ) -> Result<Key, BuildError> {
        let known = |digests: &Mutex<FxHashMap<String, Key>>| {
            let digests = digests.lock();
            let digests = digests.unwrap_or_else(std::sync::PoisonError::into_inner);
            digests.get(&selection).copied()
        };
        if let Some(digest) = known(&self.digests) {
            return Ok(digest);
        }
        let digest = find()?;
        let digests = self.digests.lock();
        let mut digests = digests.unwrap_or_else(std::sync::PoisonError::into_inner);
        digests.insert(selection, digest);
        Ok(digest)
    }

    /// Keeps what was found out about files, for the next build.
    pub(crate) fn save(&self) {
        let open = self
            .open
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        for context in open.values() {
            // Without it the next build reads the files again.
            let _ = context.save();
        }
    }
}

/// Reads `.dockerignore` of a folder. A link must not make a file of the machine part of it (CVE-2022-4122), nor may a pipe block.
fn read_ignore_file(folder: &Path) -> Result<Option<(String, String)>, BuildError> {
    let path = folder.join(".dockerignore");
    if path.symlink_metadata().is_err() {
        return Ok(None);
    }
    let name = path.display().to_string();
    let failed = |why: &str| {
        let message = format!("cannot read `{name}`: {why}");
        BuildError::new(Failure::Source, message)
    };
    let real = |path: &Path| {
        path.canonicalize()
            .map_err(|error| failed(&error.to_string()))
    };
    let found = real(&path)?;
    if !found.starts_with(real(folder)?) {
        return Err(failed("it is a link that leads out of the context"));
    }
    if !found.is_file() {
        return Err(failed("it is not a file"));
    }
    let mut bytes = Vec::new();
    File::open(&found)
        .and_then(|file| file.take(MOST_IGNORE_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| failed(&error.to_string()))?;
    if bytes.len() as u64 > MOST_IGNORE_BYTES {
        return Err(failed("it is larger than 64 MiB"));
    }
    Ok(Some((name, String::from_utf8_lossy(&bytes).into_owned())))
}
