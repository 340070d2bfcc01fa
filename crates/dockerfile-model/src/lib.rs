//! What a Dockerfile means.

#![forbid(unsafe_code)]

pub mod expansion;
mod go_duration;
mod go_match;
pub mod ignore_file;
pub mod image_ref;

pub use go_duration::{DurationError, parse_go_duration};
pub use go_match::{BadPattern, go_match};
pub use ignore_file::IgnoreFile;
pub use image_ref::ImageRef;
