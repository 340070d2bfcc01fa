//! What runs commands, started when the first command has to run.

use std::path::PathBuf;
use std::sync::OnceLock;

use build_sandbox::{Executor, RuntimeExecutor, Sandbox, user_namespace};

use crate::error::{BuildError, Failure};
use crate::request::CommandExecutor;

/// The executor of a build: the seam at which a test can put another.
pub(crate) struct Runner {
    kind: CommandExecutor,
    /// Where a runtime gets its bundles.
    folder: PathBuf,
    executor: OnceLock<Result<Box<dyn Executor>, BuildError>>,
    copies_layers: OnceLock<bool>,
}

impl Runner {
    pub(crate) fn new(kind: CommandExecutor, folder: PathBuf) -> Runner {
        Runner {
            kind,
            folder,
            executor: OnceLock::new(),
            copies_layers: OnceLock::new(),
        }
    }

    /// Returns what runs commands, or says that this process may not.
    pub(crate) fn executor(&self) -> Result<&dyn Executor, BuildError> {
        match self.executor.get_or_init(|| self.start()) {
            Ok(executor) => Ok(executor.as_ref()),
            Err(error) => Err(error.clone()),
        }
    }

    /// Returns whether layers cannot be stacked here, so that commands need a copy of all files.
    pub(crate) fn copies_layers(&self, is_wanted: bool, is_rootless: bool) -> bool {
        *self.copies_layers.get_or_init(|| {
            is_wanted || build_sandbox::overlay_works(&self.folder, is_rootless).is_err()
        })
    }

    fn start(&self) -> Result<Box<dyn Executor>, BuildError> {
        if !user_namespace::is_privileged() {
            let message = "commands run in namespaces, which this process may not make";
            return Err(BuildError::new(Failure::NeedsNamespace, message));
        }
        match &self.kind {
            CommandExecutor::Native => Sandbox::start()
                .map(|sandbox| Box::new(sandbox) as Box<dyn Executor>)
                .map_err(|error| BuildError::system("cannot start the sandbox", &error)),
            CommandExecutor::Runtime(program) => Ok(Box::new(RuntimeExecutor {
                program: program.clone(),
                directory: self.folder.clone(),
            })),
        }
    }
}
