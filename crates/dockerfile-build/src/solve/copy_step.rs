//! COPY, ADD and WORKDIR: entries of a layer, without a disk in between.

use std::io::BufWriter;
use std::sync::Arc;
use std::thread::Scope;

use oci_image::layer::{LayerWriter, Limits, Merged, Timestamp};

use super::keys::Selection;
use super::{Chain, Solver};
use crate::cache::StepRecord;
use crate::copy::{CopyRequest, CopySource, FileMode, FileSource, SelectOptions, Upper, copy};
use crate::error::{BuildError, Failure, told};
use crate::event::StepId;
use crate::files::ChainFiles;
use crate::key::Key;
use crate::layers::Layer;
use crate::plan::{self, CopyOperation, From, Operation};
use crate::remotes::{Checkout, FetchedFile, file_name};

/// The mode of a file that comes from a URL (BuildKit `source/http`, `save`).
const FETCHED_FILE: u32 = 0o600;

/// What a source from elsewhere is, once it is here.
enum Fetched {
    /// The source is none from elsewhere.
    Nothing,
    File(FetchedFile),
    Checkout(Box<Checkout>),
}

impl Solver<'_> {
    pub(super) fn copy_step<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        chain: &Chain,
        operation: &Operation,
        request: &CopyOperation,
        step: StepId,
    ) -> Result<Arc<Layer>, BuildError> {
        let fetched = request
            .sources
            .iter()
            .map(|source| self.fetched(source, request, step))
            .collect::<Result<Vec<_>, _>>()?;
        let (chain_files, source);
        let files: &dyn FileSource = match &request.from {
            From::Stage(stage) => {
                let other = self.stage(scope, *stage)?;
                source = ChainFiles::new(self, &other)?;
                &source
            }
            From::Context => {
                chain_files = self.contexts.main()?;
                chain_files.as_ref()
            }
            From::Directory(path) => {
                chain_files = self.contexts.of_folder(path)?;
                chain_files.as_ref()
            }
        };
        let lower = ChainFiles::new(self, chain)?;
        let chown = match &request.chown {
            Some((spec, range)) => Some(
                lower
                    .chown_ids(spec)
                    .map_err(|error| error.at(*range, ""))?,
            ),
            None => None,
        };
        let chmod = match &request.chmod {
            Some((mode, range)) => Some(
                FileMode::parse(mode).map_err(|error| BuildError::from(error).at(*range, ""))?,
            ),
            None => None,
        };
        let empty = Merged::new(Vec::new());
        let (merged, lower_files): (&Merged, Option<&dyn FileSource>) = if request.links {
            (&empty, None)
        } else {
            (&lower.merged, Some(&lower))
        };
        let mut upper = Upper::new(merged, lower_files, self.now());
        for (from, fetched) in request.sources.iter().zip(&fetched) {
            let (sources, range) = self.sources(from, fetched, files, request)?;
            let one = CopyRequest {
                sources,
                destination: request.destination.clone().into_bytes(),
                chown,
                chmod: chmod.clone(),
                options: SelectOptions {
                    exclude: request.exclude.clone(),
                    keeps_parents: request.keeps_parents,
                },
                temporary: self.store.temporary_folder(),
                limits: Limits::default(),
            };
            copy(&mut upper, &one).map_err(|error| {
                BuildError::from(error).at(range.unwrap_or(operation.range), "")
            })?;
        }
        self.keep_changes(upper)
    }

    /// Gets what a source names elsewhere.
    fn fetched(
        &self,
        source: &plan::CopySource,
        request: &CopyOperation,
        step: StepId,
    ) -> Result<Fetched, BuildError> {
        let (remotes, asking) = (&self.contexts.remotes, self.asking(Some(step)));
        Ok(match source {
            plan::CopySource::Path { .. } | plan::CopySource::Inline { .. } => Fetched::Nothing,
            plan::CopySource::Url { url, range } => {
                let file = remotes.file(asking, url, *range, request)?;
                file.map_or(Fetched::Nothing, Fetched::File)
            }
            plan::CopySource::Git { url, range } => {
                Fetched::Checkout(Box::new(remotes.checkout(asking, url, *range, request)?))
            }
        })
    }

    fn sources<'f>(
        &self,
        from: &plan::CopySource,
        fetched: &'f Fetched,
        files: &'f dyn FileSource,
        request: &CopyOperation,
    ) -> Result<(Vec<CopySource<'f>>, Option<dockerfile_source::TextRange>), BuildError> {
        Ok(match from {
            plan::CopySource::Path { path, range } => {
                let source = CopySource::Files {
                    source: files,
                    path: path.clone(),
                    unpacks: request.unpacks,
                };
                (vec![source], Some(*range))
            }
            plan::CopySource::Inline { name, content } => {
                let source = CopySource::Inline {
                    name: name.clone().into_bytes(),
                    content: content.clone().into_bytes().into(),
                };
                (vec![source], None)
            }
            plan::CopySource::Url { url, range } | plan::CopySource::Git { url, range } => {
                (self.remote_source(url, fetched, request)?, Some(*range))
            }
        })
    }

    fn remote_source<'f>(
        &self,
        url: &str,
        fetched: &'f Fetched,
        request: &CopyOperation,
    ) -> Result<Vec<CopySource<'f>>, BuildError> {
        let source = match fetched {
            Fetched::Nothing => return Ok(Vec::new()),
            Fetched::File(file) => CopySource::Disk {
                name: file_name(url),
                file: file
                    .open(self.store)
                    .map_err(|error| BuildError::system("cannot open what ADD fetched", &error))?,
                mode: FETCHED_FILE,
                modified: Timestamp::seconds(file.modified),
                unpacks: request.unpacks_remote,
            },
            Fetched::Checkout(checkout) => CopySource::Files {
                source: &checkout.context,
                path: checkout.path.clone(),
                unpacks: false,
            },
        };
        Ok(vec![source])
    }

    pub(super) fn directory_step(
        &self,
        chain: &Chain,
        operation: &Operation,
        path: &str,
        user: &str,
    ) -> Result<Arc<Layer>, BuildError> {
        let lower = ChainFiles::new(self, chain)?;
        let owner = match user {
            "" => (0, 0),
            user => {
                let account = lower.run_user(user)?;
                (account.uid, account.gid)
            }
        };
        let mut upper = Upper::new(&lower.merged, Some(&lower), self.now());
        let failed = |error| BuildError::from(error).at(operation.range, "");
        let target = upper.resolve(path.as_bytes()).map_err(failed)?;
        upper.mkdir_all(&target, owner, 0o755).map_err(failed)?;
        self.keep_changes(upper)
    }

    /// Returns the time of what is made now.
    fn now(&self) -> Timestamp {
        let clock = self.request.clock;
        if clock.rewrites_layers {
            return Timestamp::seconds(clock.seconds);
        }
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Timestamp::seconds(now.map_or(clock.seconds, |now| {
            i64::try_from(now.as_secs()).unwrap_or(i64::MAX)
        }))
    }

    fn keep_changes(&self, upper: Upper<'_>) -> Result<Arc<Layer>, BuildError> {
        let fault = |error: &dyn std::error::Error| {
            BuildError::new(
                Failure::System,
                format!("cannot write a layer: {}", told(error)),
            )
        };
        let changes = upper.changes(self.clamp())?;
        let blob = self.store.begin_blob().map_err(|error| fault(&error))?;
        let writer = LayerWriter::new(BufWriter::with_capacity(1 << 18, blob));
        let (buffer, listing) = changes.write(writer)?;
        let blob = buffer.into_inner().map_err(|error| fault(error.error()))?;
        let (diff_id, _) = blob.commit(None).map_err(|error| fault(&error))?;
        self.layers
            .add_tar(diff_id, listing.with_lowered_times_marked(self.clamp()))
            .map_err(|error| fault(&error))
    }

    /// Returns a layer that has a folder of the user, and nothing else.
    pub(super) fn folder_layer(
        &self,
        from: &From,
        source: &str,
        key: Key,
    ) -> Result<Arc<Layer>, BuildError> {
        if let Some((_, layer)) = self.known(key) {
            return Ok(layer);
        }
        let context = match from {
            From::Directory(path) => self.contexts.of_folder(path)?,
            From::Context | From::Stage(_) => self.contexts.main()?,
        };
        self.files_layer(context.as_ref(), source, "/", key)
    }

    /// Returns a layer with what a mount shows: a folder's content in `/folder/`, a single file in `/file/`.
    pub(super) fn folder_layer_of<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        from: &From,
        source: &str,
        key: Key,
    ) -> Result<Arc<Layer>, BuildError> {
        let (context, chain_files);
        let files: &dyn FileSource = match from {
            From::Stage(stage) => {
                let other = self.stage(scope, *stage)?;
                chain_files = ChainFiles::new(self, &other)?;
                &chain_files
            }
            From::Context => {
                context = self.contexts.main()?;
                context.as_ref()
            }
            From::Directory(path) => {
                context = self.contexts.of_folder(path)?;
                context.as_ref()
            }
        };
        let found = crate::copy::resolve(files, source.as_bytes())?;
        let is_folder = found.is_none_or(|found| found.entry.kind.is_directory());
        let destination = if is_folder { "/folder/" } else { "/file/" };
        self.files_layer(files, source, destination, key)
    }

    fn files_layer(
        &self,
        files: &dyn FileSource,
        source: &str,
        destination: &str,
        key: Key,
    ) -> Result<Arc<Layer>, BuildError> {
        let empty = Merged::new(Vec::new());
        let mut upper = Upper::new(&empty, None, self.now());
        let selection = Selection::of_path(source);
        let request = CopyRequest {
            sources: selection
                .paths
                .into_iter()
                .map(|path| CopySource::Files {
                    source: files,
                    path,
                    unpacks: false,
                })
                .collect(),
            destination: destination.as_bytes().to_vec(),
            chown: None,
            chmod: None,
            options: SelectOptions::default(),
            temporary: self.store.temporary_folder(),
            limits: Limits::default(),
        };
        copy(&mut upper, &request)?;
        let layer = self.keep_changes(upper)?;
        let record = StepRecord {
            layer: layer.id.clone(),
            size: layer.listing()?.content_bytes(),
            microseconds: 0,
        };
        let remembered = self.cache.remember_step(key, &record);
        remembered.map_err(|error| BuildError::system("cannot write to the cache", &error))?;
        Ok(layer)
    }
}
