//! A Docker daemon of our own.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tempfile::TempDir;

const DAEMON: &str = "/usr/sbin/dockerd";
const CLIENT: &str = "/usr/bin/docker";
const BUSYBOX: &str = "/bin/busybox";
/// The daemon needs about two seconds here.
const MOST_WAITS: usize = 150;
/// How much of a file a message has.
const SHOWN_BYTES: usize = 200;

/// What a test needs and a machine may lack: the programs, and the Debian packages that have them.
pub(super) fn missing_program() -> Option<&'static str> {
    [DAEMON, CLIENT, BUSYBOX]
        .into_iter()
        .find(|program| !Path::new(program).is_file())
}

/// A file of an image.
#[derive(PartialEq, Eq)]
pub(super) struct File {
    kind: tar::EntryType,
    mode: u32,
    owner: (u64, u64),
    link: Option<PathBuf>,
    content: Vec<u8>,
}

/// Without all of its bytes, which nobody could read in a message.
impl fmt::Debug for File {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = &self.content[..self.content.len().min(SHOWN_BYTES)];
        write!(
            formatter,
            "{:?} {:o} {:?} {:?} {} bytes: {:?}",
            self.kind,
            self.mode,
            self.owner,
            self.link,
            self.content.len(),
            String::from_utf8_lossy(start)
        )
    }
}

impl File {
    /// Returns whether all but the bytes is the same.
    pub(super) fn is_like(&self, other: &File) -> bool {
        (self.kind, self.mode, self.owner, &self.link)
            == (other.kind, other.mode, other.owner, &other.link)
    }
}

/// A Docker daemon with a folder of its own; it ends with this value.
pub(super) struct Daemon {
    process: Child,
    folder: TempDir,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // A signal that lets it take down its own processes; `Child::kill` would leave them.
        let _ = Command::new("kill")
            .arg(self.process.id().to_string())
            .status();
        let _ = self.process.wait();
    }
}

impl Daemon {
    /// Starts it with a storage driver: `vfs` works everywhere, `overlay2` on most disks, and is fast.
    pub(super) fn start(driver: &str) -> anyhow::Result<Daemon> {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let path = |name: &str| folder.path().join(name);
        let log = fs::File::create(path("log")).context("cannot make a log")?;
        let process = Command::new(DAEMON)
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
                "--storage-driver",
                driver,
            ])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("cannot start the daemon")?;
        let daemon = Daemon { process, folder };
        for _ in 0..MOST_WAITS {
            let answer = daemon.client(&["version"]).output();
            if answer.is_ok_and(|output| output.status.success()) {
                return Ok(daemon);
            }
            sleep(Duration::from_millis(200));
        }
        let log = fs::read_to_string(daemon.path("log")).unwrap_or_default();
        bail!("the daemon does not answer:\n{log}")
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn client(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(CLIENT);
        command
            .args(arguments)
            .env(
                "DOCKER_HOST",
                format!("unix://{}", self.path("socket").display()),
            )
            .env("DOCKER_BUILDKIT", "1")
            .env("DOCKER_CONFIG", self.path("config"));
        command
    }

    pub(super) fn answer(&self, arguments: &[&str]) -> anyhow::Result<Vec<u8>> {
        let output = self
            .client(arguments)
            .output()
            .context("cannot run docker")?;
        ensure!(
            output.status.success(),
            "docker {arguments:?} failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(output.stdout)
    }

    /// Makes a base image of busybox alone.
    pub(super) fn import_base(&self) -> anyhow::Result<()> {
        let root = self.path("base");
        fs::create_dir_all(root.join("bin")).context("cannot make the base image")?;
        fs::copy(BUSYBOX, root.join("bin/busybox")).context("cannot copy busybox")?;
        let applets = crate::command::output(Command::new(BUSYBOX).arg("--list"))?;
        for applet in applets.lines().filter(|applet| *applet != "busybox") {
            fs::hard_link(root.join("bin/busybox"), root.join("bin").join(applet))
                .with_context(|| format!("cannot link {applet}"))?;
        }
        let archive = self.path("base.tar");
        crate::command::run(
            Command::new("tar")
                .arg("-cf")
                .arg(&archive)
                .arg("-C")
                .arg(&root)
                .arg("."),
        )?;
        self.answer(&["import", &archive.to_string_lossy(), "base:1"])
            .map(drop)
    }

    fn context(&self, text: &str) -> anyhow::Result<String> {
        let context = self.path("context");
        fs::create_dir_all(&context).context("cannot make a build context")?;
        fs::write(context.join("Dockerfile"), text).context("cannot write a Dockerfile")?;
        Ok(context.to_string_lossy().into_owned())
    }

    /// Builds an image and returns its ID.
    pub(super) fn build(&self, tag: &str, text: &str) -> anyhow::Result<String> {
        let context = self.context(text)?;
        self.answer(&["build", "--quiet", "--network=host", "--tag", tag, &context])?;
        let id = self.answer(&["images", "--no-trunc", "--quiet", tag])?;
        Ok(String::from_utf8_lossy(&id).trim().to_owned())
    }

    /// Returns the files of an image. Times differ from build to build, and are not looked at.
    pub(super) fn files(&self, image: &str) -> anyhow::Result<BTreeMap<PathBuf, File>> {
        let id = self.answer(&["create", image, "true"])?;
        let id = String::from_utf8_lossy(&id).trim().to_owned();
        let archive = self.answer(&["export", &id])?;
        self.answer(&["rm", &id])?;
        let mut files = BTreeMap::new();
        for entry in tar::Archive::new(archive.as_slice()).entries()? {
            let mut entry = entry?;
            let path = entry.path()?.into_owned();
            let mut content = Vec::new();
            entry.read_to_end(&mut content)?;
            let header = entry.header();
            let file = File {
                kind: header.entry_type(),
                mode: header.mode()?,
                owner: (header.uid()?, header.gid()?),
                link: entry.link_name()?.map(Cow::into_owned),
                content,
            };
            files.insert(path, file);
        }
        Ok(files)
    }

    /// Returns what the frontend says about a file when it is asked for a stage that is not there.
    pub(super) fn verdict(&self, text: &str) -> anyhow::Result<String> {
        let context = self.context(text)?;
        let output = self
            .client(&["build", "--target", "dflint-asks-for-no-stage", &context])
            .output()
            .context("cannot run docker")?;
        let message = String::from_utf8_lossy(&output.stderr);
        let last = message.trim().lines().last().unwrap_or_default();
        // Lines move when a file is formatted.
        let digits = |c: char| c.is_ascii_digit();
        Ok(last.replace(digits, ""))
    }
}
