//! The files of an image without its layers: `-o type=tar` and `-o type=local`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use oci_image::layer::{Entry, Kind, LayerPath, LayerRecord, LayerWriter, Timestamp};
use oci_image::store::Store;
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};

use crate::error::BuildError;
use crate::export::{entries_of, fault, plain_layer};
use crate::image::Image;

/// Which layer has the last word about each path.
fn winners(store: &Store, image: &Image) -> Result<BTreeMap<LayerPath, usize>, BuildError> {
    let mut winners: BTreeMap<LayerPath, usize> = BTreeMap::new();
    for (number, layer) in image.layers.iter().enumerate() {
        entries_of(plain_layer(store, layer)?, |record, _, _| {
            match record {
                LayerRecord::Opaque(folder) => {
                    winners.retain(|path, at| *at == number || !path.is_in(folder));
                }
                LayerRecord::Entry(entry) => {
                    if !entry.kind.is_directory() {
                        winners.retain(|path, at| *at == number || !path.is_in(&entry.path));
                    }
                    match entry.kind {
                        Kind::Whiteout => {
                            winners.remove(&entry.path);
                        }
                        _ => {
                            winners.insert(entry.path.clone(), number);
                        }
                    }
                }
            }
            Ok(())
        })?;
    }
    Ok(winners)
}

fn each_file(
    store: &Store,
    image: &Image,
    mut each: impl FnMut(&Entry, &mut dyn Read) -> Result<(), BuildError>,
) -> Result<(), BuildError> {
    let winners = winners(store, image)?;
    for (number, layer) in image.layers.iter().enumerate() {
        entries_of(plain_layer(store, layer)?, |record, content, size| {
            let LayerRecord::Entry(entry) = record else {
                return Ok(());
            };
            if winners.get(&entry.path) != Some(&number) || matches!(entry.kind, Kind::Whiteout) {
                return Ok(());
            }
            each(entry, &mut content.take(size))
        })?;
    }
    Ok(())
}

pub(crate) fn write_tar(
    store: &Store,
    image: &Image,
    output: &mut dyn Write,
) -> Result<(), BuildError> {
    let mut writer = LayerWriter::new(output);
    each_file(store, image, |entry, content| {
        writer
            .append(entry, &mut { content })
            .map_err(|error| fault(&error))
    })?;
    writer.finish().map_err(|error| fault(&error))?;
    Ok(())
}

/// Writes the files of an image below a folder. Owners and devices are left out: they are for root, and for images.
pub(crate) fn write_folder(store: &Store, image: &Image, folder: &Path) -> Result<(), BuildError> {
    fs::create_dir_all(folder).map_err(|error| fault(&error))?;
    let mut folders = Vec::new();
    each_file(store, image, |entry, content| {
        write_one(entry, content, folder, &mut folders)
            .map_err(|error| BuildError::system(&format!("cannot export `{}`", entry.path), &error))
    })?;
    // Last and from below: a folder without the right to write could not be filled, and what is put in changes its time.
    folders.sort_by(|(one, ..), (other, ..): &(_, _, _)| Path::cmp(one, other));
    for (path, mode, modified) in folders.into_iter().rev() {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))
            .and_then(|()| set_time(&path, modified))
            .map_err(|error| fault(&error))?;
    }
    Ok(())
}

fn write_one(
    entry: &Entry,
    content: &mut dyn Read,
    folder: &Path,
    folders: &mut Vec<(PathBuf, u32, Timestamp)>,
) -> io::Result<()> {
    let path = folder.join(entry.path.as_path());
    refuse_links(folder, &entry.path)?;
    if entry.kind.is_directory() {
        fs::create_dir_all(&path)?;
        folders.push((path, entry.mode, entry.modified));
        return Ok(());
    }
    match fs::symlink_metadata(&path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(&path)?,
        Ok(_) => fs::remove_file(&path)?,
        Err(_) => {}
    }
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    match &entry.kind {
        Kind::File { .. } => {
            let mut file = fs::File::create_new(&path)?;
            io::copy(content, &mut file)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(entry.mode))?;
        }
        Kind::Symlink { target } => {
            use std::os::unix::ffi::OsStrExt as _;
            symlink(std::ffi::OsStr::from_bytes(target), &path)?;
        }
        Kind::HardLink { target } => {
            refuse_links(folder, target)?;
            fs::hard_link(folder.join(target.as_path()), &path)?;
        }
        _ => return Ok(()),
    }
    set_time(&path, entry.modified)
}

/// Gives a file the time that it has in the image, as BuildKit's local exporter does.
fn set_time(path: &Path, modified: Timestamp) -> io::Result<()> {
    let time = Timespec {
        tv_sec: modified.seconds,
        tv_nsec: modified.nanos.into(),
    };
    let times = Timestamps {
        last_access: time,
        last_modification: time,
    };
    Ok(utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)?)
}

/// A link that the image put on the way must not lead out of the folder.
fn refuse_links(folder: &Path, path: &LayerPath) -> io::Result<()> {
    for above in path.ancestors() {
        let is_link = fs::symlink_metadata(folder.join(above.as_path()))
            .is_ok_and(|found| found.is_symlink());
        if is_link && !above.is_root() {
            return Err(io::Error::other("a symbolic link is on the way"));
        }
    }
    Ok(())
}
