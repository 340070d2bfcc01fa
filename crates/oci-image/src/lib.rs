//! Images as data and bytes: digests, manifests, configs, layers as tar streams, and the store on disk.
//!
//! Invariants:
//! - A digest is validated when it is read, and only a [`Digest`] ever becomes part of a path.
//! - A document that came from elsewhere is kept as the bytes that its digest names, never written anew.
//! - The same input gives the same bytes: sorted keys, no clock, whatever the number of threads.
//! - What `index.json` of the store names is complete and on disk.

#![forbid(unsafe_code)]

mod error;
pub mod layer;

mod background_hash;
pub mod digest;

pub mod config;
mod go_json;
pub mod manifest;

pub mod compression;

pub mod store;

pub mod archive;

pub mod host;

pub use compression::Compression;
pub use digest::Digest;
pub use error::Error;
pub use store::Store;
