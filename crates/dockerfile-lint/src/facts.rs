//! What several rules need to know about a file.

pub(crate) mod blocks;
pub(crate) mod container_path;
pub(crate) mod copy_source;
pub(crate) mod windows;
