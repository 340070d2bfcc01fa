//! The builder beneath: `dfbuild` as a child process.
//!
//! What a build says comes as one JSON object a line (`--progress rawjson`). The session does not wait for it.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;
use tower_lsp::ls_types::Uri;

use crate::workspace::file_path;

const PROGRAM: &str = "dfbuild";

/// What is to be built.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BuildParams {
    pub(crate) uri: Uri,
    /// The name or number of a stage; the last one where nothing is said.
    #[serde(default)]
    pub(crate) target: Option<String>,
}

/// How a build ended.
#[derive(Clone, Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BuildResult {
    pub(crate) success: bool,
    /// The last lines that were printed.
    pub(crate) output: Vec<String>,
}

/// One line of progress.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Event {
    pub(crate) kind: String,
    pub(crate) step: String,
    pub(crate) message: String,
}

impl Default for Event {
    fn default() -> Event {
        Event {
            kind: "message".to_owned(),
            step: String::new(),
            message: String::new(),
        }
    }
}

/// Returns the builder: the one that the user names, the one beside this program, or the first in PATH.
pub(crate) fn find_builder(wished: Option<&str>) -> Option<PathBuf> {
    if let Some(path) = wished {
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

/// Runs a build and calls `on_event` for each line that it says. Dropping the future ends the child.
pub(crate) async fn run(
    program: &Path,
    params: &BuildParams,
    mut on_event: impl FnMut(&Event),
) -> std::io::Result<BuildResult> {
    let Some(dockerfile) = file_path(&params.uri) else {
        return Err(std::io::Error::other("only files can be built"));
    };
    let context = dockerfile.parent().unwrap_or(Path::new("."));
    let mut command = Command::new(program);
    command
        .args(["build", "--progress", "rawjson", "--file"])
        .arg(&dockerfile);
    if let Some(target) = &params.target {
        command.args(["--target", target]);
    }
    command
        .arg(context)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn()?;
    let mut output = Vec::new();
    if let Some(stderr) = child.stderr.take() {
        let mut lines = BufReader::new(stderr).lines();
        while let Some(line) = lines.next_line().await? {
            let event = serde_json::from_str::<Event>(&line).unwrap_or_else(|_| Event {
                message: line,
                ..Event::default()
            });
            on_event(&event);
            if output.len() == MOST_LINES {
                output.remove(0);
            }
            output.push(event.message);
        }
    }
    let status = child.wait().await?;
    Ok(BuildResult {
        success: status.success(),
        output,
    })
}

const MOST_LINES: usize = 100;
