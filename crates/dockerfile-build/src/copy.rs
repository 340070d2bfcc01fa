//! COPY and ADD: files of a source become the entries of a layer, without a file system in between.
//!
//! `select` finds the files that are meant, `place` says where they go, `upper` keeps what that changes in the image, and
//! `changes` makes a layer of it. The behaviour is that of BuildKit (solver/llbsolver/file, tonistiigi/fsutil copy).
//!
//! Invariants:
//! - A destination never leads out of the image, nor an entry of an archive out of its destination.
//! - Each file is read once, as a stream.

mod archive;
mod changes;
mod content;
mod digest;
mod error;
mod mode;
mod place;
mod select;
pub(crate) mod source;
mod upper;
mod users;
mod wildcard;

pub use changes::Changes;
pub use content::Content;
pub use digest::content_digest;
pub use error::CopyError;
pub(crate) use error::changed;
pub use mode::FileMode;
pub use place::{CopyRequest, CopySource, copy};
pub use select::{Item, Matched, SelectOptions, select};
pub use source::{FileSource, Hidden, SourceEntry, resolve};
pub use upper::Upper;
pub use users::{RunUser, chown_ids, run_user};

#[cfg(test)]
mod tests;
