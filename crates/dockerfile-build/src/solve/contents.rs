//! The digests of files that a step takes from a context or a stage.

use std::thread::Scope;

use super::keys::{Selection, Sources};
use super::{Peek, Solver};
use crate::error::{BuildError, Failure};
use crate::event::StepId;
use crate::files::ChainFiles;
use crate::key::Key;
use crate::plan::{CopyOperation, CopySource, From};
use crate::remotes::Asking;

/// Makes the stages that have to be looked at.
pub(super) struct Making<'a, 'scope, 'env> {
    pub(super) solver: &'scope Solver<'a>,
    pub(super) scope: &'scope Scope<'scope, 'env>,
}

impl Sources for Making<'_, '_, '_> {
    fn digest(&mut self, from: &From, selection: &Selection) -> Result<Option<Key>, BuildError> {
        let From::Stage(stage) = from else {
            return self.solver.context_digest(from, selection).map(Some);
        };
        if let Some(tree) = Peek::new(self.solver).stage_key(*stage)?
            && let Some(known) = self.solver.cache.content(selection.key_in(tree))
        {
            return Ok(Some(known));
        }
        let chain = self.solver.stage(self.scope, *stage)?;
        let files = ChainFiles::new(self.solver, &chain)?;
        let digest = selection.digest(&files)?;
        let remembered = self
            .solver
            .cache
            .remember_content(selection.key_in(chain.key), digest);
        remembered.map_err(|error| BuildError::system("cannot write to the cache", &error))?;
        Ok(Some(digest))
    }

    fn remote(
        &mut self,
        source: &CopySource,
        copy: &CopyOperation,
    ) -> Result<Option<Key>, BuildError> {
        let asking = self.solver.asking(None);
        let found = self.solver.contexts.remotes.key(asking, source, copy)?;
        let missing = || BuildError::new(Failure::Source, "what ADD names cannot be found");
        found.map(Some).ok_or_else(missing)
    }
}

impl Solver<'_> {
    /// Returns what is needed to ask somebody elsewhere.
    pub(super) fn asking(&self, step: Option<StepId>) -> Asking<'_> {
        Asking {
            store: self.store,
            cache: self.cache,
            observer: self.observer,
            is_cancelled: self.is_cancelled,
            step,
        }
    }

    /// Finds out what the sources of a step are that come from elsewhere; keys find the answers there.
    pub(super) fn ask_remotes(&self, copy: &CopyOperation, step: StepId) -> Result<(), BuildError> {
        for source in &copy.sources {
            self.contexts
                .remotes
                .key(self.asking(Some(step)), source, copy)?;
        }
        Ok(())
    }

    /// Returns the digest of files of the user.
    pub(super) fn context_digest(
        &self,
        from: &From,
        selection: &Selection,
    ) -> Result<Key, BuildError> {
        let context = match from {
            From::Directory(path) => self.contexts.of_folder(path)?,
            From::Context | From::Stage(_) => self.contexts.main()?,
        };
        Ok(selection.digest(context.as_ref())?)
    }
}
