//! The programs that `bench check` runs, and how each is asked to check the same files.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::command::{output, shown};
use crate::peers;
use crate::workspace::Workspace;

/// A linter and its arguments in front of the files.
pub(super) struct Program {
    pub(super) name: &'static str,
    pub(super) version: String,
    path: PathBuf,
    arguments: &'static [&'static str],
    /// Files that end the whole run of this program: it is not asked to read them.
    pub(super) refused: BTreeSet<String>,
    /// How many runs a round has.
    pub(super) runs: usize,
}

/// Up to this many files are lost and read again when tally meets one that it refuses.
const TALLY_CHUNK: usize = 50;

impl Program {
    /// Returns the command that checks `files` of `folder`.
    pub(super) fn command(&self, folder: &Path, files: &[String]) -> Command {
        let mut command = Command::new(&self.path);
        command.args(self.arguments).current_dir(folder);
        command.args(files.iter().filter(|file| !self.refused.contains(*file)));
        command
    }
}

/// Returns our own program, in the release build.
pub(super) fn dflint(path: PathBuf) -> anyhow::Result<Program> {
    Ok(Program {
        name: "dflint",
        version: version(&path)?,
        path,
        arguments: &["check"],
        refused: BTreeSet::new(),
        runs: 5,
    })
}

/// Returns the peers that are installed, with the files that they cannot be asked about.
pub(super) fn installed_peers(
    workspace: &Workspace,
    folder: &Path,
    files: &[String],
) -> anyhow::Result<Vec<Program>> {
    let mut programs = Vec::new();
    if let Some(path) = peers::find(workspace, "hadolint") {
        programs.push(Program {
            name: "hadolint",
            version: version(&path)?,
            path,
            arguments: &["--no-color"],
            refused: BTreeSet::new(),
            runs: 1,
        });
    }
    if let Some(path) = peers::find_tally(workspace) {
        let mut tally = Program {
            name: "tally",
            version: version(&path)?,
            path,
            arguments: &["lint", "--slow-checks", "off", "--no-config", "--no-color"],
            refused: BTreeSet::new(),
            runs: 1,
        };
        let cache = workspace.path("target/peers/tally-refuses.txt");
        tally.refused = refused_by_tally(&tally, folder, files, &cache)?;
        programs.push(tally);
    }
    Ok(programs)
}

fn version(path: &Path) -> anyhow::Result<String> {
    let text = output(Command::new(path).arg("--version"))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// Finds the files that end a run of tally: each run names the first of them, which is left out of the next.
///
/// The answer is kept, because finding it takes longer than the measurement.
fn refused_by_tally(
    tally: &Program,
    folder: &Path,
    files: &[String],
    cache: &Path,
) -> anyhow::Result<BTreeSet<String>> {
    let head = format!("{} {}", tally.version, files.len());
    if let Ok(text) = fs::read_to_string(cache)
        && let Some((first, rest)) = text.split_once('\n')
        && first == head
    {
        return Ok(rest.lines().map(str::to_owned).collect());
    }
    println!("looking for the files that end a run of tally (once) ...");
    let mut refused = BTreeSet::new();
    for chunk in files.chunks(TALLY_CHUNK) {
        let mut chunk = chunk.to_vec();
        while let Some(file) = first_refused(tally, folder, &chunk)? {
            chunk.retain(|name| *name != file);
            refused.insert(file);
        }
    }
    let lines: Vec<&str> = refused.iter().map(String::as_str).collect();
    fs::write(cache, format!("{head}\n{}", lines.join("\n")))
        .with_context(|| format!("cannot write {}", cache.display()))?;
    Ok(refused)
}

fn first_refused(
    tally: &Program,
    folder: &Path,
    files: &[String],
) -> anyhow::Result<Option<String>> {
    if files.is_empty() {
        return Ok(None);
    }
    let mut command = tally.command(folder, files);
    let output = command
        .output()
        .with_context(|| format!("cannot run `{}`", shown(&command)))?;
    if matches!(output.status.code(), Some(0 | 1)) {
        return Ok(None);
    }
    let message = String::from_utf8_lossy(&output.stderr);
    let named = files.iter().find(|file| message.contains(file.as_str()));
    match named {
        Some(file) => Ok(Some(file.clone())),
        None => bail!("tally ends without naming a file: {}", message.trim()),
    }
}

/// Returns the arguments as they are shown: the files as a pattern.
pub(super) fn shown_command(program: &Program) -> String {
    let mut parts: Vec<OsString> = vec![program.name.into()];
    parts.extend(program.arguments.iter().map(Into::into));
    parts.push("*.Dockerfile".into());
    let parts: Vec<_> = parts.iter().map(|part| part.to_string_lossy()).collect();
    parts.join(" ")
}
