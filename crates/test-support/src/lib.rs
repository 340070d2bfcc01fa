//! What tests share: where the outside data is, and fixtures that say in the text what they expect.
//!
//! A dev-dependency only. Its functions panic on a fault of the test itself, with a message that says which.
//!
//! Tests that need data from outside of the repository never skip silently:
//!
//! ```
//! let Some(conformance) = test_support::conformance() else {
//!     return test_support::skipped("the parser cases of BuildKit", "conformance");
//! };
//! # let _ = conformance;
//! ```

#![forbid(unsafe_code)]

mod shared_folder;

mod open_corpus;
mod zst_lines;

mod busybox_base;
mod small_image;

mod annotations;
mod cursor;

pub use annotations::{Annotation, annotations, check_annotations, render_annotations};
pub use busybox_base::{busybox_program, write_busybox_base};
pub use cursor::cursor;
pub use open_corpus::open_corpus;
pub use shared_folder::{conformance, seeds, shared_folder, skipped, workspace_root};
pub use small_image::write_small_image;
pub use zst_lines::read_zst_lines;
