//! From the paths of the command line to the files to check.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use ignore::{DirEntry, WalkBuilder};

use crate::dockerfile_name::is_dockerfile_name;

/// Folders in which no Dockerfile is the user's own. Other hidden folders are walked: `.devcontainer`, `.github`.
const SKIPPED_FOLDERS: &[&str] = &[".git", ".hg", ".jj", ".svn", "node_modules"];

/// One text to check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    StandardInput,
    File(PathBuf),
}

/// What there is to check, sorted, and what could not be looked at.
#[derive(Debug, Default)]
pub(crate) struct Discovery {
    pub(crate) inputs: Vec<Input>,
    pub(crate) problems: Vec<String>,
}

struct Found {
    path: PathBuf,
    is_link: bool,
}

/// Returns the files that `paths` name or hold, each once.
pub(crate) fn discover(paths: &[PathBuf], use_gitignore: bool) -> Discovery {
    let mut found = Vec::new();
    let mut discovery = Discovery::default();
    let mut reads_standard_input = false;
    for path in paths {
        if path.as_os_str() == "-" {
            reads_standard_input = true;
            continue;
        }
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => {
                walk(path, use_gitignore, &mut found, &mut discovery.problems);
            }
            Ok(_) => found.push(Found {
                path: path.clone(),
                is_link: path.is_symlink(),
            }),
            Err(error) => discovery
                .problems
                .push(format!("cannot read {}: {error}", path.display())),
        }
    }
    if paths.len() > 1 || found.iter().any(|file| file.is_link) {
        keep_each_file_once(&mut found);
    }
    // By bytes: comparing paths part by part takes longer than finding them.
    found.sort_unstable_by(|left, right| bytes(&left.path).cmp(bytes(&right.path)));
    if reads_standard_input {
        discovery.inputs.push(Input::StandardInput);
    }
    discovery
        .inputs
        .extend(found.into_iter().map(|file| Input::File(file.path)));
    discovery
}

fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}

fn walk(root: &Path, use_gitignore: bool, found: &mut Vec<Found>, problems: &mut Vec<String>) {
    // Folder links are not followed, so that there are no loops: what they lead to is either in the tree already or
    // somebody else's.
    let mut builder = WalkBuilder::new(root);
    builder
        .standard_filters(use_gitignore)
        .hidden(false)
        // The same tree has the same findings, whether it was cloned or unpacked from an archive without `.git`.
        .require_git(false)
        .filter_entry(is_wanted);
    for entry in builder.build() {
        match entry {
            Ok(entry) => {
                if let Some(file) = dockerfile_of(entry) {
                    found.push(file);
                }
            }
            Err(error) => problems.push(format!("cannot read {error}")),
        }
    }
}

/// Returns `true` for folders to descend into and for files with a Dockerfile's name.
fn is_wanted(entry: &DirEntry) -> bool {
    let name = entry.file_name();
    if entry.file_type().is_some_and(|kind| kind.is_dir()) {
        entry.depth() == 0 || !SKIPPED_FOLDERS.iter().any(|folder| name == *folder)
    } else {
        entry.depth() == 0 || is_dockerfile_name(name.as_encoded_bytes())
    }
}

fn dockerfile_of(entry: DirEntry) -> Option<Found> {
    let kind = entry.file_type()?;
    let is_link = kind.is_symlink();
    // A link to a file is taken; a broken link, a link to a folder, a socket or a pipe is passed over.
    let is_file = kind.is_file() || (is_link && entry.path().is_file());
    is_file.then(|| {
        let path = entry.into_path();
        Found {
            path: path
                .strip_prefix(".")
                .map(Path::to_path_buf)
                .unwrap_or(path),
            is_link,
        }
    })
}

/// Drops files that were reached twice, a link rather than the file that it leads to.
fn keep_each_file_once(found: &mut Vec<Found>) {
    found.sort_by(|left, right| (left.is_link, &left.path).cmp(&(right.is_link, &right.path)));
    let mut seen = HashSet::new();
    found.retain(|file| {
        let identity = fs::canonicalize(&file.path).unwrap_or_else(|_| file.path.clone());
        seen.insert(identity)
    });
}
