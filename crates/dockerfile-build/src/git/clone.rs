//! Cloning with the `git` of the machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::url::is_whole_commit;
use super::{GitError, GitUrl};

/// Schemes that git may use for the URL and for what it redirects to.
const PROTOCOLS: &str = "https:http:ssh:git";
/// Variables that would make git work on another repository (git-rev-parse `--local-env-vars`).
const LOCAL_VARIABLES: [&str; 8] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_CEILING_DIRECTORIES",
];
/// What a fetch leaves in `.git` that hangs on the moment.
const TRACES: [&str; 5] = ["FETCH_HEAD", "ORIG_HEAD", "logs", "hooks", "branches"];

/// A clone on the disk.
#[derive(Debug)]
pub struct Clone {
    /// What the URL takes: the root of the repository, or a folder in it.
    pub folder: PathBuf,
    pub commit: String,
}

/// Asks which commit a URL means.
pub fn commit_of(url: &GitUrl) -> Result<String, GitError> {
    if let Some(commit) = url.whole_commit() {
        return Ok(commit.to_owned());
    }
    let reference = url.reference.as_deref().unwrap_or("HEAD");
    let peeled = format!("{reference}^{{}}");
    let listed = git(
        url,
        Path::new("/"),
        &["ls-remote", "--", &url.remote, reference, &peeled],
    )?;
    // A branch wins over a tag, as for git-checkout; of a tag with a message, the commit counts.
    let names = [
        reference.to_owned(),
        format!("refs/heads/{reference}"),
        format!("refs/tags/{reference}^{{}}"),
        format!("refs/tags/{reference}"),
    ];
    let names = [peeled].into_iter().chain(names);
    let find = |name: String| {
        listed.lines().find_map(|line| {
            let (commit, listed) = line.split_once('\t')?;
            (listed == name && is_whole_commit(commit)).then(|| commit.to_owned())
        })
    };
    let missing = || GitError::NoReference {
        remote: url.shown(),
        reference: reference.to_owned(),
    };
    let found = names.into_iter().find_map(find).ok_or_else(missing)?;
    match &url.commit {
        Some(wanted) if !found.starts_with(wanted) => Err(GitError::OtherCommit {
            found,
            wanted: wanted.clone(),
        }),
        _ => Ok(found),
    }
}

/// Clones into an empty folder.
pub fn clone(url: &GitUrl, into: &Path, keeps_git_folder: bool) -> Result<Clone, GitError> {
    let disk = |source| GitError::Disk { source };
    let clone = into.join("repository");
    fs::create_dir(&clone).map_err(disk)?;
    let run = |arguments: &[&str]| git(url, &clone, arguments);
    run(&["init", "--quiet", "--template="])?;
    run(&["remote", "add", "--", "origin", &url.remote])?;
    let wanted = match commit_of(url) {
        // A shortened commit is nothing that a server can be asked for.
        Err(GitError::NoReference { reference, .. }) if is_short_commit(&reference) => reference,
        other => other?,
    };
    fetch(url, &clone, &wanted)?;
    run(&["checkout", "--quiet", "--detach", &wanted]).map_err(|_| GitError::NoReference {
        remote: url.shown(),
        reference: wanted.clone(),
    })?;
    let commit = run(&["rev-parse", "--verify", "HEAD"])?.trim().to_owned();
    match &url.commit {
        Some(wanted) if !commit.starts_with(wanted) => {
            return Err(GitError::OtherCommit {
                found: commit,
                wanted: wanted.clone(),
            });
        }
        _ => {}
    }
    let root = fs::canonicalize(&clone).map_err(disk)?;
    if keeps_git_folder {
        run(&["remote", "set-url", "--", "origin", &url.shown()])?;
        for name in TRACES {
            let path = root.join(".git").join(name);
            let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path));
        }
    } else {
        // As BuildKit: two clones of the same commit are the same files.
        fs::remove_dir_all(root.join(".git")).map_err(disk)?;
    }
    let folder = inside(url, &root)?;
    Ok(Clone { folder, commit })
}

/// Gets a commit: alone where the server gives out single commits, else with all that branches and tags have.
fn fetch(url: &GitUrl, clone: &Path, wanted: &str) -> Result<(), GitError> {
    let shallow = [
        "fetch",
        "--quiet",
        "--depth=1",
        "--no-tags",
        "--no-recurse-submodules",
        "--",
        "origin",
    ];
    let reference = url.reference.as_deref().unwrap_or("HEAD");
    for what in [wanted, reference] {
        let arguments: Vec<&str> = shallow.into_iter().chain([what]).collect();
        let is_there = || {
            let name = format!("{wanted}^{{commit}}");
            git(url, clone, &["cat-file", "-e", &name]).is_ok()
        };
        if git(url, clone, &arguments).is_ok() && is_there() {
            return Ok(());
        }
    }
    let all = [
        "fetch",
        "--quiet",
        "--no-recurse-submodules",
        "--",
        "origin",
        "+refs/heads/*:refs/remotes/origin/*",
        "+refs/tags/*:refs/tags/*",
    ];
    git(url, clone, &all).map(|_| ())
}

fn inside(url: &GitUrl, root: &Path) -> Result<PathBuf, GitError> {
    let Some(folder) = &url.folder else {
        return Ok(root.to_owned());
    };
    let name = folder.display().to_string();
    let real = fs::canonicalize(root.join(folder)).map_err(|_| GitError::NoFolder {
        remote: url.shown(),
        folder: name.clone(),
    })?;
    if !real.starts_with(root) || !real.is_dir() {
        return Err(GitError::LinkOut {
            remote: url.shown(),
            folder: name,
        });
    }
    Ok(real)
}

fn is_short_commit(text: &str) -> bool {
    text.len() >= 4 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Runs git and returns what it prints.
fn git(url: &GitUrl, folder: &Path, arguments: &[&str]) -> Result<String, GitError> {
    // The modes of files hang on the mask, and with them the digest of what is built; only a shell can set it without unsafe code.
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", "umask 022 && exec git \"$@\"", "git", "-C"])
        .arg(folder)
        .args(["-c", "core.hooksPath=/dev/null", "-c", "core.symlinks=true"])
        .args(["-c", "core.autocrlf=false", "-c", "core.fsmonitor=false"])
        .args(["-c", "http.lowSpeedLimit=1000"])
        .args(["-c", "http.lowSpeedTime=60"])
        .args(["-c", "gc.auto=0"])
        .args(arguments)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_LFS_SKIP_SMUDGE", "1")
        .env("LC_ALL", "C")
        .stdin(Stdio::null());
    for name in LOCAL_VARIABLES {
        command.env_remove(name);
    }
    if !cfg!(test) {
        command.env("GIT_ALLOW_PROTOCOL", PROTOCOLS);
    }
    let output = command
        .output()
        .map_err(|source| GitError::Start { source })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(GitError::Remote {
        remote: url.shown(),
        reason: reason(&String::from_utf8_lossy(&output.stderr)),
    })
}

/// Returns what git complains about; where it repeats the URL, and with it a password, only that.
fn reason(errors: &str) -> String {
    let fatal = errors.lines().find_map(|line| line.strip_prefix("fatal: "));
    let found = match fatal {
        None if errors.contains("git: not found") => "there is no git on this machine",
        None => "git failed",
        Some(line) if line.contains("not found") => "it is not there",
        Some(line) if line.contains("could not read Username") => "it asks for a password",
        Some(line) if line.contains("://") => "git cannot reach it",
        Some(line) => line,
    };
    found
        .chars()
        .filter(|c| !c.is_control())
        .take(200)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn repository() -> Option<(tempfile::TempDir, GitUrl)> {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let origin = folder.path().join("origin");
        fs::create_dir_all(origin.join("sub")).expect("made");
        fs::write(origin.join("sub/Dockerfile"), "FROM scratch\n").expect("written");
        symlink("/etc", origin.join("out")).expect("linked");
        let url = GitUrl::of_remote(origin.display().to_string());
        let run = |arguments: &[&str]| git(&url, &origin, arguments).is_ok();
        let name = ["-c", "user.name=a", "-c", "user.email=a@b"];
        let commit: Vec<&str> = name
            .into_iter()
            .chain(["commit", "--quiet", "-m", "x"])
            .collect();
        let is_made = run(&["init", "--quiet", "--initial-branch=main"])
            && run(&["add", "."])
            && run(&commit);
        let mut url = url.clone();
        url.reference = Some("main".to_owned());
        // Without git there is nothing to test.
        is_made.then_some((folder, url))
    }

    fn into(folder: &tempfile::TempDir) -> PathBuf {
        let into = folder.path().join("into");
        fs::create_dir(&into).expect("made");
        into
    }

    #[test]
    fn a_folder_of_a_branch_is_cloned() {
        let Some((folder, mut url)) = repository() else {
            return;
        };
        url.folder = Some("sub".into());
        let into = into(&folder);
        let cloned = clone(&url, &into, false).expect("cloned");
        let file = cloned.folder.join("Dockerfile");
        let mode = fs::metadata(&file).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o644);
        assert!(!into.join("repository/.git").exists());
        assert_eq!(commit_of(&url).expect("known"), cloned.commit);
    }

    #[test]
    fn the_git_folder_is_kept_without_a_trace_of_the_moment() {
        let Some((folder, url)) = repository() else {
            return;
        };
        let cloned = clone(&url, &into(&folder), true).expect("cloned");
        assert!(cloned.folder.join(".git/HEAD").is_file());
        assert!(!cloned.folder.join(".git/FETCH_HEAD").exists());
        assert!(!cloned.folder.join(".git/logs").exists());
    }

    #[test]
    fn a_link_out_of_the_clone_is_refused() {
        let Some((folder, mut url)) = repository() else {
            return;
        };
        url.folder = Some("out".into());
        let refused = clone(&url, &into(&folder), false);
        assert!(matches!(refused, Err(GitError::LinkOut { .. })));
    }

    #[test]
    fn another_commit_than_the_checksum_is_refused() {
        let Some((folder, mut url)) = repository() else {
            return;
        };
        url.require_commit("0123456").expect("a commit");
        let refused = clone(&url, &into(&folder), false);
        assert!(matches!(refused, Err(GitError::OtherCommit { .. })));
    }

    #[test]
    fn a_shortened_commit_is_found() {
        let Some((folder, mut url)) = repository() else {
            return;
        };
        let commit = commit_of(&url).expect("known");
        url.reference = commit.get(..9).map(str::to_owned);
        let cloned = clone(&url, &into(&folder), false).expect("cloned");
        assert_eq!(cloned.commit, commit);
    }

    #[test]
    fn a_branch_that_is_not_there_is_named() {
        let Some((_folder, mut url)) = repository() else {
            return;
        };
        url.reference = Some("nosuch".to_owned());
        assert!(matches!(commit_of(&url), Err(GitError::NoReference { .. })));
    }
}
