//! Runs other programs.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};

/// Runs a command, showing its output, and fails unless it succeeds.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    if succeeds(command)? {
        return Ok(());
    }
    bail!("`{}` failed", shown(command));
}

/// Runs a command, showing its output, and returns whether it succeeded.
pub(crate) fn succeeds(command: &mut Command) -> anyhow::Result<bool> {
    let status = command
        .status()
        .with_context(|| format!("cannot run `{}`", shown(command)))?;
    Ok(status.success())
}

/// Runs a command and returns what it printed to standard output. Fails unless it succeeds.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command
        .output()
        .with_context(|| format!("cannot run `{}`", shown(command)))?;
    if !output.status.success() {
        bail!(
            "`{}` failed: {}",
            shown(command),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Returns a command that runs cargo in `folder`.
pub(crate) fn cargo(folder: &Path, arguments: &[&str]) -> Command {
    // Set by cargo itself, so that the same toolchain is used.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(arguments).current_dir(folder);
    command
}

/// Returns the command as a person would type it, with long lists of arguments cut.
pub(crate) fn shown(command: &Command) -> String {
    const SHOWN_ARGUMENTS: usize = 12;
    let name = |part: &OsStr| part.to_string_lossy().into_owned();
    let program = Path::new(command.get_program());
    let mut parts = vec![program.file_name().map_or_else(String::new, name)];
    parts.extend(command.get_args().take(SHOWN_ARGUMENTS).map(name));
    let hidden = command.get_args().len().saturating_sub(SHOWN_ARGUMENTS);
    if hidden > 0 {
        parts.push(format!("... ({hidden} more)"));
    }
    parts.join(" ")
}
