//! The plugin in Neovim: in the one of the system, and in 0.10, which has inlay hints and asks for findings itself.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};

use super::new_neovim::new_neovim;
use super::project::project;
use super::{Programs, Walk, programs, skipped, vscode};
use crate::bases;
use crate::command::{output, succeeds};
use crate::workspace::Workspace;

pub(super) fn neovim(workspace: &Workspace, walk: &Walk) -> anyhow::Result<bool> {
    let programs = programs(workspace, walk.programs.as_deref())?;
    let own = env::var_os("NVIM").unwrap_or_else(|| "nvim".into());
    let is_well = test(workspace, walk, &programs, Path::new(&own))?;
    if env::var_os("NVIM").is_some() {
        return Ok(is_well);
    }
    match new_neovim(&bases::target(workspace).join("e2e/neovim-0.10")) {
        Ok(new) => {
            let mut is_well = test(workspace, walk, &programs, &new)? && is_well;
            if walk.pictures {
                is_well = pictures(workspace, walk, &programs, &new)? && is_well;
            }
            Ok(is_well)
        }
        Err(error) => Ok(skipped(&format!("Neovim 0.10 cannot be fetched: {error:#}")) && is_well),
    }
}

fn test(
    workspace: &Workspace,
    walk: &Walk,
    programs: &Programs,
    editor: &Path,
) -> anyhow::Result<bool> {
    let Ok(version) = output(Command::new(editor).arg("--version")) else {
        return Ok(skipped("there is no Neovim (`nvim`, or what NVIM names)"));
    };
    println!("{}", version.lines().next().unwrap_or_default());
    let project = project(workspace, programs, walk.base.as_deref())?;
    let plugin = workspace.path("editors/neovim");
    succeeds(
        Command::new(editor)
            .args(["--headless", "-u", "NONE", "-S"])
            .arg(plugin.join("test/e2e.lua"))
            // In the background of a terminal it would be stopped when it looks at it.
            .stdin(Stdio::null())
            .env("DFLS", &programs.server)
            .env("DFBUILD", &programs.builder)
            .env("WORKSPACE", &project.folder)
            .env("STORE", &project.store)
            .env("DFLS_PLUGIN", &plugin),
    )
}

/// Draws the walk in a browser, with the tools that the walk through VS Code has installed.
fn pictures(
    workspace: &Workspace,
    walk: &Walk,
    programs: &Programs,
    editor: &Path,
) -> anyhow::Result<bool> {
    let tools = vscode::tools(workspace);
    let (Some(chromium), true) = (vscode::chromium(), tools.is_dir()) else {
        return Ok(skipped(
            "the pictures of Neovim need what `cargo xtask e2e vscode` installs",
        ));
    };
    let project = project(workspace, programs, walk.base.as_deref())?;
    let plugin = workspace.path("editors/neovim");
    succeeds(
        Command::new("node")
            .arg(plugin.join("test/pictures.mjs"))
            .env("TOOLS", tools)
            .env("NVIM", editor)
            .env("PLUGIN", plugin)
            .env("DFLS", &programs.server)
            .env("DFBUILD", &programs.builder)
            .env("WORKSPACE", &project.folder)
            .env("STORE", &project.store)
            .env("PICTURES", walk.pictures(workspace))
            .env("CHROMIUM", chromium),
    )
}
