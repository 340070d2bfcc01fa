//! The folder beside the repository that holds other people's files and the answers of the reference implementations.

use std::env;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Names the folder, when it is not `../shared`.
const FOLDER_VARIABLE: &str = "DOCKERFILE_SHARED";
/// Set to `1`, makes every skipped test fail: a build server that has lost the folder must not stay green.
const REQUIRED_VARIABLE: &str = "CI_REQUIRES_SHARED";

/// Returns the root of the repository.
pub fn workspace_root() -> PathBuf {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder
        .ancestors()
        .nth(2)
        .expect("this crate is at crates/test-support")
        .to_path_buf()
}

/// Returns the shared folder, or `None` when there is none.
pub fn shared_folder() -> Option<PathBuf> {
    let folder = match env::var_os(FOLDER_VARIABLE) {
        Some(folder) => PathBuf::from(folder),
        None => workspace_root().parent()?.join("shared"),
    };
    folder.is_dir().then_some(folder)
}

/// Returns the folder with the answers of the reference implementations.
pub fn conformance() -> Option<PathBuf> {
    existing(shared_folder()?.join("conformance"))
}

/// Returns the folder with the Dockerfiles of the tutorials.
pub fn seeds() -> Option<PathBuf> {
    existing(shared_folder()?.join("corpus").join("seeds"))
}

/// Says loudly that a test did not run because `path` of the shared folder is missing.
///
/// The line goes past the capture of the test harness, so that it is seen when the test passes. Panics when
/// `CI_REQUIRES_SHARED=1`.
pub fn skipped(what: &str, path: &str) {
    let line = format!("SKIPPED: {what} needs ../shared/{path}");
    assert!(
        env::var_os(REQUIRED_VARIABLE).is_none_or(|value| value != "1"),
        "{line} ({REQUIRED_VARIABLE}=1 says that it must be there; {FOLDER_VARIABLE} names another place)"
    );
    // Nothing is lost when standard error is closed.
    let _ = writeln!(std::io::stderr(), "{line}");
}

pub(crate) fn existing(path: PathBuf) -> Option<PathBuf> {
    path.exists().then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_root_of_the_repository() {
        assert!(workspace_root().join("Cargo.lock").is_file());
    }
}
