//! URLs of repositories (moby/buildkit `frontend/dockerfile/dfgitutil/git_ref.go`).

use std::path::{Component, Path, PathBuf};

use super::GitError;

/// The shortest start of a commit that `--checksum` takes.
const LEAST_COMMIT: usize = 7;
/// The digits of a SHA-256 commit.
const MOST_COMMIT: usize = 64;

/// A repository, what of it to take, and which folder of that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitUrl {
    pub(super) remote: String,
    pub(super) reference: Option<String>,
    pub(super) folder: Option<PathBuf>,
    /// The start of the commit that it must be.
    pub(super) commit: Option<String>,
    /// `keep-git-dir=` of the URL.
    keeps_git_folder: Option<bool>,
}

impl GitUrl {
    /// Reads a URL as `docker build` does; `None` is something else, such as a folder.
    pub fn parse(text: &str) -> Result<Option<GitUrl>, GitError> {
        let (address, fragment) = match text.split_once('#') {
            Some((address, fragment)) => (address, Some(fragment)),
            None => (text, None),
        };
        let (address, parameters) = match address.split_once('?') {
            Some((address, parameters)) if fragment.is_none() => (address, Some(parameters)),
            _ => (address, None),
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
            return Err(GitError::BadCharacter);
        }
        let host = remote
            .split_once("://")
            .map_or(remote.as_str(), |(_, rest)| rest);
        if host.is_empty() || host.starts_with('-') {
            return Err(GitError::NoHost);
        }
        let mut url = GitUrl::of_remote(remote);
        let (reference, folder) = match fragment.map(|fragment| fragment.split_once(':')) {
            None => (None, None),
            Some(None) => (fragment, None),
            Some(Some((reference, folder))) => (Some(reference), Some(folder)),
        };
        url.set_reference(reference.unwrap_or_default())?;
        url.set_folder(folder.unwrap_or_default())?;
        for parameter in parameters.unwrap_or_default().split('&') {
            url.set_parameter(parameter)?;
        }
        Ok(Some(url))
    }

    pub(super) fn of_remote(remote: String) -> GitUrl {
        GitUrl {
            remote,
            reference: None,
            folder: None,
            commit: None,
            keeps_git_folder: None,
        }
    }

    fn set_parameter(&mut self, parameter: &str) -> Result<(), GitError> {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match name {
            // Submodules are never fetched, whatever is asked for.
            "" | "submodules" | "mtime" => Ok(()),
            "ref" => self.set_reference(value),
            "branch" => self.set_reference(&format!("refs/heads/{value}")),
            "tag" => self.set_reference(&format!("refs/tags/{value}")),
            "commit" | "checksum" => self.require_commit(value),
            "subdir" => self.set_folder(value),
            "keep-git-dir" => {
                self.keeps_git_folder = Some(!matches!(value, "false" | "0"));
                Ok(())
            }
            _ => Err(GitError::UnknownParameter {
                name: name.to_owned(),
            }),
        }
    }

    fn set_reference(&mut self, reference: &str) -> Result<(), GitError> {
        if !reference.is_empty() {
            check_reference(reference)?;
            self.reference = Some(reference.to_owned());
        }
        Ok(())
    }

    fn set_folder(&mut self, folder: &str) -> Result<(), GitError> {
        let folder = folder.trim_start_matches('/');
        if folder.is_empty() {
            return Ok(());
        }
        let is_inside =
            |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
        if !Path::new(folder).components().all(is_inside) {
            return Err(GitError::WayOut {
                folder: folder.to_owned(),
            });
        }
        self.folder = Some(PathBuf::from(folder));
        Ok(())
    }

    /// Says with what the commit has to begin: `ADD --checksum`.
    pub(crate) fn require_commit(&mut self, commit: &str) -> Result<(), GitError> {
        let is_commit = (LEAST_COMMIT..=MOST_COMMIT).contains(&commit.len())
            && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_commit {
            return Err(GitError::BadCommit {
                commit: commit.to_owned(),
            });
        }
        self.commit = Some(commit.to_ascii_lowercase());
        Ok(())
    }

    /// Returns whether the URL itself asks for `.git`, or asks to leave it out.
    pub(crate) fn keeps_git_folder(&self) -> Option<bool> {
        self.keeps_git_folder
    }

    /// Returns the commit, where the URL says it as a whole: then nobody has to be asked.
    pub(crate) fn whole_commit(&self) -> Option<&str> {
        [&self.reference, &self.commit]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .find(|text| is_whole_commit(text))
    }

    /// Returns the folder that is taken; empty is all.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.as_deref().unwrap_or(Path::new(""))
    }

    /// Returns the URL without a password, for messages (CVE-2023-26054).
    pub fn shown(&self) -> String {
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

pub(super) fn is_whole_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Refuses what git would not take for a branch, a tag or a commit (git-check-ref-format).
fn check_reference(reference: &str) -> Result<(), GitError> {
    let is_plain = |character: char| {
        character.is_alphanumeric() || matches!(character, '.' | '_' | '/' | '-' | '+' | '@')
    };
    let is_bad = reference.starts_with(['-', '/', '.'])
        || reference.ends_with(['/', '.'])
        || reference.contains("..")
        || reference.contains("@{")
        || !reference.chars().all(is_plain);
    if is_bad {
        return Err(GitError::BadReference {
            reference: reference.to_owned(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
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
    fn parameters_say_the_same_as_the_fragment() {
        let url = parse("https://example.com/b.git?tag=v1&subdir=x/y&keep-git-dir=true");
        let url = url.expect("a git URL");
        assert_eq!(url.remote, "https://example.com/b.git");
        assert_eq!(url.reference.as_deref(), Some("refs/tags/v1"));
        assert_eq!(url.folder(), Path::new("x/y"));
        assert_eq!(url.keeps_git_folder(), Some(true));
        let unknown = GitUrl::parse("https://example.com/b.git?x=1");
        assert!(matches!(unknown, Err(GitError::UnknownParameter { .. })));
        let bad = GitUrl::parse("https://example.com/b.git?commit=xyz");
        assert!(matches!(bad, Err(GitError::BadCommit { .. })));
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
        assert!(GitUrl::parse("https://example.com/a.git?subdir=../x").is_err());
        assert!(GitUrl::parse("https://example.com/a.git?ref=--upload-pack=x").is_err());
    }

    #[test]
    fn passwords_are_not_shown() {
        let url = parse("https://user:secret@example.com/a.git").expect("a git URL");
        assert_eq!(url.shown(), "https://example.com/a.git");
    }

    #[test]
    fn a_whole_commit_needs_no_question() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        let url = parse(&format!("https://example.com/a.git#{commit}")).expect("a git URL");
        assert_eq!(url.whole_commit(), Some(commit));
        let mut url = parse("https://example.com/a.git#main").expect("a git URL");
        assert_eq!(url.whole_commit(), None);
        url.require_commit(commit).expect("a commit");
        assert_eq!(url.whole_commit(), Some(commit));
    }
}
