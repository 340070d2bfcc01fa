//! Images out of the store: archives, folders, registries.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

use oci_image::archive::{NamedImage, write_docker_archive, write_folder, write_oci_archive};
use oci_image::compression::{Compression, Compressor};
use oci_image::layer::{Kind, LayerRecord, Limits, read_layer};
use oci_image::manifest::{Descriptor, Manifest, media_type};
use oci_image::store::{CompressedForm, Store};
use oci_registry::{Monitor, PushOptions, Registry};

use crate::error::{BuildError, Failure};
use crate::image::Image;

/// Where an image goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// An OCI layout as a tar.
    OciArchive(Destination),
    /// What `docker load` reads.
    DockerArchive(Destination),
    /// An OCI layout as a folder.
    OciFolder(std::path::PathBuf),
    /// The files of the image as one tar.
    Tar(Destination),
    /// The files of the image as a folder.
    Folder(std::path::PathBuf),
}

/// A file, or standard output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    File(std::path::PathBuf),
    StandardOutput,
}

/// How the layers of an export are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerFormat {
    pub compression: Compression,
    /// Layers of the base too, which otherwise go as they came.
    pub is_forced: bool,
}

/// Writes an image somewhere.
pub fn export(
    store_root: &Path,
    image: &Image,
    names: &[String],
    target: &Target,
    format: LayerFormat,
) -> Result<(), BuildError> {
    let store = Store::open(store_root).map_err(|error| fault(&error))?;
    match target {
        Target::OciArchive(destination) => {
            let image = named(&store, image, names, format)?;
            write_to(destination, |file| {
                write_oci_archive(&store, &[image], file).map_err(|error| fault(&error))
            })
        }
        Target::DockerArchive(destination) => {
            let image = named(&store, image, names, format)?;
            write_to(destination, |file| {
                write_docker_archive(&store, &[image], file).map_err(|error| fault(&error))
            })
        }
        Target::OciFolder(folder) => {
            fs::create_dir_all(folder).map_err(|error| fault(&error))?;
            let image = named(&store, image, names, format)?;
            write_folder(&store, &[image], folder).map_err(|error| fault(&error))
        }
        Target::Tar(destination) => write_to(destination, |file| {
            crate::flat::write_tar(&store, image, file)
        }),
        Target::Folder(folder) => crate::flat::write_folder(&store, image, folder),
    }
}

/// Sends an image to a registry under each of its names.
pub fn push(
    store_root: &Path,
    image: &Image,
    names: &[String],
    registry: &Registry,
    format: LayerFormat,
) -> Result<Descriptor, BuildError> {
    let store = Store::open(store_root).map_err(|error| fault(&error))?;
    let descriptor = compressed(&store, image, format)?;
    for name in names {
        let failed = |error: oci_registry::RegistryError| {
            BuildError::new(Failure::Image, format!("cannot push `{name}`: {error}"))
        };
        let reference = name.parse().map_err(failed)?;
        let options = PushOptions::default();
        registry
            .push(&store, &descriptor, &reference, &options, Monitor::none())
            .map_err(failed)?;
    }
    Ok(descriptor)
}

fn named(
    store: &Store,
    image: &Image,
    names: &[String],
    format: LayerFormat,
) -> Result<NamedImage, BuildError> {
    let descriptor = compressed(store, image, format)?;
    Ok(NamedImage {
        descriptor,
        names: names.to_vec(),
    })
}

/// Returns the image with its layers in a format; a layer that has been in it before is not compressed again.
fn compressed(store: &Store, image: &Image, format: LayerFormat) -> Result<Descriptor, BuildError> {
    let mut layers = Vec::with_capacity(image.layers.len());
    for (layer, diff_id) in image.layers.iter().zip(&image.config.rootfs.diff_ids) {
        let is_plain = layer.digest == *diff_id;
        if format.compression == Compression::None && is_plain || !is_plain && !format.is_forced {
            layers.push(layer.clone());
            continue;
        }
        layers.push(compressed_layer(store, layer, diff_id, format.compression)?);
    }
    let config = image.config.to_bytes();
    let manifest = Manifest::new(Descriptor::of(media_type::OCI_CONFIG, &config), layers);
    let bytes = manifest.to_bytes();
    store.write_blob(&bytes).map_err(|error| fault(&error))?;
    Ok(Descriptor::of(media_type::OCI_MANIFEST, &bytes))
}

fn compressed_layer(
    store: &Store,
    layer: &Descriptor,
    diff_id: &oci_image::Digest,
    compression: Compression,
) -> Result<Descriptor, BuildError> {
    let form = compression.form();
    let known = store.compressed(diff_id).map_err(|error| fault(&error))?;
    let media_type = compression.layer_media_type();
    if let Some(known) = known.iter().find(|known| known.form == form) {
        return Ok(known.descriptor.clone());
    }
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let blob = store.begin_blob().map_err(|error| fault(&error))?;
    let mut compressor =
        Compressor::new(blob, compression, threads).map_err(|error| fault(&error))?;
    let reader = store
        .open_blob(&layer.digest)
        .map_err(|error| fault(&error))?;
    let mut plain = oci_image::compression::Decompressor::new(reader, u64::MAX)
        .map_err(|error| fault(&error))?;
    io::copy(&mut plain, &mut compressor).map_err(|error| fault(&error))?;
    let blob = compressor.finish().map_err(|error| fault(&error))?;
    let (digest, size) = blob.commit(None).map_err(|error| fault(&error))?;
    let descriptor = Descriptor::new(media_type, digest, size);
    let known = CompressedForm {
        form,
        descriptor: descriptor.clone(),
    };
    store
        .add_compressed(diff_id, &known)
        .map_err(|error| fault(&error))?;
    Ok(descriptor)
}

/// Opens what is written to; a file appears whole or not at all.
fn write_to(
    destination: &Destination,
    write: impl FnOnce(&mut dyn Write) -> Result<(), BuildError>,
) -> Result<(), BuildError> {
    match destination {
        Destination::StandardOutput => {
            let mut output = BufWriter::with_capacity(1 << 20, io::stdout().lock());
            write(&mut output)?;
            output.flush().map_err(|error| fault(&error))
        }
        Destination::File(path) => {
            let failed = |error: io::Error| {
                BuildError::new(
                    Failure::System,
                    format!("cannot write `{}`: {error}", path.display()),
                )
            };
            let folder = path
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty());
            let folder = folder.unwrap_or(Path::new("."));
            let temporary = tempfile::Builder::new()
                .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
                .tempfile_in(folder)
                .map_err(failed)?;
            let mut output = BufWriter::with_capacity(1 << 20, temporary.as_file());
            write(&mut output)?;
            output.flush().map_err(failed)?;
            drop(output);
            temporary
                .persist(path)
                .map_err(|error| failed(error.error))?;
            Ok(())
        }
    }
}

pub(crate) fn fault(error: &dyn std::error::Error) -> BuildError {
    BuildError::system("cannot export the image", error)
}

/// Returns the uncompressed bytes of a layer.
pub(crate) fn plain_layer(
    store: &Store,
    layer: &Descriptor,
) -> Result<impl Read + use<>, BuildError> {
    let file = File::open(store.blob_path(&layer.digest)).map_err(|error| fault(&error))?;
    oci_image::compression::Decompressor::new(BufReader::new(file), u64::MAX)
        .map_err(|error| fault(&error))
}

/// Returns the entries of a layer with the place of each file's bytes in its plain tar.
pub(crate) fn entries_of(
    reader: impl Read,
    mut each: impl FnMut(&LayerRecord, &mut dyn Read, u64) -> Result<(), BuildError>,
) -> Result<(), BuildError> {
    let mut layer = read_layer(reader, Limits::default());
    while let Some(record) = layer.next_record().map_err(|error| fault(&error))? {
        let size = match &record {
            LayerRecord::Entry(entry) => match entry.kind {
                Kind::File { size } => size,
                _ => 0,
            },
            LayerRecord::Opaque(_) => 0,
        };
        each(&record, &mut layer, size)?;
    }
    Ok(())
}
