//! Reading images from a tar, whoever wrote it.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::Path;

use serde::Deserialize;

use super::NamedImage;
use super::names::images_of;
use crate::compression::{Decompressor, Format};
use crate::config::ImageConfig;
use crate::digest::Digest;
use crate::error::Error;
use crate::go_json::null_is_default;
use crate::manifest::{DOCUMENT_LIMIT, Descriptor, Document, Manifest, check_size, media_type};
use crate::store::Store;

/// How many entries an archive may have: a layout has one for each layer.
const ENTRY_LIMIT: usize = 200_000;
/// How many links to other layers `docker save` of before 25 may chain.
const LINK_LIMIT: usize = 8;

/// What an archive said, besides its contents.
#[derive(Default)]
struct Contents {
    files: BTreeMap<String, File>,
    links: BTreeMap<String, String>,
    index: Option<Vec<u8>>,
    docker_manifest: Option<Vec<u8>>,
}

struct File {
    digest: Digest,
    size: u64,
    format: Format,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DockerImage {
    config: String,
    #[serde(default, deserialize_with = "null_is_default")]
    repo_tags: Vec<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    layers: Vec<String>,
}

/// Reads an OCI layout or a docker archive (compressed or not) into the store, and returns the images that it names.
///
/// They get no name in the store: that is for the caller to say. `limit` bounds the bytes that are read, after they are
/// unpacked.
pub fn read_archive(store: &Store, input: impl Read, limit: u64) -> Result<Vec<NamedImage>, Error> {
    let fail = || Error::io("read", Path::new("the archive"));
    let input = Decompressor::new(input, limit).map_err(fail())?;
    let mut archive = tar::Archive::new(input);
    let mut contents = Contents::default();
    for (count, entry) in archive.entries().map_err(fail())?.enumerate() {
        let entry = entry.map_err(fail())?;
        if count >= ENTRY_LIMIT {
            return Err(malformed(format!(
                "there are more than {ENTRY_LIMIT} entries"
            )));
        }
        read_entry(store, entry, &mut contents)?;
    }
    match (&contents.index, &contents.docker_manifest) {
        (Some(index), _) => {
            let parsed = Document::parse(index, Some(media_type::OCI_INDEX))?;
            let Document::Index(index) = parsed else {
                return Err(Error::AmbiguousDocument);
            };
            let images = images_of(*index)?;
            for image in &images {
                require_parts(store, &image.descriptor)?;
            }
            Ok(images)
        }
        (None, Some(manifest)) => docker_images(store, &contents, manifest),
        (None, None) => Err(malformed(
            "there is neither `index.json` nor `manifest.json`".to_owned(),
        )),
    }
}

/// Fails when an image lacks a part, or a part is not what it is said to be.
pub(super) fn require_parts(store: &Store, descriptor: &Descriptor) -> Result<(), Error> {
    store.require_image(descriptor)
}

fn read_entry(
    store: &Store,
    mut entry: tar::Entry<'_, impl Read>,
    contents: &mut Contents,
) -> Result<(), Error> {
    let raw_name = entry.path_bytes().into_owned();
    let name = plain_name(&raw_name).ok_or_else(|| {
        malformed(format!(
            "the name `{}` leads elsewhere",
            raw_name.escape_ascii()
        ))
    })?;
    match entry.header().entry_type() {
        tar::EntryType::Regular => {}
        tar::EntryType::Directory | tar::EntryType::XGlobalHeader => return Ok(()),
        // `docker save` of before 25 has a link where two images share a layer.
        tar::EntryType::Symlink if name.ends_with("/layer.tar") => {
            let target = entry.link_name_bytes().unwrap_or_default().into_owned();
            let target = String::from_utf8_lossy(&target).into_owned();
            let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
            let target = join(folder, &target)
                .ok_or_else(|| malformed(format!("the link `{name}` leads elsewhere")))?;
            contents.links.insert(name, target);
            return Ok(());
        }
        _ => return Err(malformed(format!("`{name}` is not a file"))),
    }
    let is_duplicate = contents.files.contains_key(&name)
        || contents.links.contains_key(&name)
        || name == "index.json" && contents.index.is_some()
        || name == "manifest.json" && contents.docker_manifest.is_some();
    if is_duplicate {
        return Err(malformed(format!("`{name}` is there twice")));
    }
    match name.as_str() {
        "index.json" => contents.index = Some(read_document(entry)?),
        "manifest.json" => contents.docker_manifest = Some(read_document(entry)?),
        "oci-layout" | "repositories" => {
            read_document(entry)?;
        }
        _ => {
            let file = import(store, &name, &mut entry)?;
            contents.files.insert(name, file);
        }
    }
    Ok(())
}

/// Writes an entry into the store; one under `blobs/` must have the digest that its name says.
fn import(store: &Store, name: &str, entry: &mut impl Read) -> Result<File, Error> {
    let expected = match name.strip_prefix("blobs/") {
        Some(rest) => Some(rest.replacen('/', ":", 1).parse::<Digest>()?),
        None => None,
    };
    let fail = |error| Error::io("read from the archive", Path::new(name))(error);
    let mut start = Vec::new();
    entry.take(6).read_to_end(&mut start).map_err(fail)?;
    let mut writer = store.begin_blob()?;
    writer.append(&start)?;
    let mut buffer = vec![0; 128 << 10];
    loop {
        let read = entry.read(&mut buffer).map_err(fail)?;
        if read == 0 {
            break;
        }
        writer.append(buffer.get(..read).unwrap_or_default())?;
    }
    let (digest, size) = writer.commit(expected.as_ref())?;
    let format = Format::detect(&start);
    Ok(File {
        digest,
        size,
        format,
    })
}

fn read_document(entry: impl Read) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let mut entry = entry.take(DOCUMENT_LIMIT + 1);
    entry
        .read_to_end(&mut bytes)
        .map_err(Error::io("read", Path::new("the archive")))?;
    check_size("a document of the archive", bytes.len() as u64)?;
    Ok(bytes)
}

/// Makes manifests for what a docker archive describes.
fn docker_images(
    store: &Store,
    contents: &Contents,
    manifest: &[u8],
) -> Result<Vec<NamedImage>, Error> {
    let entries: Vec<DockerImage> =
        serde_json::from_slice(manifest).map_err(|source| Error::Json {
            what: "manifest.json",
            source,
        })?;
    let mut images = Vec::new();
    for entry in entries {
        let config_file = contents.find(&entry.config)?;
        let config = ImageConfig::parse(&store.read_document(&config_file.digest)?)?;
        if config.rootfs.diff_ids.len() != entry.layers.len() {
            return Err(malformed(format!(
                "`{}` has {} layers, its configuration {}",
                entry.config,
                entry.layers.len(),
                config.rootfs.diff_ids.len()
            )));
        }
        let mut layers = Vec::new();
        for (name, diff_id) in entry.layers.iter().zip(&config.rootfs.diff_ids) {
            layers.push(contents.layer(name, diff_id)?);
        }
        let config = Descriptor::new(media_type::OCI_CONFIG, config_file.digest, config_file.size);
        let manifest = Manifest::new(config, layers).to_bytes();
        store.write_blob(&manifest)?;
        images.push(NamedImage {
            descriptor: Descriptor::of(media_type::OCI_MANIFEST, &manifest),
            names: entry.repo_tags,
        });
    }
    Ok(images)
}

impl Contents {
    fn find(&self, name: &str) -> Result<&File, Error> {
        let mut name = name;
        for _ in 0..LINK_LIMIT {
            if let Some(file) = self.files.get(name) {
                return Ok(file);
            }
            match self.links.get(name) {
                Some(target) => name = target,
                None => break,
            }
        }
        let name: String = name.chars().take(200).collect();
        Err(malformed(format!(
            "it names `{name}`, which it does not hold"
        )))
    }

    fn layer(&self, name: &str, diff_id: &Digest) -> Result<Descriptor, Error> {
        let file = self.find(name)?;
        let kind = match file.format {
            Format::None => media_type::OCI_LAYER,
            Format::Gzip => media_type::OCI_LAYER_GZIP,
            Format::Zstd => media_type::OCI_LAYER_ZSTD,
            other => {
                let reason = format!("the layer `{name}` is packed with {}", other.name());
                return Err(malformed(reason));
            }
        };
        // A packed layer is compared when it is unpacked.
        if file.format == Format::None && file.digest != *diff_id {
            return Err(Error::digest_mismatch(diff_id, &file.digest));
        }
        Ok(Descriptor::new(kind, file.digest, file.size))
    }
}

/// Returns the name without `./` and a slash at its end; `None` when it could lead out of a folder.
fn plain_name(name: &[u8]) -> Option<String> {
    let name = str::from_utf8(name).ok()?;
    if name.starts_with('/') || name.contains('\0') {
        return None;
    }
    let parts: Vec<&str> = name
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    (!parts.contains(&"..")).then(|| parts.join("/"))
}

/// Resolves a link as text: no file system takes part.
fn join(folder: &str, target: &str) -> Option<String> {
    if target.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn malformed(reason: String) -> Error {
    Error::Malformed {
        what: "the archive",
        reason,
    }
}

/// Copies a blob of known digest into the store.
pub(super) fn copy_blob(
    store: &Store,
    input: &mut impl Read,
    descriptor: &Descriptor,
) -> Result<(), Error> {
    let mut writer = store.begin_blob()?;
    let path = store.temporary_folder();
    io::copy(&mut input.take(descriptor.size + 1), &mut writer)
        .and_then(|_| writer.flush())
        .map_err(Error::io("copy a blob to", &path))?;
    if writer.size() != descriptor.size {
        return Err(Error::size_mismatch(
            &descriptor.digest,
            descriptor.size,
            writer.size(),
        ));
    }
    writer.commit(Some(&descriptor.digest)).map(|_| ())
}
