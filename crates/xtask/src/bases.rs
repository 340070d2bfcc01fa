//! `cargo xtask bases`: base images for tests and benches of the builder.
//!
//! Busybox is made here, from busybox-static, without a network. Debian, Python and Node come from the shared folder's
//! `mkbase.sh`, which needs root, debootstrap, umoci, skopeo, jq and bc, and the package mirror of this machine.

use std::env;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use clap::Args;

use crate::command;
use crate::workspace::Workspace;

const REGISTRY: &str = "/usr/bin/docker-registry";
/// Layouts and what they are called.
const IMAGES: &[(&str, &str)] = &[
    ("busybox-latest", "busybox:latest"),
    ("debian-bookworm", "debian:bookworm"),
    ("python-3.11-slim", "python:3.11-slim"),
    ("node-18-slim", "node:18-slim"),
];
/// A registry answers within a second or two.
const MOST_WAITS: usize = 100;

#[derive(Args)]
pub(crate) struct BasesArgs {
    /// Makes the Debian, Python and Node bases too: root, the network, and some minutes.
    #[arg(long)]
    all: bool,
    /// Serves them as library/NAME until it is interrupted; at 127.0.0.1:PORT, or a free port.
    #[arg(long, value_name = "PORT", num_args = 0..=1, default_missing_value = "0")]
    serve: Option<u16>,
}

pub(crate) fn bases(workspace: &Workspace, args: &BasesArgs) -> anyhow::Result<()> {
    let folder = folder(workspace);
    make(&folder, args.all)?;
    for (layout, image) in IMAGES {
        if folder.join(layout).is_dir() {
            println!("{image}: {}", folder.join(layout).display());
        }
    }
    if let Some(port) = args.serve {
        let mut registry = Registry::start(&folder, port)?;
        println!("serving at {} until interrupted", registry.address);
        registry.process.wait().context("the registry ended")?;
    }
    Ok(())
}

/// Returns where the OCI layouts are.
pub(crate) fn folder(workspace: &Workspace) -> PathBuf {
    target(workspace).join("bases")
}

/// Returns cargo's target folder.
pub(crate) fn target(workspace: &Workspace) -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.path("target"), PathBuf::from)
}

/// Makes what is missing in `folder`.
pub(crate) fn make(folder: &Path, all: bool) -> anyhow::Result<()> {
    fs::create_dir_all(folder).context("cannot make the folder of the bases")?;
    let busybox = folder.join("busybox-latest");
    if !busybox.is_dir() {
        test_support::write_busybox_base(&busybox).context("cannot make the base of busybox")?;
    }
    let is_complete = IMAGES.iter().all(|(name, _)| folder.join(name).is_dir());
    if !all || is_complete {
        return Ok(());
    }
    let Some(shared) = test_support::shared_folder() else {
        bail!("--all needs ../shared/tools/mkbase.sh");
    };
    let mut script = Command::new("bash");
    script.arg(shared.join("tools/mkbase.sh")).arg(folder);
    let certificates = "/etc/ssl/certs/ca-certificates.crt";
    if Path::new(certificates).is_file() && env::var_os("EXTRA_CA").is_none() {
        // Images for tests on this machine only: its own authorities may be needed to reach anything.
        script.env("EXTRA_CA", certificates);
    }
    command::run(&mut script)
}

/// Debian's docker-registry with the bases in it; it ends with this value.
pub(crate) struct Registry {
    process: Child,
    /// `127.0.0.1:PORT`.
    pub(crate) address: String,
    _folder: tempfile::TempDir,
}

impl Drop for Registry {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Registry {
    /// Starts a registry at `port`, or a free one for 0, and pushes every layout of `bases`.
    pub(crate) fn start(bases: &Path, port: u16) -> anyhow::Result<Registry> {
        let registry = Registry::empty(port)?;
        for (layout, image) in IMAGES {
            let source = bases.join(layout);
            if source.is_dir() {
                push(&source, image, &registry.address)?;
            }
        }
        Ok(registry)
    }

    /// Starts a registry with nothing in it at `port`, or a free one for 0.
    pub(crate) fn empty(port: u16) -> anyhow::Result<Registry> {
        ensure!(
            Path::new(REGISTRY).is_file(),
            "{REGISTRY} is not there (apt-get install docker-registry skopeo)"
        );
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let port = if port == 0 { free_port()? } else { port };
        let address = format!("127.0.0.1:{port}");
        let settings = folder.path().join("registry.yml");
        let text = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage:\n  filesystem: {{rootdirectory: {}}}\n  delete: {{enabled: true}}\n\
             http: {{addr: {address}}}\n",
            folder.path().join("data").display()
        );
        fs::write(&settings, text).context("cannot write the registry's settings")?;
        let process = Command::new(REGISTRY)
            .arg("serve")
            .arg(&settings)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start the registry")?;
        let registry = Registry {
            process,
            address,
            _folder: folder,
        };
        wait_for(port)?;
        Ok(registry)
    }
}

fn push(layout: &Path, image: &str, address: &str) -> anyhow::Result<()> {
    let tag = image.split_once(':').map_or("latest", |(_, tag)| tag);
    command::run(
        Command::new("skopeo")
            .args(["copy", "--quiet", "--dest-tls-verify=false"])
            .arg(format!("oci:{}:{tag}", layout.display()))
            .arg(format!("docker://{address}/library/{image}")),
    )
}

fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no free port")?;
    Ok(listener.local_addr().context("no free port")?.port())
}

/// Returns whether someone listens at a port of the loopback interface.
pub(crate) fn answers(port: u16) -> bool {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    TcpStream::connect_timeout(&address, Duration::from_millis(500)).is_ok()
}

/// Waits until someone listens at a port.
pub(crate) fn wait_for(port: u16) -> anyhow::Result<()> {
    for _ in 0..MOST_WAITS {
        if answers(port) {
            return Ok(());
        }
        sleep(Duration::from_millis(50));
    }
    bail!("nothing answers at port {port}")
}
