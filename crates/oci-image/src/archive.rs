//! Images as one file or folder: the OCI layout, and the archive that `docker load` reads.
//!
//! What is written holds both: an OCI layout whose tar also has Docker's `manifest.json`, as BuildKit's `type=docker` does.
//! What is read may be either, in any order, in one pass. Invariant: no name from an archive ever becomes a path: contents go
//! into the store under the digest of their bytes, names are keys of a map.

mod folder;
mod names;
mod read;
mod write;

pub use folder::{read_folder, write_folder};
pub use read::read_archive;
pub use write::{write_docker_archive, write_oci_archive};

use crate::manifest::Descriptor;

/// An image with the names under which it is exported; without one, it is there but nameless.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedImage {
    pub descriptor: Descriptor,
    pub names: Vec<String>,
}

#[cfg(test)]
mod tests;
