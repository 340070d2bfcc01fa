//! The builders that are compared: ours, Docker with its BuildKit, and buildah.

use std::fs;
use std::mem;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tempfile::TempDir;

use super::process;
use crate::command;

/// Debian's client: another one without the plug-in falls back to the classic builder.
const DOCKER: &str = "/usr/bin/docker";
const DOCKER_DAEMON: &str = "/usr/sbin/dockerd";
const BUILDAH: &str = "/usr/bin/buildah";
/// crun fails where control groups are hybrid.
const RUNTIME: &str = "/usr/sbin/runc";
const MOST_WAITS: usize = 150;
const IMAGE: &str = "bench:latest";

/// What is built.
pub(crate) struct Job<'a> {
    pub(crate) context: &'a Path,
    /// For i_mounts: the content of the secret `tok`.
    pub(crate) secret: Option<&'a Path>,
}

pub(crate) enum Builder {
    Dfbuild { program: PathBuf, folder: TempDir },
    Docker(Box<Docker>),
    Buildah { folder: TempDir },
}

/// A Docker daemon with a folder of its own; it ends with this value.
pub(crate) struct Docker {
    process: Child,
    folder: TempDir,
}

/// What builders left of rounds before. It is deleted between workloads, not between rounds: for a minute ext4 keeps away from
/// inodes that were freed (`recently_deleted` in fs/ext4/ialloc.c), and a build that makes 50,000 files then takes three times as long.
#[derive(Default)]
pub(crate) struct Spent {
    folders: Vec<TempDir>,
}

impl Spent {
    const RECENTLY: Duration = Duration::from_secs(61);

    /// Deletes all of it, and waits until the file system has forgotten.
    pub(crate) fn delete(&mut self) -> anyhow::Result<()> {
        if self.folders.is_empty() {
            return Ok(());
        }
        self.folders.clear();
        command::run(&mut Command::new("sync"))?;
        sleep(Self::RECENTLY);
        Ok(())
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Builder {
    pub(crate) fn dfbuild(program: PathBuf) -> anyhow::Result<Builder> {
        let folder = tempfile::tempdir().context("cannot make a store")?;
        Ok(Builder::Dfbuild { program, folder })
    }

    /// Starts a peer, or says what is missing.
    pub(crate) fn peer(name: &str) -> anyhow::Result<Builder> {
        match name {
            "docker" => Ok(Builder::Docker(Box::new(Docker::start()?))),
            "buildah" => {
                ensure!(Path::new(BUILDAH).is_file(), "{BUILDAH} is not there");
                let folder = tempfile::tempdir().context("cannot make a store")?;
                Ok(Builder::Buildah { folder })
            }
            other => bail!("no peer is called `{other}`"),
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Builder::Dfbuild { .. } => "dfbuild",
            Builder::Docker(_) => "docker",
            Builder::Buildah { .. } => "buildah",
        }
    }

    pub(crate) fn version(&self) -> String {
        let text = match self {
            Builder::Dfbuild { program, .. } => {
                command::output(Command::new(program).arg("--version"))
            }
            Builder::Docker(_) => command::output(Command::new(DOCKER).arg("--version")),
            Builder::Buildah { .. } => command::output(Command::new(BUILDAH).arg("--version")),
        };
        let text = text.unwrap_or_default();
        let digits = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
        text.split_whitespace()
            .find(digits)
            .unwrap_or("?")
            .trim_end_matches(',')
            .to_owned()
    }

    /// Gives it a new and empty folder: the next build is cold.
    pub(crate) fn renew(&mut self, spent: &mut Spent) -> anyhow::Result<()> {
        let new = tempfile::tempdir().context("cannot make a folder")?;
        match self {
            Builder::Dfbuild { folder, .. } | Builder::Buildah { folder } => {
                spent.folders.push(mem::replace(folder, new));
            }
            Builder::Docker(docker) => {
                docker.stop();
                spent.folders.push(mem::replace(&mut docker.folder, new));
                docker.process = Docker::daemon(docker.folder.path())?;
                docker.wait()?;
            }
        }
        Ok(())
    }

    /// Returns the command that builds `job` and keeps the image in the builder's own store.
    pub(crate) fn build(&self, job: &Job<'_>) -> Command {
        let mut command = match self {
            Builder::Dfbuild { program, folder } => {
                let mut command = Command::new(program);
                command
                    .args(["build", "--progress=quiet", "--tag", IMAGE, "--store"])
                    .arg(folder.path().join("store"));
                command
            }
            Builder::Docker(docker) => {
                let mut command = docker.client();
                command.args(["build", "--quiet", "--network=host", "--tag", IMAGE]);
                command
            }
            Builder::Buildah { folder } => {
                let mut command = buildah(folder.path());
                command.args(["build", "--quiet", "--layers", "--network=host"]);
                command.args(["--runtime", RUNTIME, "--tls-verify=false"]);
                command.args(["--tag", IMAGE]);
                command
            }
        };
        if let Some(secret) = job.secret {
            command
                .arg("--secret")
                .arg(format!("id=tok,src={}", secret.display()));
        }
        command.arg(job.context);
        command
    }

    /// Returns the command that writes the built image as an archive, or `None` where it cannot.
    ///
    /// BuildKit in Docker 20.10 has no `type=oci`: `docker save` is all there is.
    pub(crate) fn export(&self, job: &Job<'_>, form: &str, archive: &Path) -> Option<Command> {
        match self {
            Builder::Dfbuild { .. } => {
                let mut command = self.build(job);
                command.arg("--output").arg(format!(
                    "type=oci,dest={},compression={form}",
                    archive.display()
                ));
                Some(command)
            }
            Builder::Docker(docker) => (form == "uncompressed").then(|| {
                let mut command = docker.client();
                command.args(["save", "--output"]).arg(archive);
                command.arg(IMAGE);
                command
            }),
            Builder::Buildah { folder } => {
                let mut command = buildah_push(folder.path(), form);
                command.arg(IMAGE);
                command.arg(format!("oci-archive:{}", archive.display()));
                Some(command)
            }
        }
    }

    /// Returns the command that sends the built image to a registry on this machine, or `None` where it cannot.
    pub(crate) fn push(&self, form: &str, registry: &str) -> Option<Command> {
        let name = format!("{registry}/{IMAGE}");
        match self {
            Builder::Dfbuild { program, folder } => {
                let mut command = Command::new(program);
                command
                    .args(["push", "--progress=quiet", "--compression", form, "--store"])
                    .arg(folder.path().join("store"))
                    .args([IMAGE, &name]);
                Some(command)
            }
            Builder::Docker(docker) => (form == "gzip").then(|| {
                let mut command = docker.client();
                command.args(["push", "--quiet", &name]);
                command
            }),
            Builder::Buildah { folder } => {
                let mut command = buildah_push(folder.path(), form);
                command.args(["--tls-verify=false", IMAGE]);
                command.arg(format!("docker://{name}"));
                Some(command)
            }
        }
    }

    /// Returns the command that gives the image its name in a registry, for those who can push under its own name only.
    pub(crate) fn name_for(&self, registry: &str) -> Option<Command> {
        let Builder::Docker(docker) = self else {
            return None;
        };
        let mut command = docker.client();
        command.args(["tag", IMAGE, &format!("{registry}/{IMAGE}")]);
        Some(command)
    }

    /// Returns the processes of its daemon.
    pub(crate) fn daemons(&self) -> Vec<u32> {
        match self {
            Builder::Docker(docker) => process::daemons(docker.process.id()),
            _ => Vec::new(),
        }
    }
}

impl Docker {
    fn start() -> anyhow::Result<Docker> {
        for program in [DOCKER, DOCKER_DAEMON] {
            ensure!(Path::new(program).is_file(), "{program} is not there");
        }
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let process = Docker::daemon(folder.path())?;
        let docker = Docker { process, folder };
        docker.wait()?;
        Ok(docker)
    }

    fn daemon(folder: &Path) -> anyhow::Result<Child> {
        let path = |name: &str| folder.join(name);
        let log = fs::File::create(path("log")).context("cannot make a log")?;
        Command::new(DOCKER_DAEMON)
            .arg("--data-root")
            .arg(path("data"))
            .arg("--exec-root")
            .arg(path("exec"))
            .arg("--pidfile")
            .arg(path("pid"))
            .arg("-H")
            .arg(format!("unix://{}", path("socket").display()))
            .args([
                "--iptables=false",
                "--bridge=none",
                "--storage-driver=overlay2",
            ])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("cannot start the daemon")
    }

    /// Waits until it answers.
    fn wait(&self) -> anyhow::Result<()> {
        for _ in 0..MOST_WAITS {
            let answer = self.client().arg("version").output();
            if answer.is_ok_and(|output| output.status.success()) {
                return Ok(());
            }
            sleep(Duration::from_millis(200));
        }
        bail!("the Docker daemon does not answer")
    }

    fn stop(&mut self) {
        // A signal that lets it take down its own processes; `Child::kill` would leave them.
        let _ = Command::new("kill")
            .arg(self.process.id().to_string())
            .status();
        let _ = self.process.wait();
    }

    fn client(&self) -> Command {
        let mut command = Command::new(DOCKER);
        let socket = self.folder.path().join("socket");
        command
            .env("DOCKER_HOST", format!("unix://{}", socket.display()))
            .env("DOCKER_BUILDKIT", "1")
            .env("DOCKER_CONFIG", self.folder.path().join("config"));
        command
    }
}

fn buildah(folder: &Path) -> Command {
    let mut command = Command::new(BUILDAH);
    command
        .arg("--root")
        .arg(folder.join("root"))
        .arg("--runroot")
        .arg(folder.join("run"))
        .args(["--storage-driver", "overlay"]);
    command
}

/// Returns the command that gives an image away, without its name and the destination: options come first.
fn buildah_push(folder: &Path, form: &str) -> Command {
    let mut command = buildah(folder);
    command.args(["push", "--quiet"]);
    match form {
        "uncompressed" => command.arg("--disable-compression"),
        form => command.args(["--compression-format", form]),
    };
    command
}
