//! OCI layouts as a folder.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::NamedImage;
use super::names::{blob_name, images_of, index_of};
use super::read::{copy_blob, require_parts};
use super::write::collect_blobs;
use crate::error::Error;
use crate::manifest::{Descriptor, Document, check_size, media_type};
use crate::store::Store;

/// Writes the images as an OCI layout into `folder`, whose index is replaced.
pub fn write_folder(store: &Store, images: &[NamedImage], folder: &Path) -> Result<(), Error> {
    let mut blobs = BTreeMap::new();
    for image in images {
        collect_blobs(store, &image.descriptor, &mut blobs, 0)?;
    }
    for (name, descriptor) in &blobs {
        let path = folder.join(name);
        if fs::symlink_metadata(&path)
            .is_ok_and(|file| file.is_file() && file.len() == descriptor.size)
        {
            continue;
        }
        let mut reader = store.open_blob(&descriptor.digest)?;
        write_file(&path, &mut reader)?;
    }
    let index = index_of(images).to_bytes();
    write_file(
        &folder.join("oci-layout"),
        &mut &br#"{"imageLayoutVersion":"1.0.0"}"#[..],
    )?;
    write_file(&folder.join("index.json"), &mut index.as_slice())
}

/// Reads the images that an OCI layout names into the store.
///
/// Symbolic links are not followed: the folder may come from anybody.
pub fn read_folder(store: &Store, folder: &Path) -> Result<Vec<NamedImage>, Error> {
    let path = folder.join("index.json");
    let bytes = read_document(&path)?;
    let Document::Index(index) = Document::parse(&bytes, Some(media_type::OCI_INDEX))? else {
        return Err(Error::AmbiguousDocument);
    };
    let images = images_of(*index)?;
    for part in ["blobs", "blobs/sha256"] {
        let path = folder.join(part);
        let metadata = fs::symlink_metadata(&path).map_err(Error::io("read", &path))?;
        if !metadata.is_dir() {
            let reason = format!("`{part}` is not a folder");
            let what = "the layout";
            return Err(Error::Malformed { what, reason });
        }
    }
    for image in &images {
        import(store, folder, &image.descriptor, 0)?;
        require_parts(store, &image.descriptor)?;
    }
    Ok(images)
}

fn import(
    store: &Store,
    folder: &Path,
    descriptor: &Descriptor,
    depth: usize,
) -> Result<(), Error> {
    const DEPTH_LIMIT: usize = 8;
    let kind = descriptor.media_type.as_str();
    let is_document = media_type::is_manifest(kind) || media_type::is_index(kind);
    if is_document {
        check_size("the manifest", descriptor.size)?;
    }
    if !store.has_blob(descriptor) {
        let mut file = open_plain(&folder.join(blob_name(descriptor)))?;
        copy_blob(store, &mut file, descriptor)?;
    }
    if !is_document || depth > DEPTH_LIMIT {
        return Ok(());
    }
    match Document::parse(&store.read_document(&descriptor.digest)?, Some(kind))? {
        Document::Manifest(manifest) => {
            for part in std::iter::once(&manifest.config).chain(&manifest.layers) {
                import(store, folder, part, depth + 1)?;
            }
        }
        Document::Index(index) => {
            for entry in &index.manifests {
                if fs::symlink_metadata(folder.join(blob_name(entry))).is_ok() {
                    import(store, folder, entry, depth + 1)?;
                }
            }
        }
    }
    Ok(())
}

/// Opens a file that is neither a link nor something that blocks.
fn open_plain(path: &Path) -> Result<File, Error> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
        .map_err(Error::io("open", path))?;
    let metadata = file.metadata().map_err(Error::io("open", path))?;
    if !metadata.is_file() {
        let source = io::Error::new(io::ErrorKind::InvalidInput, "it is not a file");
        return Err(Error::io("open", path)(source));
    }
    Ok(file)
}

fn read_document(path: &Path) -> Result<Vec<u8>, Error> {
    let mut file = open_plain(path)?;
    let size = file.metadata().map_err(Error::io("read", path))?.len();
    check_size("index.json", size)?;
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut file, &mut bytes).map_err(Error::io("read", path))?;
    check_size("index.json", bytes.len() as u64)?;
    Ok(bytes)
}

fn write_file(path: &Path, contents: &mut impl io::Read) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
    let mut file = tempfile::Builder::new()
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
        .tempfile_in(folder)
        .map_err(Error::io("create a file in", folder))?;
    io::copy(contents, &mut file).map_err(Error::io("write", path))?;
    file.persist(path)
        .map(|_| ())
        .map_err(|error| Error::io("write", path)(error.error))
}
