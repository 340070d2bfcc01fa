//! The servers that are compared.

use std::path::PathBuf;

use crate::command::{cargo, run};
use crate::peers;
use crate::workspace::Workspace;

pub(super) struct Server {
    pub(super) name: &'static str,
    pub(super) command: Vec<String>,
    /// Whether a change may be a part of the text.
    pub(super) takes_changes: bool,
    pub(super) has_delta: bool,
    /// A longer file is not coloured.
    pub(super) most_token_lines: usize,
}

/// Returns ours and those that are installed: `npm i --prefix target/peers dockerfile-language-server-nodejs`, `cargo xtask peers`.
pub(super) fn all(workspace: &Workspace) -> anyhow::Result<Vec<Server>> {
    let build = [
        "build",
        "--quiet",
        "--release",
        "-p",
        "dfls",
        "-p",
        "dfbuild",
    ];
    run(&mut cargo(&workspace.root, &build))?;
    let mut servers = vec![Server {
        name: "dfls",
        command: vec![program(workspace, "dfls"), "--stdio".to_owned()],
        takes_changes: true,
        has_delta: true,
        most_token_lines: usize::MAX,
    }];
    let node = workspace.path("target/peers/node_modules/.bin/docker-langserver");
    let node = std::env::var_os("DOCKER_LANGSERVER").map_or(node, PathBuf::from);
    if node.is_file() {
        servers.push(Server {
            name: "dockerfile-language-server-nodejs",
            command: vec![node.display().to_string(), "--stdio".to_owned()],
            takes_changes: true,
            has_delta: false,
            most_token_lines: 1_000,
        });
    }
    if let Some(tally) = peers::find_tally(workspace) {
        servers.push(Server {
            name: "tally",
            command: [tally.display().to_string().as_str(), "lsp", "--stdio"]
                .map(str::to_owned)
                .to_vec(),
            takes_changes: false,
            has_delta: false,
            most_token_lines: usize::MAX,
        });
    }
    Ok(servers)
}

/// Returns a program of the release build.
pub(super) fn program(workspace: &Workspace, name: &str) -> String {
    let target = std::env::var_os("CARGO_TARGET_DIR");
    let target = target.map_or_else(|| workspace.path("target"), PathBuf::from);
    target.join("release").join(name).display().to_string()
}
