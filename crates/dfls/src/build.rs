//! The builder beneath: `dfbuild` as a child process.
//!
//! A build runs out of process: its steps need namespaces, which a process with threads cannot enter, and a build that dies must not take
//! the editor's server along. What it says comes as one JSON object a line (`--progress rawjson`, `docs/dfbuild.md`).

mod job;
mod outcome;
mod raw_event;
#[cfg(target_os = "linux")]
mod run;

use std::path::PathBuf;

use serde::Deserialize;
use tower_lsp::ls_types::{ProgressToken, Uri};

pub(crate) use self::job::Job;
#[cfg(target_os = "linux")]
pub(crate) use self::outcome::BuildResult;
pub(crate) use self::outcome::{BuildFailure, Built, BuiltStep};
#[cfg(target_os = "linux")]
pub(crate) use self::run::{Report, run};

const PROGRAM: &str = "dfbuild";

/// What is to be built: a stage, or all up to the instruction of a line.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BuildParams {
    pub(crate) uri: Uri,
    /// The name or number of a stage; the last one where nothing is said.
    #[serde(default)]
    pub(crate) target: Option<String>,
    /// Build to here: the instruction of this line (from 0) is the last one.
    #[serde(default)]
    pub(crate) line: Option<u32>,
    /// A folder that gets the files of the image.
    #[serde(default)]
    pub(crate) output: Option<PathBuf>,
    #[serde(default)]
    pub(crate) work_done_token: Option<ProgressToken>,
}

/// Returns the builder: the one that the user names, the one beside this program, or the first in PATH.
pub(crate) fn find_builder(wished: Option<&str>) -> Option<PathBuf> {
    if cfg!(not(target_os = "linux")) {
        return None;
    }
    if let Some(path) = wished.filter(|path| !path.is_empty()) {
        let path = PathBuf::from(path);
        return path.is_file().then_some(path);
    }
    let name = format!("{PROGRAM}{}", std::env::consts::EXE_SUFFIX);
    let beside = std::env::current_exe()
        .ok()
        .and_then(|program| Some(program.parent()?.join(&name)));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&path).map(|folder| folder.join(&name));
    beside
        .into_iter()
        .chain(in_path)
        .find(|path| path.is_file())
}
