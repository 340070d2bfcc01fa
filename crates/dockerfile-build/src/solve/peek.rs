//! What would happen, found out without doing anything: the keys of steps as far as they are known.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::keys::{Selection, Sources, operation_key};
use super::{Solver, StepKey};
use crate::error::BuildError;
use crate::event::StepId;
use crate::key::Key;
use crate::layers::Layer;
use crate::plan::{Base, CopyOperation, CopySource, From, MountKind, Operation, OperationKind};
use crate::remotes::asks_somebody;

/// What is to be expected of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outlook {
    /// The result is there.
    Cached { size: u64, microseconds: u64 },
    /// It has to run, for this reason.
    Runs { reason: String },
    /// It hangs on the files of a stage that has to run first.
    Unknown { stage: usize },
}

/// Looks, and touches nothing.
pub(crate) struct Peek<'a, 's> {
    solver: &'a Solver<'s>,
    /// By stage: its last key, where it is known.
    keys: FxHashMap<usize, Option<Key>>,
}

impl<'a, 's> Peek<'a, 's> {
    pub(crate) fn new(solver: &'a Solver<'s>) -> Peek<'a, 's> {
        Peek {
            solver,
            keys: FxHashMap::default(),
        }
    }

    /// Returns the key of a finished stage, if it can be known without making anything.
    pub(crate) fn stage_key(&mut self, index: usize) -> Result<Option<Key>, BuildError> {
        // In the order of the plan every stage finds those that it needs.
        let mut open = vec![index];
        while let Some(stage) = open.last().copied() {
            if self.keys.contains_key(&stage) {
                open.pop();
                continue;
            }
            let missing: Vec<usize> = self
                .needs(stage)
                .into_iter()
                .filter(|other| *other < stage && !self.keys.contains_key(other))
                .collect();
            if missing.is_empty() {
                let key = self.finished_key(stage)?;
                self.keys.insert(stage, key);
                open.pop();
            } else {
                open.extend(missing);
            }
        }
        Ok(self.keys.get(&index).copied().flatten())
    }

    /// Returns all stages that a stage stands on or takes files from.
    fn needs(&self, index: usize) -> Vec<usize> {
        let Some(stage) = self.solver.plan.stages.get(index) else {
            return Vec::new();
        };
        let mut needs = Vec::new();
        if let Base::Stage(parent) = stage.base {
            needs.push(parent);
        }
        needs.extend(
            selections(&stage.operations)
                .into_iter()
                .map(|(stage, _)| stage),
        );
        needs
    }

    fn finished_key(&mut self, index: usize) -> Result<Option<Key>, BuildError> {
        let solver = self.solver;
        let Some(stage) = solver.plan.stages.get(index) else {
            return Ok(None);
        };
        let Some(mut key) = self.base_key(index)? else {
            return Ok(None);
        };
        for operation in &stage.operations {
            match operation_key(key, operation, solver.request.clock, self)? {
                Some(found) => key = found.key,
                None => return Ok(None),
            }
        }
        Ok(Some(key))
    }

    fn base_key(&mut self, index: usize) -> Result<Option<Key>, BuildError> {
        match self.solver.plan.stages.get(index).map(|stage| &stage.base) {
            Some(Base::Stage(parent)) => self.stage_key(*parent),
            _ => self.solver.base_key(index).map(Some),
        }
    }

    /// Returns the stages whose files have to be looked at before a stage can be finished.
    pub(crate) fn unknown_sources(&mut self, index: usize) -> Vec<usize> {
        let Some(stage) = self.solver.plan.stages.get(index) else {
            return Vec::new();
        };
        let mut unknown = Vec::new();
        for (source, selection) in selections(&stage.operations) {
            let is_known = matches!(self.digest(&From::Stage(source), &selection), Ok(Some(_)));
            if !is_known && !unknown.contains(&source) {
                unknown.push(source);
            }
        }
        unknown
    }

    /// Returns the layers of the steps of a stage that have results in the store, up to the first one that has none.
    pub(crate) fn layers(&mut self, index: usize) -> Result<Vec<(StepId, Arc<Layer>)>, BuildError> {
        let solver = self.solver;
        let Some(stage) = solver.plan.stages.get(index) else {
            return Ok(Vec::new());
        };
        let mut layers = Vec::new();
        let mut before = self.base_key(index)?;
        for (number, operation) in stage.operations.iter().enumerate() {
            let Some(last) = before else { break };
            let found = operation_key(last, operation, solver.request.clock, self)?;
            before = found.map(|found| found.key);
            let Some((_, layer)) = before.and_then(|key| solver.known(key)) else {
                break;
            };
            layers.push((solver.steps.of_operation(index, number), layer));
        }
        Ok(layers)
    }

    /// Returns what is to be expected of every step of a stage.
    pub(crate) fn outlooks(&mut self, index: usize) -> Result<Vec<(StepId, Outlook)>, BuildError> {
        let solver = self.solver;
        let Some(stage) = solver.plan.stages.get(index) else {
            return Ok(Vec::new());
        };
        let mut outlooks = Vec::new();
        let mut before = self.base_key(index)?;
        for (number, operation) in stage.operations.iter().enumerate() {
            let step = solver.steps.of_operation(index, number);
            let found = match before {
                Some(before) => operation_key(before, operation, solver.request.clock, self)?,
                None => None,
            };
            before = found.as_ref().map(|found| found.key);
            let outlook = match &found {
                Some(found) => self.outlook(step, operation, found, stage.ignores_cache),
                None if is_fetched_anew(&operation.kind) => Outlook::Runs {
                    reason: "what it adds has to be fetched".to_owned(),
                },
                None => Outlook::Unknown {
                    stage: self.blamed(index, &operation.kind),
                },
            };
            outlooks.push((step, outlook));
        }
        Ok(outlooks)
    }

    fn outlook(
        &self,
        step: StepId,
        operation: &Operation,
        found: &StepKey,
        ignores_cache: bool,
    ) -> Outlook {
        if !ignores_cache && let Some((record, _)) = self.solver.known(found.key) {
            return Outlook::Cached {
                size: record.size,
                microseconds: record.microseconds,
            };
        }
        let slot = self.solver.steps.slot(step);
        let reason = self.solver.reason(slot, found, ignores_cache);
        Outlook::Runs {
            reason: self.solver.with_foreseen_files(reason, slot, operation),
        }
    }

    /// Returns the first stage that a step hangs on and that has no files yet.
    fn blamed(&mut self, index: usize, kind: &OperationKind) -> usize {
        let sources = sources_of(kind);
        let unknown = sources.into_iter().find(|(stage, selection)| {
            !matches!(self.digest(&From::Stage(*stage), selection), Ok(Some(_)))
        });
        unknown.map_or(index, |(stage, _)| stage)
    }
}

impl Sources for Peek<'_, '_> {
    fn digest(&mut self, from: &From, selection: &Selection) -> Result<Option<Key>, BuildError> {
        let From::Stage(stage) = from else {
            let solver = self.solver;
            let name = format!("{from:?} {selection:?}");
            let find = || solver.context_digest(from, selection);
            return solver.contexts.digest(name, find).map(Some);
        };
        let Some(tree) = self.stage_key(*stage)? else {
            return Ok(None);
        };
        Ok(self.solver.cache.content(selection.key_in(tree)))
    }

    fn remote(
        &mut self,
        source: &CopySource,
        copy: &CopyOperation,
    ) -> Result<Option<Key>, BuildError> {
        let asking = self.solver.asking(None);
        self.solver.contexts.remotes.key(asking, source, copy)
    }
}

/// Returns whether only a fetch could tell what a step adds.
fn is_fetched_anew(kind: &OperationKind) -> bool {
    matches!(kind, OperationKind::Copy(copy) if asks_somebody(copy))
}

fn selections(operations: &[Operation]) -> Vec<(usize, Selection)> {
    operations
        .iter()
        .flat_map(|operation| sources_of(&operation.kind))
        .collect()
}

/// Returns the stages that a step takes files from, with what it takes.
fn sources_of(kind: &OperationKind) -> Vec<(usize, Selection)> {
    match kind {
        OperationKind::Copy(copy) => match copy.from {
            From::Stage(stage)
                if copy
                    .sources
                    .iter()
                    .any(|source| matches!(source, CopySource::Path { .. })) =>
            {
                vec![(stage, Selection::of_copy(copy))]
            }
            _ => Vec::new(),
        },
        OperationKind::Run(run) => run
            .mounts
            .iter()
            .filter_map(|mount| match &mount.kind {
                MountKind::Bind {
                    from: From::Stage(stage),
                    source,
                    ..
                } => Some((*stage, Selection::of_path(source))),
                _ => None,
            })
            .collect(),
        OperationKind::MakeDirectory { .. } => Vec::new(),
    }
}
