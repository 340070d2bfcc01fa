//! A context that is a git repository: `URL[#REF[:FOLDER]]`.
//!
//! The parts of the URL reach git behind `--` and only after a check, so that none of them is taken for an option
//! (CVE-2019-13139), the folder cannot lead out of the clone (CVE-2026-33748), and nothing of the repository runs: no hooks,
//! no submodules (CVE-2024-32002), no filters of a template.

use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// Schemes that git may use for the URL and for what it redirects to.
const PROTOCOLS: &str = "https:http:ssh:git";

/// A repository, what of it to take, and which folder of that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GitUrl {
    remote: String,
    reference: Option<String>,
    folder: Option<PathBuf>,
}

impl GitUrl {
    /// Reads a URL as `docker build` does; `None` is something else, such as a folder.
    pub(crate) fn parse(text: &str) -> Result<Option<GitUrl>> {
        let (address, fragment) = match text.split_once('#') {
            Some((address, fragment)) => (address, Some(fragment)),
            None => (text, None),
        };
        let is_web = address.starts_with("https://") || address.starts_with("http://");
        let is_complete = address.starts_with("git://")
            || address.starts_with("ssh://")
            || is_web && address.trim_end_matches('/').ends_with(".git")
            || address.starts_with("git@") && address.contains(':');
        let remote = if is_complete {
            address.to_owned()
        } else if address.starts_with("github.com/") {
            format!("https://{address}")
        } else {
            return Ok(None);
        };
        if remote
            .chars()
            .any(|character| character.is_control() || character == ' ')
        {
            bail!("the git URL has a space or a control character in it");
        }
        let host = remote
            .split_once("://")
            .map_or(remote.as_str(), |(_, rest)| rest);
        if host.starts_with('-') {
            bail!("the git URL has no host");
        }
        let (reference, folder) = match fragment.map(|fragment| fragment.split_once(':')) {
            None => (None, None),
            Some(None) => (fragment, None),
            Some(Some((reference, folder))) => (Some(reference), Some(folder)),
        };
        let reference = reference.filter(|reference| !reference.is_empty());
        if let Some(reference) = reference {
            check_reference(reference)?;
        }
        let folder = folder
            .map(|folder| folder.trim_start_matches('/'))
            .filter(|folder| !folder.is_empty())
            .map(PathBuf::from);
        if let Some(folder) = &folder {
            let is_inside =
                |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
            if !folder.components().all(is_inside) {
                bail!(
                    "the folder `{}` of the git URL leads out of the repository",
                    folder.display()
                );
            }
        }
        Ok(Some(GitUrl {
            remote,
            reference: reference.map(str::to_owned),
            folder,
        }))
    }

    /// Returns the URL without a password, for messages (CVE-2023-26054).
    fn shown(&self) -> String {
        match self.remote.split_once("://") {
            Some((scheme, rest)) => {
                let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
                match host.rsplit_once('@') {
                    Some((_, host)) => format!("{scheme}://{host}/{path}"),
                    None => self.remote.clone(),
                }
            }
            None => self.remote.clone(),
        }
    }
}

/// Refuses what git would not take for a branch, a tag or a commit (git-check-ref-format).
fn check_reference(reference: &str) -> Result<()> {
    let is_plain = |character: char| {
        character.is_alphanumeric() || matches!(character, '.' | '_' | '/' | '-' | '+' | '@')
    };
    let is_bad = reference.starts_with(['-', '/', '.'])
        || reference.ends_with(['/', '.'])
        || reference.contains("..")
        || reference.contains("@{")
        || !reference.chars().all(is_plain);
    if is_bad {
        bail!("`{reference}` is no name of a branch, a tag or a commit");
    }
    Ok(())
}

/// Clones into an empty folder, and returns the folder of the context.
pub(crate) fn clone(url: &GitUrl, into: &Path) -> Result<PathBuf> {
    let clone = into.join("repository");
    fs::create_dir(&clone).context("cannot make a folder for the repository")?;
    let shown = url.shown();
    git(&clone, &["init", "--quiet", "--template="])?;
    git(&clone, &["remote", "add", "--", "origin", &url.remote])?;
    let wanted = url.reference.as_deref().unwrap_or("HEAD");
    let fetched = git(
        &clone,
        &[
            "fetch",
            "--quiet",
            "--depth=1",
            "--no-tags",
            "--no-recurse-submodules",
            "--",
            "origin",
            wanted,
        ],
    );
    if let Err(error) = fetched {
        // A shortened commit is nothing that a server can be asked for: everything is fetched and looked through.
        let is_commit = wanted.len() >= 4 && wanted.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_commit {
            return Err(error.context(format!("cannot get `{wanted}` of {shown}")));
        }
        git(
            &clone,
            &[
                "fetch",
                "--quiet",
                "--no-recurse-submodules",
                "--",
                "origin",
                "+refs/heads/*:refs/remotes/origin/*",
            ],
        )
        .with_context(|| format!("cannot get {shown}"))?;
        git(&clone, &["checkout", "--quiet", "--detach", wanted])
            .with_context(|| format!("`{wanted}` is nothing that {shown} has"))?;
    } else {
        git(&clone, &["checkout", "--quiet", "--detach", "FETCH_HEAD"])?;
    }
    let root = fs::canonicalize(&clone)?;
    // As BuildKit without `keep-git-dir`: two clones of the same commit are the same context.
    fs::remove_dir_all(root.join(".git"))?;
    let Some(folder) = &url.folder else {
        return Ok(root);
    };
    let real = fs::canonicalize(root.join(folder))
        .with_context(|| format!("{shown} has no folder `{}`", folder.display()))?;
    if !real.starts_with(&root) || !real.is_dir() {
        bail!(
            "`{}` of {shown} is a link that leads out of the repository, or no folder",
            folder.display()
        );
    }
    Ok(real)
}

fn git(folder: &Path, arguments: &[&str]) -> Result<()> {
    let mut command = Command::new("git");
    command
        .arg("-C")
        .arg(folder)
        .args(["-c", "core.hooksPath=/dev/null", "-c", "core.symlinks=true"])
        .args([
            "-c",
            "advice.detachedHead=false",
            "-c",
            "core.autocrlf=false",
        ])
        .args(arguments)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_LFS_SKIP_SMUDGE", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    if !cfg!(test) {
        command.env("GIT_ALLOW_PROTOCOL", PROTOCOLS);
    }
    let output = command
        .output()
        .context("cannot start git, which a git context needs")?;
    if output.status.success() {
        return Ok(());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    // Git repeats the URL, and with it a password.
    let reason = errors
        .lines()
        .find_map(|line| line.strip_prefix("fatal: "))
        .unwrap_or("it failed");
    let reason = if reason.contains("://") {
        "the repository cannot be read"
    } else {
        reason
    };
    bail!("git: {}", dockerfile_report::visible(reason))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn parse(text: &str) -> Option<GitUrl> {
        GitUrl::parse(text).expect("no mistake in it")
    }

    #[test]
    fn urls_are_read_as_docker_does() {
        let url = parse("https://example.com/a/b.git#v1.2:docker/app").expect("a git URL");
        assert_eq!(url.remote, "https://example.com/a/b.git");
        assert_eq!(url.reference.as_deref(), Some("v1.2"));
        assert_eq!(url.folder.as_deref(), Some(Path::new("docker/app")));
        let url = parse("git@example.com:a/b.git#:sub").expect("a git URL");
        assert_eq!((url.reference, url.folder), (None, Some("sub".into())));
        assert_eq!(
            parse("github.com/a/b").map(|url| url.remote),
            Some("https://github.com/a/b".to_owned())
        );
        for text in [".", "app.git", "https://example.com/context.tar", "/a#b"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn nothing_becomes_an_option_or_a_way_out() {
        for fragment in [
            "--upload-pack=x",
            "-c",
            "a..b",
            "a b",
            "a:../..",
            "a:/../x",
            "x\n",
            "HEAD@{1}",
        ] {
            let url = format!("https://example.com/a.git#{fragment}");
            assert!(GitUrl::parse(&url).is_err(), "{fragment}");
        }
        assert!(GitUrl::parse("ssh://-oProxyCommand=x y/a").is_err());
    }

    #[test]
    fn passwords_are_not_shown() {
        let url = parse("https://user:secret@example.com/a.git").expect("a git URL");
        assert_eq!(url.shown(), "https://example.com/a.git");
    }

    fn repository() -> Option<(tempfile::TempDir, GitUrl)> {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let origin = folder.path().join("origin");
        fs::create_dir_all(origin.join("sub")).expect("made");
        fs::write(origin.join("sub/Dockerfile"), "FROM scratch\n").expect("written");
        symlink("/etc", origin.join("out")).expect("linked");
        let git = |arguments: &[&str]| git(&origin, arguments).is_ok();
        let is_made = git(&["init", "--quiet", "--initial-branch=main"])
            && git(&["add", "."])
            && git(&[
                "-c",
                "user.name=a",
                "-c",
                "user.email=a@b",
                "commit",
                "--quiet",
                "-m",
                "x",
            ]);
        let url = GitUrl {
            remote: origin.display().to_string(),
            reference: Some("main".to_owned()),
            folder: None,
        };
        // Without git there is nothing to test.
        is_made.then_some((folder, url))
    }

    #[test]
    fn a_folder_of_a_branch_is_cloned() {
        let Some((folder, mut url)) = repository() else {
            return;
        };
        let into = folder.path().join("into");
        fs::create_dir(&into).expect("made");
        url.folder = Some("sub".into());
        let context = clone(&url, &into).expect("cloned");
        assert!(context.join("Dockerfile").is_file());
        assert!(!into.join("repository/.git").exists());
    }

    #[test]
    fn a_link_out_of_the_clone_is_refused() {
        let Some((folder, mut url)) = repository() else {
            return;
        };
        let into = folder.path().join("into");
        fs::create_dir(&into).expect("made");
        url.folder = Some("out".into());
        assert!(clone(&url, &into).is_err());
    }
}
