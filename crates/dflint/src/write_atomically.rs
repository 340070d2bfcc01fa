//! A new text for a file, all or nothing.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use thiserror::Error;

/// Why a file was left as it was.
#[derive(Debug, Error)]
pub(crate) enum WriteError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("it is read-only")]
    ReadOnly,
    #[error("it was changed by somebody else in the meantime")]
    Changed,
}

/// Replaces the text of a file that still holds `old`. Mode and owner stay; a link keeps leading to the file.
///
/// The text goes to a new file in the same folder, which then takes the name: whoever reads the file finds the old text or
/// the new one, and a full disk costs nothing.
pub(crate) fn write_atomically(path: &Path, old: &str, new: &str) -> Result<(), WriteError> {
    let target = fs::canonicalize(path)?;
    let metadata = fs::metadata(&target)?;
    // Renaming would get around the mode: it asks for the right to write to the folder only.
    if metadata.permissions().readonly() {
        return Err(WriteError::ReadOnly);
    }
    let (mut file, temporary) = create_beside(&target)?;
    file.write_all(new.as_bytes())?;
    file.set_permissions(metadata.permissions())?;
    keep_owner(&temporary.path, &metadata);
    drop(file);
    if fs::read(&target)? != old.as_bytes() {
        return Err(WriteError::Changed);
    }
    temporary.rename_to(&target)?;
    Ok(())
}

/// A file that is removed again unless it is renamed.
struct Temporary {
    path: PathBuf,
}

impl Temporary {
    fn rename_to(mut self, target: &Path) -> io::Result<()> {
        fs::rename(&self.path, target)?;
        self.path.clear();
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn create_beside(target: &Path) -> io::Result<(File, Temporary)> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let folder = target.parent().unwrap_or(Path::new("."));
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        // No Dockerfile's name, so that another run does not take it for one.
        let path = folder.join(format!(".dflint-{}-{number}.tmp", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((file, Temporary { path })),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

/// Gives a file the owner of another one, as far as this process may.
#[cfg(unix)]
fn keep_owner(path: &Path, metadata: &fs::Metadata) {
    use std::os::unix::fs::{MetadataExt, chown};
    let Ok(own) = fs::metadata(path) else { return };
    if (own.uid(), own.gid()) != (metadata.uid(), metadata.gid()) {
        let _ = chown(path, Some(metadata.uid()), Some(metadata.gid()));
    }
}

#[cfg(not(unix))]
fn keep_owner(_path: &Path, _metadata: &fs::Metadata) {}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let path = folder.path().join("Dockerfile");
        fs::write(&path, text).expect("written");
        (folder, path)
    }

    #[test]
    fn replaces_the_text_and_leaves_nothing_behind() {
        let (folder, path) = scratch("old");
        write_atomically(&path, "old", "new").expect("written");
        assert_eq!(fs::read_to_string(&path).expect("read"), "new");
        assert_eq!(fs::read_dir(folder.path()).expect("read").count(), 1);
    }

    #[test]
    fn refuses_a_file_that_changed_or_is_read_only() {
        let (folder, path) = scratch("newer");
        assert!(matches!(
            write_atomically(&path, "old", "new"),
            Err(WriteError::Changed)
        ));
        let mut permissions = fs::metadata(&path).expect("read").permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&path, permissions).expect("set");
        assert!(matches!(
            write_atomically(&path, "newer", "new"),
            Err(WriteError::ReadOnly)
        ));
        assert_eq!(fs::read_to_string(&path).expect("read"), "newer");
        assert_eq!(fs::read_dir(folder.path()).expect("read").count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn keeps_the_mode_and_writes_through_a_link() {
        use std::os::unix::fs::PermissionsExt;
        let (folder, path) = scratch("old");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("set");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).expect("linked");
        write_atomically(&link, "old", "new").expect("written");
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&path).expect("read"), "new");
        let mode = fs::metadata(&path).expect("read").permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
    }
}
