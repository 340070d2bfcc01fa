//! The open corpus: real Dockerfiles, unpacked once into the target folder.

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::OnceLock;

use ruzstd::decoding::StreamingDecoder;

use crate::shared_folder::{existing, shared_folder, workspace_root};

/// Returns the folder with the open corpus, or `None` when there is no shared folder.
///
/// Below it: `all/*.Dockerfile`, `templates/*.Dockerfile`, `open_core.txt` and `open_index.tsv`. The first call unpacks
/// the archive; a folder that is there is complete, because it got its name last.
pub fn open_corpus() -> Option<PathBuf> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOLDER
        .get_or_init(|| {
            let archive = existing(shared_folder()?.join("corpus").join("open.tar.zst"))?;
            let cache = workspace_root().join("target").join("corpus");
            match unpack_once(&archive, &cache) {
                Ok(folder) => Some(folder),
                Err(error) => panic!("cannot unpack {}: {error}", archive.display()),
            }
        })
        .clone()
}

/// Unpacks `archive` into a folder of `cache` that is named for the archive's size, unless it is there.
fn unpack_once(archive: &Path, cache: &Path) -> io::Result<PathBuf> {
    let target = cache.join(format!("open-{}", fs::metadata(archive)?.len()));
    if target.is_dir() {
        return Ok(target);
    }
    let unfinished = cache.join(format!("unfinished-{}", process::id()));
    fs::create_dir_all(&unfinished)?;
    let unpacked = unpack(archive, &unfinished);
    let renamed = unpacked.and_then(|()| fs::rename(&unfinished, &target));
    if renamed.is_err() {
        // Best effort: the fault above is the one to tell.
        let _ = fs::remove_dir_all(&unfinished);
        // Another process may have been faster; its folder is as good.
        if !target.is_dir() {
            renamed?;
        }
    }
    Ok(target)
}

fn unpack(archive: &Path, folder: &Path) -> io::Result<()> {
    let compressed = BufReader::new(File::open(archive)?);
    let decoder = StreamingDecoder::new(compressed).map_err(io::Error::other)?;
    let mut archive = tar::Archive::new(decoder);
    archive.set_preserve_permissions(false);
    archive.set_preserve_mtime(false);
    archive.unpack(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::skipped;

    #[test]
    fn unpacks_every_file_once() {
        let Some(folder) = open_corpus() else {
            return skipped("unpacking the open corpus", "corpus/open.tar.zst");
        };
        let files = fs::read_dir(folder.join("all")).map(Iterator::count);
        assert_eq!(files.ok(), Some(22_777));
        assert!(folder.join("open_core.txt").is_file());
        assert_eq!(open_corpus(), Some(folder));
    }

    #[test]
    fn leaves_nothing_behind_when_the_archive_is_broken() {
        let cache = tempfile::tempdir().expect("a temporary folder");
        let archive = cache.path().join("broken.tar.zst");
        fs::write(&archive, "not compressed").expect("the folder is ours");
        assert!(unpack_once(&archive, cache.path()).is_err());
        let names = fs::read_dir(cache.path()).map(Iterator::count);
        assert_eq!(names.ok(), Some(1));
    }
}
