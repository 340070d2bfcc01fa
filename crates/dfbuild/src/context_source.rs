//! What the CONTEXT argument means: a folder, standard input, or a git repository.

use std::io::{self, IsTerminal as _, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use dockerfile_build::git::{GitUrl, clone};
use oci_image::compression::Format;

use crate::tar_context::unpack;

/// A larger Dockerfile is no Dockerfile.
pub(crate) const MOST_DOCKERFILE_BYTES: u64 = 64 << 20;
/// A tar says what it is behind the first header field block.
const TAR_MAGIC: (usize, &[u8]) = (257, b"ustar");

/// What the CONTEXT argument means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ContextArgument {
    Folder(PathBuf),
    StandardInput,
    Git(GitUrl),
}

/// Where the files of a build are.
#[derive(Debug)]
pub(crate) enum Files {
    Folder {
        path: PathBuf,
        /// Goes away with it.
        temporary: Option<tempfile::TempDir>,
    },
    /// There are none, and this is the Dockerfile.
    OnlyDockerfile(Vec<u8>),
}

impl ContextArgument {
    pub(crate) fn parse(text: &str) -> Result<ContextArgument> {
        if text == "-" {
            return Ok(ContextArgument::StandardInput);
        }
        if let Some(url) = GitUrl::parse(text)? {
            return Ok(ContextArgument::Git(url));
        }
        if text.starts_with("http://") || text.starts_with("https://") {
            bail!(
                "`{text}` is no git repository (its name does not end in `.git`); \
                 an archive comes through a pipe: `curl -L URL | dfbuild build -`"
            );
        }
        Ok(ContextArgument::Folder(PathBuf::from(text)))
    }

    /// Returns whether a second process would not find what the first one has read.
    pub(crate) fn is_read_once(&self) -> bool {
        !matches!(self, ContextArgument::Folder(_))
    }

    /// Gets the files.
    pub(crate) fn open(&self) -> Result<Files> {
        match self {
            ContextArgument::Folder(path) => {
                if !path.exists() {
                    bail!("there is no folder `{}`", path.display());
                }
                if !path.is_dir() {
                    bail!("the context `{}` is not a folder", path.display());
                }
                let path = std::fs::canonicalize(path)
                    .with_context(|| format!("cannot open the context `{}`", path.display()))?;
                Ok(Files::Folder {
                    path,
                    temporary: None,
                })
            }
            ContextArgument::StandardInput => from_standard_input(),
            ContextArgument::Git(url) => {
                let temporary = scratch_folder()?;
                let path = clone(url, temporary.path(), false)?.folder;
                Ok(Files::Folder {
                    path,
                    temporary: Some(temporary),
                })
            }
        }
    }
}

fn from_standard_input() -> Result<Files> {
    if io::stdin().is_terminal() {
        bail!("`-` reads a tar or a Dockerfile from standard input, which is a terminal");
    }
    let mut input = io::stdin().lock();
    let mut start = Vec::new();
    input
        .by_ref()
        .take(512)
        .read_to_end(&mut start)
        .context("cannot read standard input")?;
    let (at, magic) = TAR_MAGIC;
    let is_tar = Format::detect(&start) != Format::None
        || start.get(at..).is_some_and(|rest| rest.starts_with(magic));
    let whole = start.chain(input);
    if !is_tar {
        return Ok(Files::OnlyDockerfile(read_dockerfile(whole)?));
    }
    let temporary = scratch_folder()?;
    unpack(whole, temporary.path()).context("cannot unpack the context from standard input")?;
    Ok(Files::Folder {
        path: std::fs::canonicalize(temporary.path())?,
        temporary: Some(temporary),
    })
}

trait Chained {
    fn chain<R: Read>(self, rest: R) -> io::Chain<io::Cursor<Vec<u8>>, R>;
}

impl Chained for Vec<u8> {
    fn chain<R: Read>(self, rest: R) -> io::Chain<io::Cursor<Vec<u8>>, R> {
        io::Cursor::new(self).chain(rest)
    }
}

/// Reads a Dockerfile up to what is checked to be too much.
pub(crate) fn read_dockerfile(input: impl Read) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input
        .take(MOST_DOCKERFILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .context("cannot read standard input")?;
    Ok(bytes)
}

/// Returns a folder that only we can read and that goes away by itself.
fn scratch_folder() -> Result<tempfile::TempDir> {
    tempfile::Builder::new()
        .prefix("dfbuild-context-")
        .tempdir()
        .context("cannot make a temporary folder for the context")
}

/// A link in the context must not make a file of the machine part of it: its text would be in the messages (buildah#6861).
pub(crate) fn refuse_way_out(path: &Path, context: &Path) -> Result<()> {
    let real =
        std::fs::canonicalize(path).with_context(|| format!("cannot open `{}`", path.display()))?;
    if !real.starts_with(context) {
        bail!(
            "`{}` is a link that leads out of the context",
            path.display()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_are_told_apart() {
        let parse = |text| ContextArgument::parse(text).expect("a context");
        assert_eq!(parse("-"), ContextArgument::StandardInput);
        assert_eq!(
            parse("./app.git"),
            ContextArgument::Folder("./app.git".into())
        );
        assert!(matches!(
            parse("https://example.com/app.git#main:sub"),
            ContextArgument::Git(_)
        ));
        assert!(ContextArgument::parse("https://example.com/app.tar.gz").is_err());
    }
}
