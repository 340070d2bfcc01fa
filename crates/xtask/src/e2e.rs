//! `cargo xtask e2e`: the server in real editors.

mod neovim;
mod new_neovim;
mod project;
mod vscode;

use std::env;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use crate::bases;
use crate::command::{cargo, run};
use crate::workspace::Workspace;

#[derive(Subcommand)]
pub(crate) enum E2e {
    /// Neovim without a window, with the plugin of this repository.
    Neovim(Walk),
    /// VS Code (code-server) in a headless browser, with the extension of this repository.
    Vscode(Walk),
}

/// How an editor is walked through.
#[derive(Args)]
pub(crate) struct Walk {
    /// An OCI layout with Python, for steps that really install something; without it, a stand-in needs no network.
    #[arg(long, value_name = "FOLDER")]
    base: Option<PathBuf>,
    /// Writes the pictures of docs/.
    #[arg(long)]
    pictures: bool,
    /// Where `dfls` and `dfbuild` are; otherwise they are built.
    #[arg(long, value_name = "FOLDER")]
    programs: Option<PathBuf>,
}

impl Walk {
    /// Returns where pictures go: those of a failure are of use without being part of the documentation.
    fn pictures(&self, workspace: &Workspace) -> PathBuf {
        if self.pictures {
            workspace.path("docs/pictures")
        } else {
            bases::target(workspace).join("e2e/pictures")
        }
    }
}

/// The programs that an editor runs.
struct Programs {
    server: PathBuf,
    builder: PathBuf,
}

/// Runs the tests of an editor and returns whether they pass.
pub(crate) fn e2e(workspace: &Workspace, editor: &E2e) -> anyhow::Result<bool> {
    match editor {
        E2e::Neovim(walk) => neovim::neovim(workspace, walk),
        E2e::Vscode(walk) => vscode::vscode(workspace, walk),
    }
}

/// Says so that nobody overlooks it that a test did not run.
fn skipped(why: &str) -> bool {
    println!("SKIPPED: {why}");
    true
}

/// Returns the programs, built if need be.
fn programs(workspace: &Workspace, named: Option<&Path>) -> anyhow::Result<Programs> {
    let folder = if let Some(folder) = named {
        folder.to_owned()
    } else {
        let packages = ["build", "--quiet", "-p", "dfls", "-p", "dfbuild"];
        run(&mut cargo(&workspace.root, &packages))?;
        bases::target(workspace).join("debug")
    };
    let program = |name: &str| folder.join(format!("{name}{}", env::consts::EXE_SUFFIX));
    Ok(Programs {
        server: program("dfls"),
        builder: program("dfbuild"),
    })
}
