//! A context that comes as a tar.
//!
//! The archive may be hostile: nothing of it lands outside of the folder (CVE-2020-10696, CVE-2026-28406). What is no file, folder
//! or link cannot be in a context and is left out.

use std::fs;
use std::io::{BufReader, Read};
use std::path::{Component, Path};

use anyhow::{Context as _, Result, bail};
use oci_image::compression::Decompressor;

/// More than this after decompression is a bomb, or a mistake.
const MOST_BYTES: u64 = 1 << 40;
const MOST_ENTRIES: usize = 4_000_000;

/// Unpacks an archive, compressed or not, into an empty folder.
pub(crate) fn unpack(input: impl Read, folder: &Path) -> Result<()> {
    let plain = Decompressor::new(BufReader::with_capacity(1 << 18, input), MOST_BYTES)?;
    let mut archive = tar::Archive::new(plain);
    archive.set_preserve_permissions(true);
    archive.set_preserve_mtime(true);
    archive.set_unpack_xattrs(false);
    // The times of folders would change while their files are written.
    let mut folders = Vec::new();
    for (count, entry) in archive.entries()?.enumerate() {
        if count >= MOST_ENTRIES {
            bail!("it has more than {MOST_ENTRIES} entries");
        }
        let mut entry = entry?;
        let kind = entry.header().entry_type();
        let is_wanted = kind.is_file()
            || kind.is_dir()
            || kind.is_symlink()
            || kind.is_hard_link()
            || kind.is_contiguous()
            || kind.is_gnu_sparse();
        if !is_wanted {
            continue;
        }
        let path = entry.path()?.into_owned();
        if !is_inside(&path) {
            bail!("`{}` leads out of the context", path.display());
        }
        if kind.is_hard_link() {
            let target = entry.link_name()?.unwrap_or_default().into_owned();
            if !is_inside(&target) {
                bail!(
                    "the hard link `{}` leads out of the context",
                    path.display()
                );
            }
        }
        if kind.is_dir() {
            folders.push(entry);
            continue;
        }
        // It resolves the folder above and refuses one that a symbolic link has led away.
        let unpacked = entry
            .unpack_in(folder)
            .with_context(|| format!("`{}`", path.display()))?;
        if !unpacked {
            bail!("`{}` leads out of the context", path.display());
        }
    }
    folders.sort_by(|a, b| b.path_bytes().cmp(&a.path_bytes()));
    for mut entry in folders {
        entry.unpack_in(folder)?;
    }
    // Files of folders without permission could not be read, nor taken away at the end.
    open_folders(folder)
}

/// Returns whether a path of an archive stays below the folder.
fn is_inside(path: &Path) -> bool {
    path.components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

fn open_folders(folder: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if !entry.file_type()?.is_dir() {
                continue;
            }
            let mode = entry.metadata()?.permissions().mode();
            if mode & 0o700 != 0o700 {
                fs::set_permissions(entry.path(), fs::Permissions::from_mode(mode | 0o700))?;
            }
            open.push(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(entries: &[(&str, tar::EntryType, &str)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, kind, content) in entries {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(*kind);
            header.set_mode(0o644);
            let is_link = kind.is_symlink() || kind.is_hard_link();
            header.set_size(if is_link { 0 } else { content.len() as u64 });
            if is_link {
                header.set_link_name_literal(content).expect("short");
            }
            // As a hostile archive has it: the builder itself refuses `..`.
            let name = header.as_gnu_mut().expect("gnu");
            name.name[..path.len()].copy_from_slice(path.as_bytes());
            header.set_cksum();
            let data = if is_link { "" } else { content };
            builder.append(&header, data.as_bytes()).expect("memory");
        }
        builder.into_inner().expect("memory")
    }

    fn unpacked(entries: &[(&str, tar::EntryType, &str)]) -> (tempfile::TempDir, Result<()>) {
        let outer = tempfile::tempdir().expect("a scratch folder");
        let folder = outer.path().join("context");
        fs::create_dir(&folder).expect("made");
        let result = unpack(archive(entries).as_slice(), &folder);
        (outer, result)
    }

    use tar::EntryType::{Directory, Fifo, Link, Regular, Symlink};

    #[test]
    fn files_folders_and_links_arrive() {
        let (outer, result) = unpacked(&[
            ("a/", Directory, ""),
            ("a/file", Regular, "text"),
            ("a/again", Link, "a/file"),
            ("soft", Symlink, "a/file"),
            ("pipe", Fifo, ""),
            ("b/c/deep", Regular, "x"),
        ]);
        result.expect("unpacked");
        let read = |path: &str| fs::read_to_string(outer.path().join("context").join(path));
        for path in ["a/file", "a/again", "soft"] {
            assert_eq!(read(path).expect("read"), "text", "{path}");
        }
        assert_eq!(read("b/c/deep").expect("read"), "x");
        assert!(!outer.path().join("context/pipe").exists());
    }

    #[test]
    fn nothing_lands_outside() {
        let cases: [&[(&str, tar::EntryType, &str)]; 5] = [
            &[("../out", Regular, "x")],
            &[("a/../../out", Regular, "x")],
            &[("/out", Regular, "x")],
            &[("link", Symlink, ".."), ("link/out", Regular, "x")],
            &[("hard", Link, "../secret")],
        ];
        for entries in cases {
            let (outer, result) = unpacked(entries);
            assert!(result.is_err(), "{entries:?}");
            assert!(!outer.path().join("out").exists(), "{entries:?}");
        }
    }
}
