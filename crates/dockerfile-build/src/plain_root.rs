//! A root for a command where overlayfs does not work: the files of all layers, copied into one folder.
//!
//! What the command changed is found by inode and time of change, and moved into a folder in the form that overlayfs would have left.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use build_sandbox::remove_tree;
use rustix::fs::{
    AtFlags, CWD, FileType, Mode, Timespec, Timestamps, XattrFlags, lgetxattr, lsetxattr, mknodat,
    utimensat,
};

/// A change of an inode has a time as coarse as the kernel's tick: a command must not start within that of the copy.
const TICK: Duration = Duration::from_millis(20);
const CAPABILITY: &str = "security.capability";
const OPAQUE: [&str; 2] = ["trusted.overlay.opaque", "user.overlay.opaque"];

/// Inode, and time of its last change.
type Mark = (u64, i64, i64);

/// A folder with the files of all layers, and how it was before the command.
#[derive(Debug)]
pub(crate) struct PlainRoot {
    folder: PathBuf,
    /// By path below the folder; whether it is a folder.
    before: BTreeMap<PathBuf, (Mark, bool)>,
}

impl PlainRoot {
    /// Copies layers, the topmost first, into an empty folder.
    pub(crate) fn assemble(lowers: &[PathBuf], folder: &Path) -> io::Result<PlainRoot> {
        copy_layers(lowers, folder)?;
        let mut before = BTreeMap::new();
        walk(folder, |path, found| {
            before.insert(path.to_owned(), (mark(found), found.is_dir()));
            Ok(())
        })?;
        std::thread::sleep(TICK);
        Ok(PlainRoot {
            folder: folder.to_owned(),
            before,
        })
    }

    /// Moves what is not as it was into an empty folder, with whiteouts for what is gone.
    pub(crate) fn move_changes(&self, upper: &Path) -> io::Result<()> {
        let mut folders: BTreeMap<PathBuf, Metadata> = BTreeMap::new();
        let mut changed = Vec::new();
        let mut now = BTreeMap::new();
        walk(&self.folder, |path, found| {
            let is_same = self
                .before
                .get(path)
                .is_some_and(|(before, _)| *before == mark(found));
            now.insert(path.to_owned(), found.is_dir());
            if found.is_dir() {
                folders.insert(path.to_owned(), found.clone());
            }
            if !is_same {
                changed.push((path.to_owned(), found.is_dir()));
            }
            Ok(())
        })?;
        let mut made = BTreeMap::new();
        for (path, is_folder) in changed {
            make_above(upper, &path, &folders, &mut made)?;
            if is_folder {
                make_folder(upper, &path, &folders, &mut made)?;
            } else {
                fs::rename(self.folder.join(&path), upper.join(&path))?;
            }
        }
        for path in self.gone(&now) {
            make_above(upper, path, &folders, &mut made)?;
            mknodat(
                CWD,
                upper.join(path),
                FileType::CharacterDevice,
                Mode::empty(),
                0,
            )?;
        }
        // Last and from below: what is put into a folder changes its time.
        for (path, found) in made.iter().rev() {
            set_metadata(&upper.join(path), found)?;
        }
        Ok(())
    }

    /// Returns what is no longer there; of a folder that is gone, the folder alone.
    fn gone<'a>(&'a self, now: &BTreeMap<PathBuf, bool>) -> Vec<&'a Path> {
        let mut gone = Vec::new();
        let mut hidden: Option<&Path> = None;
        for (path, (_, was_folder)) in &self.before {
            if hidden.is_some_and(|above| path.starts_with(above)) {
                continue;
            }
            match now.get(path) {
                None => {
                    gone.push(path.as_path());
                    hidden = Some(path);
                }
                // A file in the place of a folder hides what was in there.
                Some(false) if *was_folder => hidden = Some(path),
                Some(_) => {}
            }
        }
        gone
    }
}

/// Copies layers in the form of overlayfs, the topmost first, into one folder.
pub(crate) fn copy_layers(lowers: &[PathBuf], folder: &Path) -> io::Result<()> {
    let mut folders = BTreeMap::new();
    for layer in lowers.iter().rev() {
        copy_layer(layer, folder, &mut folders)?;
    }
    for (path, found) in folders.iter().rev() {
        let path = folder.join(path);
        if path.symlink_metadata().is_ok_and(|there| there.is_dir()) {
            set_metadata(&path, found)?;
        }
    }
    Ok(())
}

/// Every folder on the way down is made here before anything is put into it, so no link of a layer is ever followed.
fn copy_layer(
    layer: &Path,
    folder: &Path,
    folders: &mut BTreeMap<PathBuf, Metadata>,
) -> io::Result<()> {
    walk(layer, |path, found| {
        let (source, target) = (layer.join(path), folder.join(path));
        let kind = found.file_type();
        let there = target.symlink_metadata().ok();
        let is_whiteout = kind.is_char_device() && found.rdev() == 0;
        let stays =
            kind.is_dir() && there.as_ref().is_some_and(Metadata::is_dir) && !is_opaque(&source);
        if there.is_some() && !stays {
            remove_tree(&target)?;
        }
        if kind.is_dir() {
            folders.insert(path.to_owned(), found.clone());
            return if stays {
                Ok(())
            } else {
                fs::create_dir(&target)
            };
        }
        if is_whiteout || kind.is_socket() {
            return Ok(());
        }
        // Each name of a file with several becomes a file of its own: in an overlay, too, a change of one is no change of the others.
        copy_one(&source, &target, found)
    })
}

fn copy_one(source: &Path, target: &Path, found: &Metadata) -> io::Result<()> {
    let kind = found.file_type();
    if kind.is_symlink() {
        std::os::unix::fs::symlink(fs::read_link(source)?, target)?;
    } else if kind.is_file() {
        fs::copy(source, target)?;
    } else {
        let mode = Mode::from_raw_mode(found.mode());
        let kind = FileType::from_raw_mode(found.mode());
        match mknodat(CWD, target, kind, mode, found.rdev()) {
            // A device, in a user namespace: it could not be opened anyway.
            Err(rustix::io::Errno::PERM) => return Ok(()),
            other => other?,
        }
    }
    set_metadata(target, found)?;
    let mut value = [0; 64];
    if kind.is_file()
        && let Ok(length) = lgetxattr(source, CAPABILITY, &mut value[..])
    {
        let value = value.get(..length).unwrap_or_default();
        lsetxattr(target, CAPABILITY, value, XattrFlags::empty())?;
    }
    Ok(())
}

/// Gives a path owner, mode and time.
fn set_metadata(path: &Path, found: &Metadata) -> io::Result<()> {
    let there = path.symlink_metadata()?;
    if (there.uid(), there.gid()) != (found.uid(), found.gid()) {
        std::os::unix::fs::lchown(path, Some(found.uid()), Some(found.gid()))?;
    }
    if !found.is_symlink() {
        // After the owner, which takes setuid away.
        fs::set_permissions(path, fs::Permissions::from_mode(found.mode() & 0o7777))?;
    }
    let time = |seconds, nanos| Timespec {
        tv_sec: seconds,
        tv_nsec: nanos,
    };
    let times = Timestamps {
        last_access: time(found.atime(), found.atime_nsec()),
        last_modification: time(found.mtime(), found.mtime_nsec()),
    };
    Ok(utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)?)
}

fn make_above(
    upper: &Path,
    path: &Path,
    folders: &BTreeMap<PathBuf, Metadata>,
    made: &mut BTreeMap<PathBuf, Metadata>,
) -> io::Result<()> {
    let above: Vec<&Path> = path.ancestors().skip(1).collect();
    for folder in above.into_iter().rev() {
        if !folder.as_os_str().is_empty() {
            make_folder(upper, folder, folders, made)?;
        }
    }
    Ok(())
}

fn make_folder(
    upper: &Path,
    path: &Path,
    folders: &BTreeMap<PathBuf, Metadata>,
    made: &mut BTreeMap<PathBuf, Metadata>,
) -> io::Result<()> {
    if made.contains_key(path) {
        return Ok(());
    }
    let Some(found) = folders.get(path) else {
        return Ok(());
    };
    fs::create_dir(upper.join(path))?;
    made.insert(path.to_owned(), found.clone());
    Ok(())
}

fn is_opaque(folder: &Path) -> bool {
    let mut value = [0; 1];
    OPAQUE
        .iter()
        .any(|name| lgetxattr(folder, *name, &mut value[..]).is_ok_and(|_| value == *b"y"))
}

fn mark(found: &Metadata) -> Mark {
    (found.ino(), found.ctime(), found.ctime_nsec())
}

/// Visits everything below a folder, a folder before what is in it; links are not followed.
fn walk(
    folder: &Path,
    mut visit: impl FnMut(&Path, &Metadata) -> io::Result<()>,
) -> io::Result<()> {
    let mut open = vec![PathBuf::new()];
    while let Some(relative) = open.pop() {
        for entry in fs::read_dir(folder.join(&relative))? {
            let path = relative.join(entry?.file_name());
            let found = folder.join(&path).symlink_metadata()?;
            visit(&path, &found)?;
            if found.is_dir() {
                open.push(path);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(place: &Path, name: &str, files: &[(&str, &str)]) -> PathBuf {
        let layer = place.join(name);
        fs::create_dir(&layer).unwrap();
        for (path, content) in files {
            let path = layer.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        layer
    }

    fn whiteout(path: &Path) {
        mknodat(CWD, path, FileType::CharacterDevice, Mode::empty(), 0).unwrap();
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names = Vec::new();
        walk(folder, |path, _| {
            names.push(path.display().to_string());
            Ok(())
        })
        .unwrap();
        names.sort();
        names
    }

    #[test]
    fn upper_layer_hides_what_it_has_a_whiteout_for() {
        let place = tempfile::tempdir().unwrap();
        let below = layer(place.path(), "below", &[("a/gone", "1"), ("a/kept", "2")]);
        let above = layer(place.path(), "above", &[("a/new", "3")]);
        whiteout(&above.join("a/gone"));
        let root = place.path().join("root");
        fs::create_dir(&root).unwrap();
        copy_layers(&[above, below], &root).unwrap();
        assert_eq!(names(&root), ["a", "a/kept", "a/new"]);
    }

    #[test]
    fn link_in_a_lower_layer_is_not_followed_when_an_upper_one_has_a_folder() {
        let place = tempfile::tempdir().unwrap();
        let outside = layer(place.path(), "outside", &[]);
        let below = layer(place.path(), "below", &[]);
        std::os::unix::fs::symlink(&outside, below.join("a")).unwrap();
        let above = layer(place.path(), "above", &[("a/f", "x")]);
        let root = place.path().join("root");
        fs::create_dir(&root).unwrap();
        copy_layers(&[above, below], &root).unwrap();
        assert_eq!(names(&outside), [""; 0]);
        assert_eq!(fs::read_to_string(root.join("a/f")).unwrap(), "x");
    }

    #[test]
    fn changes_are_what_a_command_did() {
        let place = tempfile::tempdir().unwrap();
        let files = [
            ("d/old", "1"),
            ("d/same", "2"),
            ("moved/f", "3"),
            ("w", "4"),
        ];
        let below = layer(place.path(), "below", &files);
        let (root, upper) = (place.path().join("root"), place.path().join("upper"));
        fs::create_dir(&root).unwrap();
        fs::create_dir(&upper).unwrap();
        let plain = PlainRoot::assemble(&[below], &root).unwrap();
        fs::write(root.join("w"), "changed").unwrap();
        fs::remove_file(root.join("d/old")).unwrap();
        fs::rename(root.join("moved"), root.join("there")).unwrap();
        plain.move_changes(&upper).unwrap();
        assert_eq!(
            names(&upper),
            ["d", "d/old", "moved", "there", "there/f", "w"]
        );
        let is_whiteout = |name: &str| {
            let found = upper.join(name).symlink_metadata().unwrap();
            found.file_type().is_char_device() && found.rdev() == 0
        };
        assert!(is_whiteout("d/old") && is_whiteout("moved") && !is_whiteout("w"));
    }
}
