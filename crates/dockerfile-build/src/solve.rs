//! The plan, done: every step is looked up by its key, and made where nobody has made it before.
//!
//! Stages are solved when somebody asks for them, each once, each in a thread of its own. What a step takes from another stage counts
//! by content: where the content is known from an earlier build, the other stage is not even looked at.

mod agent_socket;
mod base;
mod chain;
mod contents;
mod copy_step;
mod explain;
mod keys;
mod mounts;
mod peek;
mod run_step;
mod stack;
mod steps;

use std::sync::OnceLock;
use std::thread::Scope;
use std::time::Instant;

use oci_image::store::Store;

use crate::bases::Images;
use crate::cache::{Cache, LastTime, StepRecord};
use crate::contexts::Contexts;
use crate::error::{BuildError, Failure};
use crate::event::{Event, Observer, StepId, StepState};
use crate::key::{Key, Part};
use crate::layers::{LayerId, Layers, require_namespace};
use crate::plan::{Base, Operation, OperationKind, Plan};
use crate::remotes::asks_somebody;
use crate::request::Request;
use crate::runner::Runner;

pub(crate) use chain::{Chain, LayerRef};
pub(crate) use peek::{Outlook, Peek};
pub(crate) use run_step::groups_of;
pub(crate) use steps::Steps;

/// What all stages share.
pub(crate) struct Solver<'s> {
    pub(crate) plan: &'s Plan,
    pub(crate) request: &'s Request,
    pub(crate) store: &'s Store,
    pub(crate) layers: &'s Layers,
    pub(crate) cache: &'s Cache,
    pub(crate) images: &'s Images<'s>,
    pub(crate) contexts: &'s Contexts,
    pub(crate) runner: &'s Runner,
    pub(crate) steps: &'s Steps,
    pub(crate) observer: &'s dyn Observer,
    pub(crate) is_cancelled: &'s (dyn Fn() -> bool + Sync),
    /// What failed first: all that runs beside it is only cancelled.
    failure: OnceLock<BuildError>,
    merged: stack::MergedLayers,
    solved: Vec<OnceLock<Result<Chain, BuildError>>>,
}

/// The key of a step and what it is made of.
pub(crate) struct StepKey {
    pub(crate) key: Key,
    pub(crate) parts: Vec<Part>,
}

impl<'s> Solver<'s> {
    #[expect(
        clippy::too_many_arguments,
        reason = "it is the one place where all of them meet"
    )]
    pub(crate) fn new(
        plan: &'s Plan,
        request: &'s Request,
        store: &'s Store,
        layers: &'s Layers,
        cache: &'s Cache,
        images: &'s Images<'s>,
        contexts: &'s Contexts,
        runner: &'s Runner,
        steps: &'s Steps,
        observer: &'s dyn Observer,
        is_cancelled: &'s (dyn Fn() -> bool + Sync),
    ) -> Solver<'s> {
        Solver {
            plan,
            request,
            store,
            layers,
            cache,
            images,
            contexts,
            runner,
            steps,
            observer,
            is_cancelled,
            failure: OnceLock::new(),
            merged: stack::MergedLayers::default(),
            solved: plan.stages.iter().map(|_| OnceLock::new()).collect(),
        }
    }

    /// Returns whether there is no point in going on.
    pub(crate) fn is_over(&self) -> bool {
        self.failure.get().is_some() || (self.is_cancelled)()
    }

    /// Solves the target.
    pub(crate) fn solve(&'s self) -> Result<Chain, BuildError> {
        let solved = std::thread::scope(|scope| self.stage(scope, self.plan.target));
        solved.map_err(|error| match (error.failure, self.failure.get()) {
            // The target may stand on a stage that was cancelled because another one failed.
            (Failure::Cancelled, Some(failure)) => failure.clone(),
            _ => error,
        })
    }

    /// Returns the files of a stage; the first who asks makes them.
    pub(crate) fn stage<'scope>(
        &'s self,
        scope: &'scope Scope<'scope, '_>,
        index: usize,
    ) -> Result<Chain, BuildError>
    where
        's: 'scope,
    {
        // From the bottom up, so that a long line of stages does not become a deep recursion.
        for below in self.line_of_bases(index) {
            let Some(slot) = self.solved.get(below) else {
                return Err(BuildError::new(Failure::System, "a stage got lost"));
            };
            let result = slot.get_or_init(|| {
                let result = self.solve_stage(scope, below);
                if let Err(error) = &result
                    && error.failure != Failure::Cancelled
                {
                    // The first one counts.
                    let _ = self.failure.set(error.clone());
                }
                result
            });
            if below == index || result.is_err() {
                return result.clone();
            }
        }
        Err(BuildError::new(Failure::System, "a stage got lost"))
    }

    /// Returns a stage and the stages it stands on, the lowest first.
    fn line_of_bases(&self, index: usize) -> Vec<usize> {
        let mut line = vec![index];
        let mut at = index;
        while let Some(Base::Stage(parent)) = self.plan.stages.get(at).map(|stage| &stage.base) {
            line.push(*parent);
            at = *parent;
        }
        line.reverse();
        line
    }

    fn solve_stage<'scope>(
        &'s self,
        scope: &'scope Scope<'scope, '_>,
        index: usize,
    ) -> Result<Chain, BuildError>
    where
        's: 'scope,
    {
        let Some(stage) = self.plan.stages.get(index) else {
            return Err(BuildError::new(Failure::System, "a stage got lost"));
        };
        self.start_sources(scope, index);
        let mut chain = self.base(scope, index)?;
        for (number, operation) in stage.operations.iter().enumerate() {
            let step = self.steps.of_operation(index, number);
            self.step(scope, &mut chain, operation, step, stage.ignores_cache)?;
        }
        Ok(chain)
    }

    /// Starts the stages whose files this one will have to look at, all at once.
    fn start_sources<'scope>(&'s self, scope: &'scope Scope<'scope, '_>, index: usize)
    where
        's: 'scope,
    {
        let mut peek = Peek::new(self);
        for source in peek.unknown_sources(index) {
            let is_solved = self
                .solved
                .get(source)
                .is_some_and(|slot| slot.get().is_some());
            if !is_solved {
                scope.spawn(move || {
                    // Whoever needs it asks again, and gets the answer or the failure.
                    let _ = self.stage(scope, source);
                });
            }
        }
    }

    /// Does one step, or finds that it has been done.
    fn step<'scope>(
        &'s self,
        scope: &'scope Scope<'scope, '_>,
        chain: &mut Chain,
        operation: &Operation,
        step: StepId,
        ignores_cache: bool,
    ) -> Result<(), BuildError>
    where
        's: 'scope,
    {
        let start = Instant::now();
        let started = |solver: &Solver<'_>| {
            solver.observer.event(Event::Started {
                step,
                name: operation.title.clone(),
                range: operation.range,
            });
        };
        let cancelled = || BuildError::new(Failure::Cancelled, "the build was cancelled");
        if self.is_over() {
            return Err(cancelled());
        }
        // Whoever asks elsewhere may have to wait, and that is to be seen.
        let remote = match &operation.kind {
            OperationKind::Copy(copy) if asks_somebody(copy) => Some(copy),
            _ => None,
        };
        if let Some(copy) = remote {
            started(self);
            self.ask_remotes(copy, step).inspect_err(|error| {
                let state = StepState::Failed(error.message.clone());
                self.finished(step, state, start, None, None);
            })?;
        }
        let found = self
            .step_key(scope, chain, operation)
            .map_err(|error| error.at(operation.range, ""))?;
        let slot = self.steps.slot(step);
        if !ignores_cache && let Some((record, layer)) = self.known(found.key) {
            if remote.is_none() {
                started(self);
            }
            self.remember(slot, &found, Some(&record));
            chain.push(found.key, LayerRef::Made(layer));
            self.finished(step, StepState::Cached, start, Some(record.size), None);
            return Ok(());
        }
        self.require_rights(chain, operation)?;
        let reason = self.reason(slot, &found, ignores_cache);
        if remote.is_none() {
            started(self);
        }
        let made = match &operation.kind {
            OperationKind::Run(run) => self.run_step(scope, chain, operation, run, step, found.key),
            OperationKind::Copy(copy) => self.copy_step(scope, chain, operation, copy, step),
            OperationKind::MakeDirectory { path, user } => {
                self.directory_step(chain, operation, path, user)
            }
        };
        match made {
            Ok(layer) => {
                let size = layer.listing()?.content_bytes();
                let record = StepRecord {
                    layer: layer.id.clone(),
                    size,
                    microseconds: u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX),
                };
                let remembered = self.cache.remember_step(found.key, &record);
                remembered
                    .map_err(|error| BuildError::system("cannot write to the cache", &error))?;
                let reason = self.with_files(reason, slot, operation, &layer);
                if let Some(before) = self.cache.last_time(slot).and_then(|last| last.record) {
                    // Without it the layer is unpacked as a whole.
                    let _ = layer.set_sibling(&before.layer);
                }
                self.remember(slot, &found, Some(&record));
                chain.push(found.key, LayerRef::Made(layer));
                self.finished(step, StepState::Done, start, Some(size), Some(reason));
                Ok(())
            }
            Err(error) => {
                let state = match error.failure {
                    Failure::Cancelled => StepState::Cancelled,
                    _ => StepState::Failed(error.message.clone()),
                };
                self.finished(step, state, start, None, Some(reason));
                Err(error.at(operation.range, ""))
            }
        }
    }

    /// Fails before anything is said about a step that this process may not do: another one, with more rights, tells it then.
    fn require_rights(&self, chain: &Chain, operation: &Operation) -> Result<(), BuildError> {
        let is_missing = |layer: &LayerRef| match layer {
            LayerRef::Base(base) => self.layers.find(&LayerId::of_tar(&base.diff_id)).is_none(),
            LayerRef::Made(_) => false,
        };
        let is_run = matches!(operation.kind, OperationKind::Run(_));
        if is_run || chain.layers.iter().any(is_missing) {
            require_namespace()?;
        }
        Ok(())
    }

    /// Returns the result that an earlier build left under a key.
    pub(crate) fn known(
        &self,
        key: Key,
    ) -> Option<(StepRecord, std::sync::Arc<crate::layers::Layer>)> {
        let record = self.cache.step(key)?;
        let layer = self.layers.find(&record.layer)?;
        Some((record, layer))
    }

    fn remember(&self, slot: Key, found: &StepKey, record: Option<&StepRecord>) {
        let last = LastTime {
            key: Some(found.key),
            parts: found.parts.clone(),
            record: record.cloned(),
        };
        if self.cache.last_time(slot).as_ref() != Some(&last) {
            // It is for explanations only.
            let _ = self.cache.remember_last_time(slot, &last);
        }
    }

    /// Says why a step has to run.
    pub(crate) fn reason(&self, slot: Key, found: &StepKey, ignores_cache: bool) -> String {
        if ignores_cache {
            return "the cache was not to be used".to_owned();
        }
        let Some(last) = self.cache.last_time(slot) else {
            return "it has never been built here".to_owned();
        };
        if last.key == Some(found.key) {
            return "its result is no longer in the store".to_owned();
        }
        let before = |name: &str| last.parts.iter().find(|part| part.name == name);
        let changed = found.parts.iter().find(|part| match before(&part.name) {
            Some(old) => old.digest != part.digest,
            None => true,
        });
        let gone = || {
            last.parts
                .iter()
                .find(|old| !found.parts.iter().any(|part| part.name == old.name))
        };
        match changed {
            Some(part) if before(&part.name).is_some() => format!("{} changed", part.name),
            Some(part) => format!("{} is new", part.name),
            None => gone().map_or_else(
                || "it changed".to_owned(),
                |part| format!("{} is gone", part.name),
            ),
        }
    }

    pub(crate) fn finished(
        &self,
        step: StepId,
        state: StepState,
        start: Instant,
        size: Option<u64>,
        reason: Option<String>,
    ) {
        self.observer.event(Event::Finished {
            step,
            state,
            duration: start.elapsed(),
            size,
            reason,
        });
    }
}
