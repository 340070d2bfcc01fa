//! Projects that people have: workloads, the tutorials' examples, and repositories of others, built by dfbuild and by Docker.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, ensure};

use super::built::Dfbuild;
use super::compared::{self, Freedom, Paths, Unlike};
use super::docker::Daemon;
use crate::bases;
use crate::command;
use crate::servers::{Servers, offline};
use crate::workspace::Workspace;

/// As the workloads call the bases.
const BASES: &str = "127.0.0.1:5000/library";
/// Packages of the folder that `mkoffline.sh` makes.
const PIP: &str = "PIP_NO_INDEX=1 PIP_FIND_LINKS=http://127.0.0.1:8081/wheels/ pip install";

/// Where a Dockerfile and its files come from, below the shared folder.
enum Source {
    /// A folder with `gen.sh`.
    Workload(&'static str),
    /// A folder and a Dockerfile in it.
    Project(&'static str, &'static str),
    /// A Dockerfile of a tutorial, in a folder with the files that the tutorial has.
    Tutorial(&'static str, &'static [(&'static str, &'static str)]),
}

struct Project {
    source: Source,
    /// Words of the Dockerfile that this machine or the daemon of Debian 12 does not have, and others in their place.
    replaced: &'static [(&'static str, &'static str)],
    /// The stage to build, where the last one needs a network.
    target: Option<&'static str>,
}

const FLASK: &[(&str, &str)] = &[
    ("requirements.txt", "flask==3.0.3\n"),
    (
        "app.py",
        "from flask import Flask, request\n\napp = Flask(__name__)\n\n\n@app.route(\"/echo\")\ndef echo():\n    return request.args.get(\"text\", \"\")\n",
    ),
    ("src/main.py", "print(1)\n"),
];

const PROJECTS: &[Project] = &[
    plain(Source::Workload("a_python"), &[]),
    plain(Source::Workload("b_node"), &[]),
    plain(Source::Workload("c_multistage"), &[]),
    plain(Source::Workload("e_parallel"), &[]),
    plain(Source::Workload("f_100runs"), &[]),
    plain(
        Source::Tutorial("11.Dockerfile", FLASK),
        &[("python:3.9-slim", "python:3.11-slim")],
    ),
    plain(
        Source::Tutorial("13.Dockerfile", &[]),
        &[("alpine:3.18", "busybox:latest")],
    ),
    plain(
        Source::Tutorial("14.Dockerfile", FLASK),
        &[
            ("python:3.9-slim", "python:3.11-slim"),
            ("pip install", PIP),
        ],
    ),
    plain(
        Source::Tutorial("15.Dockerfile", FLASK),
        &[("python:3.13", "python:3.11-slim"), ("pip install", PIP)],
    ),
    plain(
        Source::Project("dive-layers", "Dockerfile"),
        &[(
            "busybox:1.37.0@sha256:37f7b378a29ceb4c551b1b5582e27747b855bbfaa73fa11914fe0df028dc581f",
            "busybox:latest",
        )],
    ),
    plain(
        Source::Project("buildah-multistage", "Dockerfile.index"),
        &[("alpine", "busybox:latest")],
    ),
    plain(
        Source::Project("buildah-multistage", "Dockerfile.mixed"),
        &[],
    ),
    plain(
        Source::Project("buildah-multistage", "Dockerfile.name"),
        &[("alpine", "busybox:latest")],
    ),
    Project {
        // As far as no registry of packages is asked.
        source: Source::Project("sid-api-node", "Dockerfile.9"),
        replaced: &[("node:19.6-bullseye-slim", "node:18-slim")],
        target: Some("base"),
    },
    plain(
        Source::Project("te-express", "express.dockerfile"),
        &[
            ("node:24-slim", "node:18-slim"),
            (
                "RUN npm install",
                "RUN rm -rf node_modules && find . -xdev -name '*.pug' | xargs chmod 600",
            ),
        ],
    ),
    plain(
        Source::Project("te-emmett", "emmett.dockerfile"),
        &[(
            "pip install --no-cache-dir -r /emmett/requirements.txt",
            "python -m compileall -q /emmett",
        )],
    ),
];

const fn plain(source: Source, replaced: &'static [(&'static str, &'static str)]) -> Project {
    Project {
        source,
        replaced,
        target: None,
    }
}

const fn bytes(paths: Paths, reason: &'static str) -> Unlike {
    Unlike {
        paths,
        freedom: Freedom::Bytes,
        reason,
    }
}

const fn all(paths: Paths, reason: &'static str) -> Unlike {
    Unlike {
        paths,
        freedom: Freedom::All,
        reason,
    }
}

/// What is different each time that one and the same builder builds.
const UNLIKE: &[Unlike] = &[
    bytes(
        Paths::End(".pyc"),
        "byte code has the time of its source in it",
    ),
    bytes(Paths::Start("var/log/"), "logs have times"),
    bytes(
        Paths::Start("var/cache/ldconfig/aux-cache"),
        "the linker notes inodes and times",
    ),
    all(
        Paths::Start("root/.npm/_logs"),
        "npm names its logs by the time",
    ),
    bytes(
        Paths::Start("root/.npm/_cacache/index-v5"),
        "npm notes when it fetched something",
    ),
    all(
        Paths::Start("root/.npm/_update-notifier-last-checked"),
        "npm asks for a newer npm once a day",
    ),
];

/// Builds projects with both, all or those whose name starts with one of `names`, and compares.
pub(super) fn test(workspace: &Workspace, names: &[String]) -> anyhow::Result<()> {
    let Some(shared) = test_support::shared_folder() else {
        println!("SKIPPED: real projects: no ../shared");
        return Ok(());
    };
    let folder = bases::folder(workspace);
    if !["debian-bookworm", "python-3.11-slim", "node-18-slim"]
        .iter()
        .all(|name| folder.join(name).is_dir())
        || !offline(workspace).join("deb").is_dir()
    {
        println!(
            "SKIPPED: real projects: no bases (`cargo xtask bases --all`), or no packages (`cargo xtask bench build` makes them)"
        );
        return Ok(());
    }
    let _servers = Servers::start(workspace)?;
    let daemon = Daemon::start("overlay2")?;
    let ours = Dfbuild::compile(workspace)?;
    let work = tempfile::tempdir().context("cannot make a temporary folder")?;
    let mut failures = Vec::new();
    let is_meant = |project: &&Project| {
        let name = project.name();
        names.is_empty() || names.iter().any(|start| name.starts_with(start.as_str()))
    };
    let projects: Vec<&Project> = PROJECTS.iter().filter(is_meant).collect();
    for (idx, project) in projects.iter().enumerate() {
        let start = Instant::now();
        let place = work.path().join(idx.to_string());
        let result = project
            .make(&shared, &place, &offline(workspace))
            .and_then(|context| same_image(&daemon, &ours, &context, project.target));
        let name = project.name();
        match result {
            Ok(()) => println!("{name}: the same ({:.1} s)", start.elapsed().as_secs_f64()),
            Err(error) => {
                println!("{name}: {error:#}");
                failures.push(name);
            }
        }
    }
    ensure!(failures.is_empty(), "not the same: {}", failures.join(", "));
    println!(
        "{} real projects: Docker and we make the same files and configuration",
        projects.len()
    );
    Ok(())
}

impl Project {
    fn name(&self) -> String {
        match self.source {
            Source::Workload(name) | Source::Tutorial(name, _) => name.to_owned(),
            Source::Project(name, file) => format!("{name}/{file}"),
        }
    }

    /// Makes the context with its Dockerfile, and returns its folder.
    fn make(&self, shared: &Path, place: &Path, offline: &Path) -> anyhow::Result<PathBuf> {
        fs::create_dir_all(place).context("cannot make a folder")?;
        let context = place.join("ctx");
        let text = match &self.source {
            Source::Workload(name) => {
                let script = place.join("gen.sh");
                fs::copy(
                    shared.join("tools/workloads").join(name).join("gen.sh"),
                    &script,
                )
                .with_context(|| format!("no gen.sh of {name}"))?;
                let mut make = Command::new("bash");
                command::output(make.arg(script).env("OFFLINE", offline))?;
                read(&context.join("Dockerfile"))?
            }
            Source::Project(name, file) => {
                let mut copy = Command::new("cp");
                copy.arg("-r")
                    .arg(shared.join("corpus/projects").join(name));
                command::output(copy.arg(&context))?;
                read(&context.join(file))?
            }
            Source::Tutorial(name, files) => {
                for (path, text) in *files {
                    let path = context.join(path);
                    fs::create_dir_all(path.parent().unwrap_or(&context)).context("no folder")?;
                    fs::write(path, text).context("cannot write a file")?;
                }
                fs::create_dir_all(&context).context("cannot make a context")?;
                read(&shared.join("corpus/seeds").join(name))?
            }
        };
        let mut text = text;
        for (from, to) in self.replaced {
            ensure!(text.contains(from), "`{from}` is not in the Dockerfile");
            text = text.replace(from, to);
        }
        fs::write(context.join("Dockerfile"), with_bases(&text)).context("cannot write")?;
        Ok(context)
    }
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Names the registry of this machine for images that FROM names.
fn with_bases(text: &str) -> String {
    let images = ["python:", "node:", "busybox:", "debian:"];
    let mut out = String::new();
    for line in text.lines() {
        let from = line
            .get(..5)
            .filter(|word| word.eq_ignore_ascii_case("from "));
        match from.and_then(|from| line.strip_prefix(from)) {
            Some(image) if images.iter().any(|known| image.starts_with(known)) => {
                out.push_str(&format!("FROM {BASES}/{image}"));
            }
            _ => out.push_str(line),
        }
        out.push('\n');
    }
    out
}

/// Builds with both and compares what Docker sees of both.
fn same_image(
    daemon: &Daemon,
    ours: &Dfbuild,
    context: &Path,
    target: Option<&str>,
) -> anyhow::Result<()> {
    let (tag, their_tag) = ("ours:project", "theirs:project");
    let archive = ours.folder.path().join("project.tar");
    let output = format!(
        "type=docker,compression=uncompressed,dest={}",
        archive.display()
    );
    let folder = context.to_string_lossy();
    let target: Vec<&str> = target
        .iter()
        .flat_map(|stage| ["--target", stage])
        .collect();
    let mut arguments = vec!["build", "-q", "--tag", tag, "--output", &output];
    arguments.extend(&target);
    arguments.push(&folder);
    ours.answer(&arguments)?;
    daemon.answer(&["load", "--input", &archive.to_string_lossy()])?;
    let mut arguments = vec!["build", "--quiet", "--network=host", "--tag", their_tag];
    arguments.extend(&target);
    arguments.push(&folder);
    daemon.answer(&arguments)?;
    let result = compared::same(daemon, tag, their_tag, UNLIKE);
    daemon.answer(&["rmi", tag, their_tag])?;
    result
}
