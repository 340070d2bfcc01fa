//! `cargo xtask e2e`: the server in real editors.

mod vscode;

use std::env;
use std::path::PathBuf;
use std::process::Command;

use clap::Subcommand;

use crate::command::{cargo, output, run, succeeds};
use crate::workspace::Workspace;

#[derive(Subcommand)]
pub(crate) enum E2e {
    /// Neovim without a window, with the plugin of this repository.
    Neovim,
    /// VS Code (code-server) in a headless browser, with the extension of this repository; writes the pictures of docs/.
    Vscode {
        /// An OCI layout with a shell, for the steps that run commands.
        #[arg(long, value_name = "FOLDER")]
        base: Option<PathBuf>,
    },
}

/// Runs the tests of an editor and returns whether they pass.
pub(crate) fn e2e(workspace: &Workspace, editor: E2e) -> anyhow::Result<bool> {
    match editor {
        E2e::Neovim => neovim(workspace),
        E2e::Vscode { base } => vscode::vscode(workspace, base.as_deref()),
    }
}

fn neovim(workspace: &Workspace) -> anyhow::Result<bool> {
    let program = env::var_os("NVIM").unwrap_or_else(|| "nvim".into());
    let Ok(version) = output(Command::new(&program).arg("--version")) else {
        println!("skipped: there is no Neovim (`nvim`, or what NVIM names)");
        return Ok(true);
    };
    println!("{}", version.lines().next().unwrap_or_default());
    run(&mut cargo(
        &workspace.root,
        &["build", "--quiet", "-p", "dfls"],
    ))?;
    let plugin = workspace.path("editors/neovim");
    succeeds(
        Command::new(program)
            .args(["--headless", "-u", "NONE", "-S"])
            .arg(plugin.join("test/e2e.lua"))
            .env("DFLS", server(workspace))
            .env("DFLS_PLUGIN", &plugin),
    )
}

/// Returns the server that `cargo build` makes.
fn server(workspace: &Workspace) -> PathBuf {
    let target =
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.path("target"), PathBuf::from);
    target
        .join("debug")
        .join(format!("dfls{}", env::consts::EXE_SUFFIX))
}
