//! The formatters that are compared, and how each is called.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, ensure};
use tempfile::TempDir;

use super::Sample;
use crate::command::{self, cargo, output};
use crate::workspace::Workspace;

/// Pinned: figures are comparable only when the peers are the same.
const PACKAGES: &[&str] = &[
    "@reteps/dockerfmt@0.5.4",
    "dprint@0.57.4",
    "@dprint/dockerfile@0.6.0",
    "dockerfile-utils@0.16.3",
    "vscode-languageserver-textdocument",
];
const FOLDER: &str = "target/peers/node";
const DRIVER: &str = include_str!("dockerfile_utils.js");
/// How many files are formatted one a call.
const ONE_FILE_CALLS: usize = 100;

/// Installs the formatters that `compare` knows, with npm.
pub(crate) fn install(workspace: &Workspace) -> anyhow::Result<()> {
    let folder = workspace.path(FOLDER);
    fs::create_dir_all(&folder).context("cannot make the folder of the peers")?;
    command::run(
        Command::new("npm")
            .args(["install", "--silent", "--no-fund", "--no-audit", "--prefix"])
            .arg(&folder)
            .args(PACKAGES),
    )
}

pub(crate) struct Formatter {
    name: &'static str,
    version: String,
    program: PathBuf,
    kind: Kind,
}

enum Kind {
    Dflint { arguments: &'static [&'static str] },
    Dockerfmt,
    Dprint { plugin: PathBuf },
    DockerfileUtils { modules: PathBuf },
}

/// Returns ours, in both styles, and the peers that are installed; says which are not.
pub(crate) fn installed(workspace: &Workspace) -> anyhow::Result<Vec<Formatter>> {
    command::run(&mut cargo(
        &workspace.root,
        &["build", "--release", "--quiet", "--package", "dflint"],
    ))?;
    let dflint = workspace.path("target/release/dflint");
    let version = output(Command::new(&dflint).arg("--version"))?;
    let version = version.rsplit(' ').next().unwrap_or_default().to_owned();
    let modules = workspace.path(FOLDER).join("node_modules");
    let ours = |name, arguments| Formatter {
        name,
        version: version.clone(),
        program: dflint.clone(),
        kind: Kind::Dflint { arguments },
    };
    let mut all = vec![
        ours("dflint format", &["format", "--quiet"]),
        ours(
            "dflint format --run keep",
            &["format", "--quiet", "--run", "keep"],
        ),
    ];
    let dockerfmt = modules.join("@reteps/dockerfmt-linux-x64/bin/dockerfmt");
    let dprint = modules.join("@dprint/linux-x64-glibc/dprint");
    let plugin = modules.join("@dprint/dockerfile/plugin.wasm");
    let peers = [
        ("dockerfmt", "0.5.4", dockerfmt, Kind::Dockerfmt),
        (
            "dprint",
            "0.57.4, plugin 0.6.0",
            dprint,
            Kind::Dprint { plugin },
        ),
        (
            "dockerfile-utils",
            "0.16.3",
            modules.join("dockerfile-utils"),
            Kind::DockerfileUtils { modules },
        ),
    ];
    for (name, version, program, kind) in peers {
        if program.exists() {
            all.push(Formatter {
                name,
                version: version.to_owned(),
                program,
                kind,
            });
        } else {
            println!("SKIPPED: {name} is not installed (`cargo xtask peers`)");
        }
    }
    Ok(all)
}

/// Files on disk, as the programs want them.
struct Files {
    folder: TempDir,
    paths: Vec<PathBuf>,
}

impl Files {
    fn write(samples: &[Sample]) -> anyhow::Result<Files> {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let mut paths = Vec::new();
        for sample in samples {
            let path = folder.path().join(&sample.name);
            fs::write(&path, &sample.text).context("cannot write a sample")?;
            paths.push(path);
        }
        Ok(Files { folder, paths })
    }
}

impl Formatter {
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// Formats all samples; `None` is a file that the program refuses.
    pub(crate) fn format(&self, samples: &[Sample]) -> anyhow::Result<Vec<Option<String>>> {
        let files = Files::write(samples)?;
        let read = |path: &Path| fs::read_to_string(path).ok();
        match &self.kind {
            Kind::Dockerfmt => Ok(files
                .paths
                .iter()
                .map(|path| self.dockerfmt(path))
                .collect()),
            Kind::Dflint { .. } => {
                ensure!(self.run_on_all(&files)?.is_empty(), "dflint has problems");
                Ok(files.paths.iter().map(|path| read(path)).collect())
            }
            Kind::Dprint { .. } => {
                let errors = self.run_on_all(&files)?;
                Ok(files
                    .paths
                    .iter()
                    .zip(samples)
                    .map(|(path, sample)| {
                        // It goes on behind a file that it refuses, and names it.
                        read(path).filter(|_| !errors.contains(&sample.name))
                    })
                    .collect())
            }
            Kind::DockerfileUtils { .. } => {
                self.run_on_all(&files)?;
                Ok(files
                    .paths
                    .iter()
                    .map(|path| read(&path.with_extension("dockerfile.out")))
                    .collect())
            }
        }
    }

    fn dockerfmt(&self, path: &Path) -> Option<String> {
        let mut command = Command::new(&self.program);
        command.arg("-n").arg(path).stderr(Stdio::null());
        let output = command.output().ok()?;
        output
            .status
            .success()
            .then(|| String::from_utf8(output.stdout).ok())?
    }

    /// Runs the program once over all files and returns what it says of errors.
    fn run_on_all(&self, files: &Files) -> anyhow::Result<String> {
        let (mut command, input) = self.command(files)?;
        let mut child = command
            .current_dir(files.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {}", self.name))?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin
                .write_all(input.as_bytes())
                .context("cannot write to a peer")?;
        }
        let output = child.wait_with_output().context("a peer is gone")?;
        Ok(String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Returns the command that formats all files in one call, and its standard input.
    fn command(&self, files: &Files) -> anyhow::Result<(Command, String)> {
        let mut command = Command::new(&self.program);
        let mut input = String::new();
        match &self.kind {
            Kind::Dflint { arguments } => {
                command.args(*arguments).arg(files.folder.path());
            }
            Kind::Dockerfmt => {
                command.args(["-n", "-w"]).args(&files.paths);
            }
            Kind::Dprint { plugin } => {
                // Local plugins are named by a path; a link inside of the folder would be formatted, too.
                let config = format!(
                    "{{\"plugins\":[\"{}\"],\"includes\":[\"*.dockerfile\"]}}",
                    plugin.display()
                );
                fs::write(files.folder.path().join("dprint.json"), config)
                    .context("cannot write dprint.json")?;
                command.args(["fmt", "--incremental=false", "--allow-no-files"]);
            }
            Kind::DockerfileUtils { modules } => {
                command = Command::new("node");
                command.args(["-e", DRIVER]).env("NODE_PATH", modules);
                for path in &files.paths {
                    input.push_str(&path.to_string_lossy());
                    input.push('\n');
                }
            }
        }
        Ok((command, input))
    }

    /// Returns the median seconds of one call over all samples, or `None` for a program that does not get through.
    pub(crate) fn time_all(
        &self,
        samples: &[Sample],
        rounds: usize,
    ) -> anyhow::Result<Option<f64>> {
        if matches!(self.kind, Kind::Dockerfmt) {
            return Ok(None);
        }
        let mut times = Vec::new();
        for _ in 0..rounds {
            let files = Files::write(samples)?;
            let start = Instant::now();
            self.run_on_all(&files)?;
            times.push(start.elapsed().as_secs_f64());
        }
        Ok(Some(median(&mut times)))
    }

    /// Returns the median seconds of a call for one file.
    pub(crate) fn time_one(&self, samples: &[Sample]) -> anyhow::Result<f64> {
        let mut times = Vec::new();
        for sample in samples.iter().take(ONE_FILE_CALLS) {
            let one = Sample {
                name: sample.name.clone(),
                text: sample.text.clone(),
            };
            let files = Files::write(&[one])?;
            let start = Instant::now();
            self.run_on_all(&files)?;
            times.push(start.elapsed().as_secs_f64());
        }
        Ok(median(&mut times))
    }
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(0.0)
}
