//! What a project asks of its Dockerfiles: `dflint.toml` and `.editorconfig`.
//!
//! Invariants:
//! - The nearest `dflint.toml` above a file decides; `.editorconfig` fills in what it leaves open.
//! - A mistake in a configuration file is an error with the path, the line and what would be right: never a guess.

#![forbid(unsafe_code)]

mod editor_config;
mod error;
mod schema;
mod settings;

pub use error::ConfigError;
pub use settings::{Overrides, Settings};

/// The name of the configuration file.
pub const CONFIG_NAME: &str = "dflint.toml";
