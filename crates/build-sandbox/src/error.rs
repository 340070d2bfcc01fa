//! Why a command could not be run.

use std::io;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A command that could not be started, or a sandbox that could not be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// The command itself is at fault: it is not there, not a program, its folder is missing.
    #[error("{message}")]
    Command { message: String },
    /// The machine or the store is.
    #[error("{what}: {error}")]
    System { what: String, error: io::Error },
    /// A namespace of users cannot be had.
    #[error("{message}")]
    NoNamespace { message: String },
    #[error("the helper that runs commands is gone")]
    HelperGone,
}

impl SandboxError {
    pub(crate) fn system(what: &str, error: impl Into<io::Error>) -> SandboxError {
        SandboxError::System {
            what: what.to_owned(),
            error: error.into(),
        }
    }
}

/// A failure on the way from the helper to the command, as it travels back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Fault {
    /// What was being done.
    pub(crate) what: String,
    /// The number of the system's error; zero where there is none.
    pub(crate) code: i32,
    /// The author of the Dockerfile can do something about it.
    pub(crate) is_of_command: bool,
}

impl Fault {
    pub(crate) fn system(what: impl Into<String>, error: &io::Error) -> Fault {
        Fault {
            what: what.into(),
            code: error.raw_os_error().unwrap_or(0),
            is_of_command: false,
        }
    }

    pub(crate) fn of_command(what: impl Into<String>) -> Fault {
        Fault {
            what: what.into(),
            code: 0,
            is_of_command: true,
        }
    }
}

impl From<Fault> for SandboxError {
    fn from(fault: Fault) -> SandboxError {
        if fault.is_of_command {
            return SandboxError::Command {
                message: fault.what,
            };
        }
        SandboxError::System {
            what: fault.what,
            error: io::Error::from_raw_os_error(fault.code),
        }
    }
}
