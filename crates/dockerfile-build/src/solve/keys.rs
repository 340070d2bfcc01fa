//! The keys of steps (moby/buildkit `solver/llbsolver/ops/{exec,file}.go`: what counts, and what does not).

use std::thread::Scope;

use super::{Chain, Solver, StepKey};
use crate::copy::{CopyError, FileSource, SelectOptions, content_digest};
use crate::error::{BuildError, Failure};
use crate::key::{Key, KeyMaker};
use crate::plan::{
    CopyOperation, CopySource, From, MountKind, Operation, OperationKind, RunMount, RunOperation,
};
use crate::remotes::without_password;
use crate::request::Clock;

/// Finds the digest of what a step takes from somewhere else; `None` when nobody knows it yet.
pub(super) trait Sources {
    fn digest(&mut self, from: &From, selection: &Selection) -> Result<Option<Key>, BuildError>;

    /// Returns what a source from elsewhere counts as.
    fn remote(
        &mut self,
        source: &CopySource,
        copy: &CopyOperation,
    ) -> Result<Option<Key>, BuildError>;
}

/// Which files are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Selection {
    pub(crate) paths: Vec<String>,
    pub(crate) exclude: Vec<String>,
    pub(crate) keeps_parents: bool,
}

impl Selection {
    pub(crate) fn of_copy(copy: &CopyOperation) -> Selection {
        let paths = copy.sources.iter().filter_map(|source| match source {
            CopySource::Path { path, .. } => Some(path.clone()),
            _ => None,
        });
        Selection {
            paths: paths.collect(),
            exclude: copy.exclude.clone(),
            keeps_parents: copy.keeps_parents,
        }
    }

    pub(crate) fn of_path(path: &str) -> Selection {
        Selection {
            paths: vec![path.to_owned()],
            exclude: Vec::new(),
            keeps_parents: false,
        }
    }

    /// Returns the digest of what is selected.
    pub(super) fn digest(&self, source: &dyn FileSource) -> Result<Key, CopyError> {
        let options = SelectOptions {
            exclude: self.exclude.clone(),
            keeps_parents: self.keeps_parents,
        };
        content_digest(source, &self.paths, &options).map(Key::from)
    }

    /// Returns the name of what is selected in a tree that has a key of its own.
    pub(super) fn key_in(&self, tree: Key) -> Key {
        let mut maker = KeyMaker::new("selection");
        maker.add(tree.bytes()).add(&[u8::from(self.keeps_parents)]);
        for list in [&self.paths, &self.exclude] {
            maker.add(&(list.len() as u64).to_le_bytes());
            for text in list {
                maker.add(text.as_bytes());
            }
        }
        maker.finish().0
    }
}

impl Solver<'_> {
    /// Returns the key of a step; what it takes from other stages is made when it has to be looked at.
    pub(super) fn step_key<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        chain: &Chain,
        operation: &Operation,
    ) -> Result<StepKey, BuildError> {
        let mut sources = super::contents::Making {
            solver: self,
            scope,
        };
        let found = operation_key(chain.key, operation, self.request.clock, &mut sources)?;
        found.ok_or_else(|| BuildError::new(Failure::System, "a step has no key"))
    }
}

/// Returns the key of a step, or `None` where it hangs on files that nobody knows yet.
pub(super) fn operation_key(
    before: Key,
    operation: &Operation,
    clock: Clock,
    sources: &mut dyn Sources,
) -> Result<Option<StepKey>, BuildError> {
    let maker = match &operation.kind {
        OperationKind::Run(run) => run_key(before, run, sources)?,
        OperationKind::Copy(copy) => copy_key(before, copy, sources)?.map(|mut maker| {
            maker.part("the time in the image", &clock_bytes(clock));
            maker
        }),
        OperationKind::MakeDirectory { path, user } => {
            let mut maker = KeyMaker::new("directory");
            maker
                .part("the step before", before.bytes())
                .part("the path", path.as_bytes())
                .part("the user", user.as_bytes())
                .part("the time in the image", &clock_bytes(clock));
            Some(maker)
        }
    };
    Ok(maker.map(|maker| {
        let (key, parts) = maker.finish();
        StepKey { key, parts }
    }))
}

/// Files that COPY makes have the time of the clock.
fn clock_bytes(clock: Clock) -> [u8; 9] {
    let mut bytes = [u8::from(clock.rewrites_layers); 9];
    if let Some(seconds) = bytes.get_mut(..8) {
        seconds.copy_from_slice(&clock.seconds.to_le_bytes());
    }
    bytes
}

fn run_key(
    before: Key,
    run: &RunOperation,
    sources: &mut dyn Sources,
) -> Result<Option<KeyMaker>, BuildError> {
    let mut maker = KeyMaker::new("run");
    maker.part("the step before", before.bytes());
    let mut words = Vec::new();
    for word in &run.words {
        words.extend_from_slice(&(word.len() as u64).to_le_bytes());
        words.extend_from_slice(word.as_bytes());
    }
    maker.part("the command", &words);
    if let Some((name, text)) = &run.script {
        maker.part(format!("the script `{name}`"), text.as_bytes());
    }
    for (name, value) in &run.environment {
        maker.part(format!("the variable `{name}`"), value.as_bytes());
    }
    maker
        .part("the folder", run.folder.as_bytes())
        .part("the user", run.user.as_bytes())
        .part("the network", &[run.network as u8])
        .part("the security", &[u8::from(run.is_insecure)]);
    for mount in &run.mounts {
        if !mount_key(&mut maker, mount, sources)? {
            return Ok(None);
        }
    }
    Ok(Some(maker))
}

/// Adds a mount; what a secret, an agent or a cache holds does not count.
fn mount_key(
    maker: &mut KeyMaker,
    mount: &RunMount,
    sources: &mut dyn Sources,
) -> Result<bool, BuildError> {
    maker.add(mount.target.as_bytes());
    match &mount.kind {
        MountKind::Bind {
            from,
            source,
            is_read_only,
        } => {
            maker.add(b"bind").add(&[u8::from(*is_read_only)]);
            let digest = sources
                .digest(from, &Selection::of_path(source))
                .map_err(|error| error.at(mount.range, ""))?;
            let Some(digest) = digest else {
                return Ok(false);
            };
            maker.part(
                format!("what is mounted at `{}`", mount.target),
                digest.bytes(),
            );
        }
        MountKind::Cache { is_read_only, .. } => {
            maker.add(b"cache").add(&[u8::from(*is_read_only)]);
        }
        MountKind::Tmpfs { size } => {
            maker.add(b"tmpfs").add(&size.unwrap_or(0).to_le_bytes());
        }
        MountKind::Secret { id, variable, .. } => {
            maker
                .add(b"secret")
                .add(id.as_bytes())
                .add(variable.as_deref().unwrap_or("").as_bytes());
        }
        MountKind::Ssh { id, .. } => {
            maker.add(b"ssh").add(id.as_bytes());
        }
    }
    Ok(true)
}

fn copy_key(
    before: Key,
    copy: &CopyOperation,
    sources: &mut dyn Sources,
) -> Result<Option<KeyMaker>, BuildError> {
    let mut maker = KeyMaker::new("copy");
    if copy.links {
        // What is linked does not look at what is below it.
        maker.add(b"link");
    } else {
        maker.part("the step before", before.bytes());
    }
    let text = |flag: &Option<(String, _)>| {
        flag.as_ref()
            .map_or(String::new(), |(text, _)| text.clone())
    };
    maker
        .part("the destination", copy.destination.as_bytes())
        .part("`--chown`", text(&copy.chown).as_bytes())
        .part("`--chmod`", text(&copy.chmod).as_bytes())
        .add(&[
            u8::from(copy.is_add),
            u8::from(copy.unpacks),
            u8::from(copy.unpacks_remote),
            u8::from(copy.keeps_git_folder),
        ]);
    let selection = Selection::of_copy(copy);
    if !selection.paths.is_empty() {
        let found = sources.digest(&copy.from, &selection);
        let Some(digest) = found.map_err(|error| at_source(error, copy, sources))? else {
            return Ok(None);
        };
        maker.part(named(&selection), digest.bytes());
        for path in &selection.paths {
            maker.add(base_name(path).as_bytes());
        }
    }
    for source in &copy.sources {
        match source {
            CopySource::Path { .. } => {}
            CopySource::Inline { name, content } => {
                maker.part(format!("the document `{name}`"), content.as_bytes());
            }
            CopySource::Url { url, .. } | CopySource::Git { url, .. } => {
                let Some(found) = sources.remote(source, copy)? else {
                    return Ok(None);
                };
                maker.part(format!("`{}`", without_password(url)), found.bytes());
            }
        }
    }
    Ok(Some(maker))
}

/// Says which source of a COPY a failure is about.
fn at_source(error: BuildError, copy: &CopyOperation, sources: &mut dyn Sources) -> BuildError {
    if error.failure != Failure::Source || error.place.is_some() {
        return error;
    }
    let mut fails = |path: &String| {
        let alone = Selection {
            paths: vec![path.clone()],
            ..Selection::of_copy(copy)
        };
        sources.digest(&copy.from, &alone).is_err()
    };
    let places: Vec<_> = copy
        .sources
        .iter()
        .filter_map(|source| match source {
            CopySource::Path { path, range } => Some((path, *range)),
            _ => None,
        })
        .collect();
    let found = match places.as_slice() {
        [only] => Some(only),
        several => several.iter().find(|(path, _)| fails(path)),
    };
    match found {
        Some((_, range)) => error.at(*range, ""),
        None => error,
    }
}

fn named(selection: &Selection) -> String {
    match selection.paths.as_slice() {
        [one] => format!("`{one}`"),
        [first, .., last] => format!("something of `{first}` to `{last}`"),
        [] => "nothing".to_owned(),
    }
}

/// A folder counts by what is in it; a file by its name as well.
fn base_name(path: &str) -> &str {
    path.trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or(path)
}
