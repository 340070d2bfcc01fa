//! The `.dockerignore` that goes with a Dockerfile.
//!
//! BuildKit takes `<Dockerfile>.dockerignore` beside the Dockerfile, or else `.dockerignore` in the root of the build
//! context (`frontend/dockerui/context.go`). Nobody told us the context, so the nearest folder from the Dockerfile's
//! upwards that has one is taken for it.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// An ignore file that was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct IgnoreFile {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// Finds ignore files, and remembers them folder by folder.
#[derive(Debug, Default)]
pub(crate) struct IgnoreFiles {
    by_folder: Mutex<HashMap<PathBuf, Option<Arc<IgnoreFile>>>>,
}

impl IgnoreFiles {
    /// Returns the ignore file of a Dockerfile, or `None` when there is none.
    pub(crate) fn find(&self, dockerfile: &Path) -> Option<Arc<IgnoreFile>> {
        let mut beside = OsString::from(dockerfile);
        beside.push(".dockerignore");
        if let Some(file) = read(PathBuf::from(beside)) {
            return Some(Arc::new(file));
        }
        let folder = dockerfile.parent().unwrap_or(Path::new(""));
        let mut by_folder = self
            .by_folder
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = by_folder.get(folder) {
            return known.clone();
        }
        let found = nearest(folder).map(Arc::new);
        by_folder.insert(folder.to_owned(), found.clone());
        found
    }
}

/// Returns `true` when a text may have an instruction that an ignore file matters to.
pub(crate) fn can_copy_from_context(text: &str) -> bool {
    text.lines().any(|line| {
        let word = line.split_ascii_whitespace().next().unwrap_or("");
        ["COPY", "ADD", "ONBUILD"]
            .iter()
            .any(|keyword| word.eq_ignore_ascii_case(keyword))
    })
}

/// Looks in a folder and above it, up to the root of the repository or to the current folder.
fn nearest(folder: &Path) -> Option<IgnoreFile> {
    let canonical;
    let has_parent_steps = folder.components().any(|part| part.as_os_str() == "..");
    let folder = if has_parent_steps {
        canonical = fs::canonicalize(folder).ok()?;
        &canonical
    } else {
        folder
    };
    let mut found = None;
    for ancestor in folder.ancestors() {
        if found.is_none() {
            found = read(ancestor.join(".dockerignore"));
        }
        if ancestor.join(".git").exists() {
            return found;
        }
    }
    // Outside of a repository, a stray file in `/tmp` or in a home folder is nobody's context.
    if folder.is_relative() {
        return found;
    }
    found.filter(|file| file.path.parent() == Some(folder))
}

fn read(path: PathBuf) -> Option<IgnoreFile> {
    // One that cannot be read is there all the same, and is for the build to complain about.
    if !path.is_file() {
        return None;
    }
    let bytes = fs::read(&path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Some(IgnoreFile { path, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(root: &Path, dockerfile: &str) -> Option<String> {
        IgnoreFiles::default()
            .find(&root.join(dockerfile))
            .map(|file| file.text.clone())
    }

    #[test]
    fn prefers_the_file_named_after_the_dockerfile() {
        let root = tempfile::tempdir().expect("a scratch folder");
        fs::write(root.path().join(".dockerignore"), "folder").expect("written");
        fs::write(root.path().join("a.Dockerfile.dockerignore"), "own").expect("written");
        assert_eq!(find(root.path(), "a.Dockerfile").as_deref(), Some("own"));
        assert_eq!(find(root.path(), "Dockerfile").as_deref(), Some("folder"));
    }

    #[test]
    fn looks_upwards_inside_of_a_repository_only() {
        let root = tempfile::tempdir().expect("a scratch folder");
        let app = root.path().join("repo/docker");
        fs::create_dir_all(&app).expect("created");
        fs::write(root.path().join(".dockerignore"), "stray").expect("written");
        assert_eq!(find(&app, "Dockerfile"), None);
        fs::create_dir(root.path().join("repo/.git")).expect("created");
        assert_eq!(find(&app, "Dockerfile"), None);
        fs::write(root.path().join("repo/.dockerignore"), "repo").expect("written");
        assert_eq!(find(&app, "Dockerfile").as_deref(), Some("repo"));
    }

    #[test]
    fn knows_when_nobody_needs_to_look() {
        assert!(can_copy_from_context("FROM a\n  copy . .\n"));
        assert!(!can_copy_from_context("FROM a\nRUN echo COPY\n"));
    }
}
