//! The pre-commit hooks, tried with the real pre-commit on a repository made for it.
//!
//! The hooks come from a clone of this repository at `HEAD`, as a user's pre-commit clones it: what is not committed
//! is not tested.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use crate::workspace::Workspace;
use crate::{command, peers};

/// What the check and the fix have something to say about: ADD where COPY does, MAINTAINER, no tag.
const BAD_DOCKERFILE: &str = "\
FROM ubuntu
MAINTAINER someone@example.com
WORKDIR /app
ADD app.py /app/
CMD [\"python3\", \"/app/app.py\"]
";

/// What the third hook is to format, and how it looks then.
const UNTIDY_DOCKERFILE: &str = "from debian:12\nrun apt-get update&&apt-get install -y curl\n";
const TIDY_DOCKERFILE: &str = "\
FROM debian:12
RUN apt-get update \\
    && apt-get install -y curl
";

/// Installs the hooks and checks that the first finds, the second repairs and the third formats.
pub(crate) fn test_hooks(workspace: &Workspace) -> anyhow::Result<()> {
    peers::install_packages(workspace, &["pre-commit"])?;
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let hooks = clone_hooks(workspace, folder.path())?;
    let user = UserRepository::create(workspace, folder.path(), &hooks)?;

    let (passed, text) = user.run_hook("dflint-check")?;
    ensure!(!passed, "dflint-check accepts a bad Dockerfile:\n{text}");
    ensure!(
        text.contains("Dockerfile"),
        "dflint-check does not name the file:\n{text}"
    );
    ensure!(
        !text.contains("dockerignore") && !text.contains("notes.txt"),
        "dflint-check looks at other files:\n{text}"
    );
    ensure!(
        user.dockerfile()? == BAD_DOCKERFILE,
        "dflint-check changes a file:\n{text}"
    );

    let (passed, text) = user.run_hook("dflint-fix")?;
    ensure!(
        !passed,
        "dflint-fix does not stop the commit of a file that it repairs:\n{text}"
    );
    ensure!(
        text.contains("files were modified by this hook"),
        "dflint-fix repairs nothing:\n{text}"
    );
    let repaired = user.dockerfile()?;
    ensure!(
        repaired != BAD_DOCKERFILE,
        "dflint-fix repairs nothing:\n{text}"
    );

    let (_, text) = user.run_hook("dflint-fix")?;
    ensure!(
        user.dockerfile()? == repaired,
        "dflint-fix repairs a second time what it has repaired:\n{text}"
    );
    println!("pre-commit: dflint-check finds, dflint-fix repairs:\n{repaired}");

    let (passed, text) = user.run_hook("dflint-format")?;
    ensure!(
        passed && user.dockerfile()? == repaired,
        "dflint-format is not content with a tidy file:\n{text}"
    );
    user.write_dockerfile(UNTIDY_DOCKERFILE)?;
    let (passed, text) = user.run_hook("dflint-format")?;
    ensure!(
        !passed && text.contains("files were modified by this hook"),
        "dflint-format does not stop the commit of a file that it formats:\n{text}"
    );
    ensure!(
        user.dockerfile()? == TIDY_DOCKERFILE,
        "dflint-format does not format:\n{text}"
    );
    println!("pre-commit: dflint-format formats:\n{TIDY_DOCKERFILE}");
    Ok(())
}

/// Clones what is committed.
fn clone_hooks(workspace: &Workspace, folder: &Path) -> anyhow::Result<PathBuf> {
    let hooks = folder.join("hooks");
    // The repository may belong to another user, as in a container.
    let clone = [
        "-c",
        "safe.directory=*",
        "clone",
        "--quiet",
        "--no-hardlinks",
    ];
    command::run(
        Command::new("git")
            .args(clone)
            .arg(&workspace.root)
            .arg(&hooks),
    )?;
    Ok(hooks)
}

/// A repository of somebody who uses the hooks.
struct UserRepository {
    root: PathBuf,
    pre_commit: PathBuf,
    cache: PathBuf,
    build_folder: PathBuf,
}

impl UserRepository {
    fn create(
        workspace: &Workspace,
        folder: &Path,
        hooks: &Path,
    ) -> anyhow::Result<UserRepository> {
        let root = folder.join("user");
        fs::create_dir(&root).context("cannot make the user's repository")?;
        let revision = git(hooks, ["rev-parse", "HEAD"])?;
        let config = format!(
            "repos:\n  - repo: {}\n    rev: {revision}\n    hooks:\n      - id: dflint-check\n      - id: dflint-fix\n      - id: dflint-format\n",
            hooks.display()
        );
        fs::write(root.join(".pre-commit-config.yaml"), config)?;
        fs::write(root.join("Dockerfile"), BAD_DOCKERFILE)?;
        // Neither of the two is a Dockerfile.
        fs::write(root.join("Dockerfile.dockerignore"), "FROM\n")?;
        fs::write(root.join("notes.txt"), "FROM\n")?;
        git(&root, ["init", "--quiet"])?;
        git(&root, ["add", "--all"])?;
        Ok(UserRepository {
            root,
            pre_commit: peers::find(workspace, "pre-commit").context("pre-commit is not there")?,
            cache: folder.join("cache"),
            // Kept from run to run: the dependencies are compiled once.
            build_folder: workspace.path("target/pre-commit"),
        })
    }

    /// Runs one hook over all files and returns whether it passed, and what it printed.
    fn run_hook(&self, id: &str) -> anyhow::Result<(bool, String)> {
        let output = Command::new(&self.pre_commit)
            .args(["run", "--all-files", "--verbose", "--color=never", id])
            .current_dir(&self.root)
            .env("PRE_COMMIT_HOME", &self.cache)
            .env("CARGO_TARGET_DIR", &self.build_folder)
            .output()
            .context("cannot run pre-commit")?;
        let text = [output.stdout, output.stderr]
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .concat();
        // 1: a hook failed. Anything else is a fault of the set-up.
        ensure!(
            matches!(output.status.code(), Some(0 | 1)) && !text.contains("An unexpected error"),
            "pre-commit cannot run the hook `{id}`:\n{text}"
        );
        Ok((output.status.success(), text))
    }

    fn write_dockerfile(&self, text: &str) -> anyhow::Result<()> {
        fs::write(self.root.join("Dockerfile"), text).context("cannot write the Dockerfile")
    }

    fn dockerfile(&self) -> anyhow::Result<String> {
        fs::read_to_string(self.root.join("Dockerfile")).context("the user's Dockerfile is gone")
    }
}

fn git<A: AsRef<OsStr>>(
    folder: &Path,
    arguments: impl IntoIterator<Item = A>,
) -> anyhow::Result<String> {
    command::output(Command::new("git").args(arguments).current_dir(folder))
}
