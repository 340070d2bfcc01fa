//! What the local store knows of images, as facts for the model and the rules.
//!
//! `dfls` and `dflint` use it: neither the model nor the rules look at a disk.
//!
//! Invariants:
//! - Nobody but the store is asked: no registry, no daemon. What it does not have is not known.
//! - What is read has a limit: lists of files, and `/etc/passwd`.

#![forbid(unsafe_code)]

mod accounts;
mod layer_files;
mod stored_images;

pub use layer_files::{layer_files, merged_files};
pub use stored_images::{FoundImage, StoredImages, default_store};
