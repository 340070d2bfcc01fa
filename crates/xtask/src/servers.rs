//! What the workloads of the shared folder need on the loopback interface: a registry with the bases, and packages.

use std::env;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::Context;

use crate::bases::{self, Registry};
use crate::command;
use crate::workspace::Workspace;

/// Written into the workloads' Dockerfiles.
const REGISTRY_PORT: u16 = 5000;
const OFFLINE_PORT: u16 = 8081;

/// The registry and the package server that the workloads name; those that run already are used.
pub(crate) struct Servers {
    /// Held for its end.
    #[allow(dead_code)]
    registry: Option<Registry>,
    packages: Option<Child>,
}

impl Drop for Servers {
    fn drop(&mut self) {
        if let Some(packages) = &mut self.packages {
            // It may have ended already.
            let _ = packages.kill();
            let _ = packages.wait();
        }
    }
}

impl Servers {
    pub(crate) fn start(workspace: &Workspace) -> anyhow::Result<Servers> {
        let mut servers = Servers {
            registry: None,
            packages: None,
        };
        if !bases::answers(REGISTRY_PORT) {
            let folder = bases::folder(workspace);
            bases::make(&folder, true)?;
            servers.registry = Some(Registry::start(&folder, REGISTRY_PORT)?);
        }
        if !bases::answers(OFFLINE_PORT) {
            let shared = test_support::shared_folder().context("no ../shared/tools")?;
            let folder = offline(workspace);
            if !folder.join("deb").is_dir() {
                let mut collect = Command::new("bash");
                collect
                    .arg(shared.join("tools/mkoffline.sh"))
                    .arg(&folder)
                    .arg(bases::folder(workspace));
                command::run(&mut collect)?;
            }
            let process = Command::new("python3")
                .arg(shared.join("tools/serve_offline.py"))
                .arg(&folder)
                .stdin(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .context("cannot start the package server")?;
            servers.packages = Some(process);
            bases::wait_for(OFFLINE_PORT)?;
        }
        Ok(servers)
    }
}

/// Returns the folder of the packages that the workloads install.
pub(crate) fn offline(workspace: &Workspace) -> PathBuf {
    env::var_os("OFFLINE").map_or_else(|| bases::target(workspace).join("offline"), PathBuf::from)
}
