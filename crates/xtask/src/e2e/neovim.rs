//! The plugin in Neovim.

use std::env;
use std::process::Command;

use super::{Walk, programs, skipped};
use crate::command::{output, succeeds};
use crate::workspace::Workspace;

pub(super) fn neovim(workspace: &Workspace, walk: &Walk) -> anyhow::Result<bool> {
    let program = env::var_os("NVIM").unwrap_or_else(|| "nvim".into());
    let Ok(version) = output(Command::new(&program).arg("--version")) else {
        return Ok(skipped("there is no Neovim (`nvim`, or what NVIM names)"));
    };
    println!("{}", version.lines().next().unwrap_or_default());
    let programs = programs(workspace, walk.programs.as_deref())?;
    let plugin = workspace.path("editors/neovim");
    succeeds(
        Command::new(program)
            .args(["--headless", "-u", "NONE", "-S"])
            .arg(plugin.join("test/e2e.lua"))
            .env("DFLS", programs.server)
            .env("DFLS_PLUGIN", &plugin),
    )
}
