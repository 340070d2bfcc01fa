//! `cargo xtask test-daemon`: formatted files, given to a real BuildKit.
//!
//! Starts a Docker daemon of its own, with its own data and socket, so nothing of a daemon that runs is touched. Needs
//! root, Linux, and `docker.io` and `busybox-static` of Debian; says so and passes where they are not there.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use dockerfile_format::{Formatter, Options, RunStyle};
use tempfile::TempDir;

const DAEMON: &str = "/usr/sbin/dockerd";
const CLIENT: &str = "/usr/bin/docker";
const BUSYBOX: &str = "/bin/busybox";
/// How many files of the corpus the frontend reads before and after.
const FRONTEND_FILES: usize = 100;
/// The daemon needs about two seconds here.
const MOST_WAITS: usize = 150;

/// What is built before and after. The daemon of Debian 12 knows no here-documents.
const BUILDS: &[&str] = &[
    r#"from base:1 as one
ENV GREETING hello   world
run mkdir -p /srv&&echo "$GREETING" > /srv/greeting; \
    for i in 1 2 3; do echo $i >> /srv/list; done && \
  # a comment
  if [ -f /srv/list ]; then cat /srv/list | sort -r > /srv/sorted; else exit 1; fi

workdir /srv
from base:1
COPY --from=one /srv   /srv
CMD [ "cat","/srv/greeting" ]
"#,
    r#"FROM base:1
ARG A=1 B="2  3"
run set -eux; \
	words=' \
		one \
		two \
	'; \
	\
	for word in $words; do case "$word" in one) echo 1;; *) echo "$B" || true;; esac; done > /out; \
	(cd / && ls -d bin) | cat >> /out; \
	f() { echo "in  f"; }; f >> /out
onbuild run echo  hello
healthcheck --interval=5s --timeout=3s CMD cat /out||exit 1
"#,
];

pub(crate) fn test_daemon() -> anyhow::Result<()> {
    for program in [DAEMON, CLIENT, BUSYBOX] {
        if !Path::new(program).is_file() {
            println!("SKIPPED: {program} is not there (apt-get install docker.io busybox-static)");
            return Ok(());
        }
    }
    if !is_root() {
        println!("SKIPPED: a Docker daemon wants root");
        return Ok(());
    }
    let daemon = Daemon::start()?;
    daemon.import_base()?;
    for (idx, text) in BUILDS.iter().enumerate() {
        same_image_when_commands_are_kept(&daemon, idx, text)?;
        same_files_when_commands_are_laid_out(&daemon, idx, text)?;
    }
    println!(
        "{} builds: with --run keep the same image from the cache, else the same files",
        BUILDS.len()
    );
    same_verdict_of_the_frontend(&daemon)
}

fn is_root() -> bool {
    // The owner of our own process, without a call that needs a library.
    fs::metadata("/proc/self").is_ok_and(|metadata| owner(&metadata) == 0)
}

#[cfg(unix)]
fn owner(metadata: &fs::Metadata) -> u32 {
    use std::os::unix::fs::MetadataExt as _;
    metadata.uid()
}

#[cfg(not(unix))]
fn owner(_: &fs::Metadata) -> u32 {
    u32::MAX
}

fn formatted(text: &str, run: RunStyle) -> anyhow::Result<String> {
    let options = Options {
        run,
        ..Options::default()
    };
    let edit = Formatter::new().format(text, &options, None).edit;
    edit.apply(text).context("the edits do not fit")
}

fn same_image_when_commands_are_kept(
    daemon: &Daemon,
    idx: usize,
    text: &str,
) -> anyhow::Result<()> {
    let before = daemon.build(&format!("before:{idx}"), text)?;
    let kept = formatted(text, RunStyle::Keep)?;
    ensure!(kept != text, "build {idx} is formatted already");
    let after = daemon.build(&format!("kept:{idx}"), &kept)?;
    ensure!(
        before == after,
        "build {idx} makes another image with --run keep:\n{kept}"
    );
    Ok(())
}

fn same_files_when_commands_are_laid_out(
    daemon: &Daemon,
    idx: usize,
    text: &str,
) -> anyhow::Result<()> {
    let pretty = formatted(text, RunStyle::Pretty)?;
    daemon.build(&format!("pretty:{idx}"), &pretty)?;
    let before = daemon.files(&format!("before:{idx}"))?;
    let after = daemon.files(&format!("pretty:{idx}"))?;
    ensure!(!before.is_empty(), "build {idx} has no files");
    ensure!(
        before == after,
        "build {idx} has other files when it is laid out:\n{pretty}"
    );
    Ok(())
}

/// Asks the frontend for a stage that is not there: it reads the whole file and says whether it could.
fn same_verdict_of_the_frontend(daemon: &Daemon) -> anyhow::Result<()> {
    let Some(corpus) = test_support::open_corpus() else {
        println!("SKIPPED: the frontend's verdict on real files (no corpus)");
        return Ok(());
    };
    let list = fs::read_to_string(corpus.join("open_core.txt")).context("no open_core.txt")?;
    let paths: Vec<&str> = list.lines().collect();
    let mut count = 0;
    let mut accepted = 0;
    for path in paths.iter().step_by((paths.len() / FRONTEND_FILES).max(1)) {
        let Ok(text) = fs::read_to_string(corpus.join(path)) else {
            continue;
        };
        let before = daemon.verdict(&text)?;
        let after = daemon.verdict(&formatted(&text, RunStyle::Pretty)?)?;
        ensure!(
            before == after,
            "{path}: the frontend said {before:?}, now {after:?}"
        );
        count += 1;
        accepted += usize::from(before.contains("could not be found"));
    }
    ensure!(
        accepted * 2 > count,
        "the frontend accepts only {accepted} of {count} files"
    );
    println!(
        "{count} real files: the frontend says the same before and after; it accepts {accepted}"
    );
    Ok(())
}

/// A Docker daemon with a folder of its own; it ends with this value.
struct Daemon {
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
    fn start() -> anyhow::Result<Daemon> {
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
            .args(["--iptables=false", "--bridge=none", "--storage-driver=vfs"])
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

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn client(&self, arguments: &[&str]) -> Command {
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

    fn answer(&self, arguments: &[&str]) -> anyhow::Result<Vec<u8>> {
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
    fn import_base(&self) -> anyhow::Result<()> {
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
    fn build(&self, tag: &str, text: &str) -> anyhow::Result<String> {
        let context = self.context(text)?;
        self.answer(&["build", "--quiet", "--network=host", "--tag", tag, &context])?;
        let id = self.answer(&["images", "--no-trunc", "--quiet", tag])?;
        Ok(String::from_utf8_lossy(&id).trim().to_owned())
    }

    /// Returns the files of an image with their modes and contents. Times differ from build to build.
    fn files(&self, image: &str) -> anyhow::Result<BTreeMap<PathBuf, (u32, Vec<u8>)>> {
        let id = self.answer(&["create", image, "true"])?;
        let id = String::from_utf8_lossy(&id).trim().to_owned();
        let archive = self.answer(&["export", &id])?;
        let mut files = BTreeMap::new();
        for entry in tar::Archive::new(archive.as_slice()).entries()? {
            let mut entry = entry?;
            let path = entry.path()?.into_owned();
            let mut content = Vec::new();
            entry.read_to_end(&mut content)?;
            files.insert(path, (entry.header().mode()?, content));
        }
        Ok(files)
    }

    /// Returns what the frontend says about a file when it is asked for a stage that is not there.
    fn verdict(&self, text: &str) -> anyhow::Result<String> {
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
