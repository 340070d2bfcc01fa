//! Archives of dfbuild, given to podman.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

use super::built::Dfbuild;
use crate::command;

/// Loads both forms of archive into a store of podman's own; what it then has must have our ID, which is the digest of our configuration.
///
/// No container is run: its runtimes want control groups of one version, and a build machine may have both.
pub(super) fn takes(ours: &Dfbuild, context: &Path) -> anyhow::Result<()> {
    if Command::new("podman").arg("--version").output().is_err() {
        println!("SKIPPED: podman is not there (apt-get install podman)");
        return Ok(());
    }
    let store = tempfile::tempdir().context("cannot make a store for podman")?;
    let podman = |arguments: &[&str]| {
        let mut command = Command::new("podman");
        command.arg("--root").arg(store.path().join("root"));
        command.arg("--runroot").arg(store.path().join("run"));
        command.args(["--storage-driver", "vfs"]).args(arguments);
        command::output(&mut command)
    };
    for form in ["oci", "docker"] {
        let tag = format!("ours:podman-{form}");
        let (archive, id) = ours.archive(form, &tag, context)?;
        podman(&["load", "--quiet", "--input", &archive.to_string_lossy()])?;
        let theirs = podman(&["image", "inspect", "--format", "{{.Id}}", &tag])?;
        ensure!(
            id.trim_start_matches("sha256:") == theirs.trim_start_matches("sha256:"),
            "podman has {theirs} of our {form} archive of {id}"
        );
        podman(&["rmi", "--force", &tag])?;
    }
    println!("podman load: takes both forms of archive, under our ID");
    Ok(())
}
