//! Writing images as a tar.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::Path;

use serde::Serialize;

use super::NamedImage;
use super::names::{blob_name, familiar, index_of};
use crate::error::Error;
use crate::go_json;
use crate::manifest::{Descriptor, Document, media_type};
use crate::store::Store;

const LAYOUT: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

/// An entry of Docker's `manifest.json`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DockerImage {
    config: String,
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

/// Writes an OCI layout as a tar.
pub fn write_oci_archive(
    store: &Store,
    images: &[NamedImage],
    output: impl Write,
) -> Result<(), Error> {
    write_archive(store, images, output, None)
}

/// Writes a tar that `docker load` reads; it is an OCI layout as well.
///
/// Fails for an image of several platforms, which has no place in that format.
pub fn write_docker_archive(
    store: &Store,
    images: &[NamedImage],
    output: impl Write,
) -> Result<(), Error> {
    let mut entries = Vec::new();
    for image in images {
        let bytes = store.read_document(&image.descriptor.digest)?;
        let expected = Some(image.descriptor.media_type.as_str());
        let Document::Manifest(manifest) = Document::parse(&bytes, expected)? else {
            return Err(Error::Malformed {
                what: "the image",
                reason: "a docker archive cannot hold an image of several platforms".to_owned(),
            });
        };
        let tags: Vec<String> = image
            .names
            .iter()
            .map(|name| familiar(name).to_owned())
            .collect();
        entries.push(DockerImage {
            config: blob_name(&manifest.config),
            repo_tags: (!tags.is_empty()).then_some(tags),
            layers: manifest.layers.iter().map(blob_name).collect(),
        });
    }
    write_archive(store, images, output, Some(go_json::compact(&entries)))
}

/// Writes the entries in the order of their names, as containerd does (images/archive/exporter.go).
fn write_archive(
    store: &Store,
    images: &[NamedImage],
    output: impl Write,
    docker_manifest: Option<Vec<u8>>,
) -> Result<(), Error> {
    let mut blobs = BTreeMap::new();
    for image in images {
        collect_blobs(store, &image.descriptor, &mut blobs, 0)?;
    }
    let mut archive = tar::Builder::new(output);
    let mut folders = vec!["blobs/".to_owned()];
    for name in blobs.keys() {
        let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
        let folder = format!("{folder}/");
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    for folder in &folders {
        append(
            &mut archive,
            folder,
            tar::EntryType::Directory,
            0,
            io::empty(),
        )?;
    }
    for (name, descriptor) in &blobs {
        let mut reader = store.open_blob(&descriptor.digest)?;
        let size = reader.size();
        append(
            &mut archive,
            name,
            tar::EntryType::Regular,
            size,
            &mut reader,
        )?;
        // The builder stops at the size; only the end of the blob says whether it is sound.
        io::copy(&mut reader, &mut io::sink())
            .map_err(Error::io("read", &store.blob_path(&descriptor.digest)))?;
    }
    let index = index_of(images).to_bytes();
    append_bytes(&mut archive, "index.json", &index)?;
    if let Some(manifest) = docker_manifest {
        append_bytes(&mut archive, "manifest.json", &manifest)?;
    }
    append_bytes(&mut archive, "oci-layout", LAYOUT)?;
    archive
        .into_inner()
        .and_then(|mut output| output.flush())
        .map_err(Error::io("write", Path::new("the archive")))
}

/// Collects what an image is made of, by the name in the layout; platforms that the store does not have are left out.
pub(super) fn collect_blobs(
    store: &Store,
    descriptor: &Descriptor,
    blobs: &mut BTreeMap<String, Descriptor>,
    depth: usize,
) -> Result<(), Error> {
    const DEPTH_LIMIT: usize = 8;
    let is_known = blobs
        .insert(blob_name(descriptor), descriptor.clone())
        .is_some();
    let kind = descriptor.media_type.as_str();
    if is_known
        || depth > DEPTH_LIMIT
        || !(media_type::is_manifest(kind) || media_type::is_index(kind))
    {
        return Ok(());
    }
    let bytes = store.read_document(&descriptor.digest)?;
    match Document::parse(&bytes, Some(kind))? {
        Document::Manifest(manifest) => {
            for part in std::iter::once(&manifest.config).chain(&manifest.layers) {
                blobs.insert(blob_name(part), part.clone());
            }
        }
        Document::Index(index) => {
            for entry in &index.manifests {
                if store.has_blob(entry) {
                    collect_blobs(store, entry, blobs, depth + 1)?;
                }
            }
        }
    }
    Ok(())
}

fn append_bytes<W: Write>(
    archive: &mut tar::Builder<W>,
    name: &str,
    bytes: &[u8],
) -> Result<(), Error> {
    let size = bytes.len() as u64;
    append(archive, name, tar::EntryType::Regular, size, bytes)
}

/// Appends an entry without owner and time: the same image is the same archive.
fn append<W: Write>(
    archive: &mut tar::Builder<W>,
    name: &str,
    kind: tar::EntryType,
    size: u64,
    contents: impl Read,
) -> Result<(), Error> {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(if kind.is_dir() { 0o755 } else { 0o644 });
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size);
    archive
        .append_data(&mut header, name, contents)
        .map_err(Error::io("write to the archive", Path::new(name)))
}
