//! What can be wrong with a configuration.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why there are no settings for a file.
#[derive(Debug, Error)]
pub enum ConfigError {
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    /// Not TOML, an unknown key or a value that is none. The source says where.
    #[error("{} is not a valid configuration:\n{source}", path.display())]
    Toml {
        path: PathBuf,
        source: Box<toml::de::Error>,
    },
    #[error("{} is not a valid .editorconfig: {reason}", path.display())]
    EditorConfig { path: PathBuf, reason: String },
}
