//! What a Dockerfile means.

#![forbid(unsafe_code)]

pub mod expansion;
mod go_duration;
pub mod image_ref;

pub use go_duration::{DurationError, parse_go_duration};
pub use image_ref::ImageRef;
