//! What runs commands, started when the first command has to run.

use std::sync::OnceLock;

use build_sandbox::{Executor, Sandbox, user_namespace};

use crate::error::{BuildError, Failure};

/// The executor of a build.
#[derive(Default)]
pub(crate) struct Runner {
    executor: OnceLock<Result<Box<dyn Executor>, BuildError>>,
}

impl Runner {
    /// Returns what runs commands, or says that this process may not.
    pub(crate) fn executor(&self) -> Result<&dyn Executor, BuildError> {
        let executor = self.executor.get_or_init(|| {
            if !user_namespace::is_privileged() {
                let message = "commands run in namespaces, which this process may not make";
                return Err(BuildError::new(Failure::NeedsNamespace, message));
            }
            Sandbox::start()
                .map(|sandbox| Box::new(sandbox) as Box<dyn Executor>)
                .map_err(|error| BuildError::system("cannot start the sandbox", &error))
        });
        match executor {
            Ok(executor) => Ok(executor.as_ref()),
            Err(error) => Err(error.clone()),
        }
    }
}
