//! The project that the editors open: a copy of `examples/hello-flask`, and a store with its base image.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use tempfile::TempDir;

use super::Programs;
use crate::bases;
use crate::command::{output, run};
use crate::workspace::Workspace;

const EXAMPLE: &str = "examples/hello-flask";
/// What the Dockerfile of the example stands on.
const BASE: &str = "python:3.11-slim";
/// Stands in for `pip` where the base is busybox: as slow as a download, and as little in need of a network as the rest.
const PIP: &str = "#!/bin/sh\nsleep 3\nmkdir -p /usr/lib/python/flask\n\
    for part in app cli json views; do seq 4000 >/usr/lib/python/flask/$part.py; done\n";
const STAND_IN: &str = "FROM stand-in\nCOPY --chmod=755 pip /usr/bin/pip\n";

pub(super) struct Project {
    /// The folder to open.
    pub(super) folder: PathBuf,
    pub(super) store: PathBuf,
    /// All of it goes when this goes.
    pub(super) home: TempDir,
}

/// Makes the project; without `base`, an OCI layout with Python, busybox and a script play its part.
pub(super) fn project(
    workspace: &Workspace,
    programs: &Programs,
    base: Option<&Path>,
) -> anyhow::Result<Project> {
    let home = tempfile::Builder::new()
        .prefix("dfls-e2e-")
        .tempdir()
        .context("cannot make a temporary folder")?;
    let project = Project {
        folder: home.path().join("hello-flask"),
        store: home.path().join("store"),
        home,
    };
    copy(&workspace.path(EXAMPLE), &project.folder)?;
    if let Some(layout) = base {
        load(programs, &project, layout, BASE)?;
        return Ok(project);
    }
    let bases = bases::folder(workspace);
    bases::make(&bases, false)?;
    load(
        programs,
        &project,
        &bases.join("busybox-latest"),
        "stand-in",
    )?;
    let context = project.home.path().join("stand-in");
    fs::create_dir_all(&context).context("cannot make a folder")?;
    fs::write(context.join("pip"), PIP).context("cannot write the script")?;
    let mut build = Command::new(&programs.builder)
        .args(["build", "--progress", "quiet", "--tag", BASE, "--file", "-"])
        .arg("--store")
        .arg(&project.store)
        .arg(&context)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .context("cannot run dfbuild")?;
    if let Some(mut input) = build.stdin.take() {
        input
            .write_all(STAND_IN.as_bytes())
            .context("cannot talk to dfbuild")?;
    }
    let status = build.wait().context("cannot wait for dfbuild")?;
    ensure!(status.success(), "cannot build the stand-in for Python");
    Ok(project)
}

/// Takes an OCI layout into the store, under a name.
fn load(programs: &Programs, project: &Project, layout: &Path, name: &str) -> anyhow::Result<()> {
    let archive = project.home.path().join("base.tar");
    run(Command::new("tar")
        .arg("-C")
        .arg(layout)
        .arg("-cf")
        .arg(&archive)
        .arg("."))?;
    let loaded = output(
        Command::new(&programs.builder)
            .args(["load", "--store"])
            .arg(&project.store)
            .arg("-i")
            .arg(&archive),
    )?;
    fs::remove_file(&archive).context("cannot remove the archive")?;
    let image = loaded
        .split_whitespace()
        .last()
        .context("nothing was loaded")?;
    run(Command::new(&programs.builder)
        .args(["tag", "--store"])
        .arg(&project.store)
        .args([image, name])
        .stdout(Stdio::null()))
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot list {}", from.display()))? {
        let entry = entry.context("cannot list the example")?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy(&source, &target)?;
        } else {
            fs::copy(&source, &target)
                .with_context(|| format!("cannot copy {}", source.display()))?;
        }
    }
    Ok(())
}
