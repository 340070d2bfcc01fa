//! The digests of files that a step takes from a context or a stage.

use std::thread::Scope;

use super::keys::{Selection, Sources};
use super::{Peek, Solver};
use crate::error::BuildError;
use crate::files::ChainFiles;
use crate::key::Key;
use crate::plan::From;

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
}

impl Solver<'_> {
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
