//! The repository on disk.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use ignore::WalkBuilder;

pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
}

/// A file of the repository.
pub(crate) struct RepositoryFile {
    /// The path from the root, with `/` on every system.
    pub(crate) path: String,
    /// Empty when the file is not UTF-8.
    pub(crate) text: String,
}

impl Workspace {
    pub(crate) fn find() -> Workspace {
        Workspace {
            root: test_support::workspace_root(),
        }
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// Returns every file that is or could be committed, sorted by path.
    pub(crate) fn files(&self) -> anyhow::Result<Vec<RepositoryFile>> {
        let mut files = Vec::new();
        // What git ignores is known without git: a release archive has none.
        let walk = WalkBuilder::new(&self.root)
            .hidden(false)
            .require_git(false)
            .git_global(false)
            .parents(false)
            .filter_entry(|entry| entry.file_name() != ".git")
            .build();
        for entry in walk {
            let entry = entry.context("cannot list the repository")?;
            if entry.file_type().is_none_or(|kind| !kind.is_file()) {
                continue;
            }
            let bytes = fs::read(entry.path())
                .with_context(|| format!("cannot read {}", entry.path().display()))?;
            files.push(RepositoryFile {
                path: relative_path(&self.root, entry.path()),
                text: String::from_utf8(bytes).unwrap_or_default(),
            });
        }
        files.sort_by(|left, right| left.path.cmp(&right.path));
        Ok(files)
    }
}

fn relative_path(root: &Path, path: &Path) -> String {
    let parts: Vec<_> = path
        .strip_prefix(root)
        .unwrap_or(path)
        .components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    parts.join("/")
}
