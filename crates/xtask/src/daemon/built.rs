//! Images that dfbuild builds, given to Docker, skopeo and a registry; and the same Dockerfiles built by both.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, ensure};
use tempfile::TempDir;

use super::compared;
use super::docker::Daemon;
use super::formatted;
use super::podman;
use crate::bases;
use crate::command::{self, cargo};
use crate::workspace::Workspace;

/// Besides those that the formatter is tested with. The daemon of Debian 12 knows no here-documents.
const BUILDS: &[&str] = &[
    r#"FROM base:1 AS build
WORKDIR /src
COPY . .
RUN mkdir -p /out/bin && cp run.sh /out/bin/run && chmod 4755 /out/bin/run && ln -s run /out/bin/alias && ln /out/bin/run /out/bin/twin

FROM base:1
RUN mkdir -p /etc /data && echo worker:x:1234:1234::/:/bin/sh > /etc/passwd && echo worker:x:1234: > /etc/group && chown worker /data
COPY --from=build --chown=1234:99 /out /opt
COPY --chown=worker folder/ /data/
USER worker
WORKDIR /data
RUN echo "$(id -u) $(pwd)" > who
ENV PATH=/opt/bin:$PATH NAME="a b"
LABEL one=1 two="a $NAME"
EXPOSE 80 53/udp
VOLUME /cache ["/more"]
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=5s --retries=2 CMD test -f who
SHELL ["/bin/sh", "-ec"]
ENTRYPOINT ["run"]
CMD ["hello"]
"#,
    r"FROM base:1
COPY folder /a
RUN rm -r /a/sub && mkdir -p /a/sub && echo new > /a/sub/new && rm /bin/yes
RUN mv /a /b
ADD folder/text.txt /b/sub/
",
];

const PORT: u16 = 5055;

/// A folder of dfbuild's own, and the program.
pub(super) struct Dfbuild {
    program: PathBuf,
    pub(super) folder: TempDir,
}

pub(super) fn test(daemon: &Daemon, workspace: &Workspace) -> anyhow::Result<()> {
    let ours = Dfbuild::compile(workspace)?;
    let base = daemon.path("base-image.tar");
    daemon.answer(&["save", "--output", &base.to_string_lossy(), "base:1"])?;
    ours.answer(&["load", "--input", &base.to_string_lossy()])?;
    let context = context(daemon)?;
    let builds = formatted::BUILDS.iter().chain(BUILDS);
    let mut count = 0;
    for (idx, text) in builds.enumerate() {
        fs::write(context.join("Dockerfile"), text).context("cannot write a Dockerfile")?;
        same_image(daemon, &ours, idx, &context)
            .with_context(|| format!("of build {idx}:\n{text}"))?;
        count += 1;
    }
    println!(
        "{count} builds: Docker takes our image, and its own has the same files and configuration"
    );
    runs_in_docker(daemon, &ours, &context)?;
    skopeo_reads(&ours, &context)?;
    podman::takes(&ours, &context)?;
    goes_through_a_registry(daemon, &ours, &context)
}

impl Dfbuild {
    pub(super) fn compile(workspace: &Workspace) -> anyhow::Result<Dfbuild> {
        command::run(&mut cargo(&workspace.root, &["build", "--package=dfbuild"]))?;
        Ok(Dfbuild {
            program: bases::target(workspace).join("debug/dfbuild"),
            folder: tempfile::tempdir().context("cannot make a store")?,
        })
    }

    pub(super) fn answer(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let mut command = Command::new(&self.program);
        command.args(arguments);
        command.env("DFBUILD_STORE", self.folder.path().join("store"));
        command::output(&mut command)
    }

    /// Builds, and returns where the archive is and the ID of the image.
    pub(super) fn archive(
        &self,
        form: &str,
        tag: &str,
        context: &Path,
    ) -> anyhow::Result<(PathBuf, String)> {
        let archive = self.folder.path().join(format!("{form}.tar"));
        let output = format!("type={form},dest={}", archive.display());
        let context = context.to_string_lossy();
        let id = self.answer(&["build", "-q", "--tag", tag, "--output", &output, &context])?;
        Ok((archive, id))
    }
}

/// Makes files of all kinds for COPY.
fn context(daemon: &Daemon) -> anyhow::Result<PathBuf> {
    let context = daemon.path("files");
    fs::create_dir_all(context.join("folder/sub")).context("cannot make a context")?;
    let files = [
        ("run.sh", "#!/bin/sh\necho \"run $*\"\n"),
        ("folder/text.txt", "text\n"),
        ("folder/sub/deep.txt", "deep\n"),
        ("left-out", "nobody sees it\n"),
        (".dockerignore", "left-out\nDockerfile\n"),
    ];
    for (name, text) in files {
        fs::write(context.join(name), text).with_context(|| format!("cannot write {name}"))?;
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink("text.txt", context.join("folder/link"))
        .context("cannot make a link")?;
    Ok(context)
}

/// Builds with both, gives ours to Docker, and compares what Docker sees.
fn same_image(daemon: &Daemon, ours: &Dfbuild, idx: usize, context: &Path) -> anyhow::Result<()> {
    let (tag, their_tag) = (format!("ours:{idx}"), format!("theirs:{idx}"));
    let (archive, _) = ours.archive("docker", &tag, context)?;
    daemon.answer(&["load", "--input", &archive.to_string_lossy()])?;
    let context = context.to_string_lossy();
    daemon.answer(&[
        "build",
        "--quiet",
        "--network=host",
        "--tag",
        &their_tag,
        &context,
    ])?;
    compared::same(daemon, &tag, &their_tag, &[])
}

fn runs_in_docker(daemon: &Daemon, ours: &Dfbuild, context: &Path) -> anyhow::Result<()> {
    let text = BUILDS.first().context("no build")?;
    fs::write(context.join("Dockerfile"), text).context("cannot write a Dockerfile")?;
    let (archive, _) = ours.archive("docker", "ours:run", context)?;
    daemon.answer(&["load", "--input", &archive.to_string_lossy()])?;
    let printed = daemon.answer(&[
        "run",
        "--rm",
        "--network=none",
        "ours:run",
        "from",
        "Docker",
    ])?;
    ensure!(
        printed == b"run from Docker\n",
        "the container printed {printed:?}"
    );
    println!("docker load, docker run: the container runs");
    Ok(())
}

fn skopeo_reads(ours: &Dfbuild, context: &Path) -> anyhow::Result<()> {
    if Command::new("skopeo").arg("--version").output().is_err() {
        println!("SKIPPED: skopeo is not there (apt-get install skopeo)");
        return Ok(());
    }
    for form in ["oci", "docker"] {
        let (archive, _) = ours.archive(form, "ours:skopeo", context)?;
        let copy = ours.folder.path().join(format!("copy-of-{form}"));
        let from = format!("{form}-archive:{}", archive.display());
        let to = format!("dir:{}", copy.display());
        // It verifies every digest on the way.
        command::output(Command::new("skopeo").args(["copy", "--quiet", &from, &to]))?;
        ensure!(
            copy.join("manifest.json").is_file(),
            "skopeo copied nothing from {from}"
        );
    }
    println!("skopeo copy: reads both forms of archive");
    Ok(())
}

/// A registry that ends with this value.
struct Registry(Child);

impl Drop for Registry {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn goes_through_a_registry(daemon: &Daemon, ours: &Dfbuild, context: &Path) -> anyhow::Result<()> {
    let settings = ours.folder.path().join("registry.yml");
    let root = ours.folder.path().join("registry");
    let text = format!(
        "version: 0.1\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: \"127.0.0.1:{PORT}\"}}\n",
        root.display()
    );
    fs::write(&settings, text).context("cannot write settings")?;
    let mut serve = Command::new("docker-registry");
    serve.arg("serve").arg(&settings);
    let Ok(process) = serve.stdout(Stdio::null()).stderr(Stdio::null()).spawn() else {
        println!("SKIPPED: docker-registry is not there (apt-get install docker-registry)");
        return Ok(());
    };
    let _registry = Registry(process);
    bases::wait_for(PORT)?;
    let name = format!("127.0.0.1:{PORT}/ours:1");
    ours.answer(&[
        "build",
        "-q",
        "--tag",
        &name,
        "--push",
        &context.to_string_lossy(),
    ])?;
    daemon.answer(&["pull", "--quiet", &name])?;
    let printed = daemon.answer(&["run", "--rm", "--network=none", &name, "pulled"])?;
    ensure!(
        printed == b"run pulled\n",
        "the container printed {printed:?}"
    );
    println!("a registry: pushed by us, pulled and run by Docker");
    Ok(())
}
