//! What several rules need to know and no single one owns.

pub(crate) mod assignment;
pub(crate) mod base_environment;
pub(crate) mod blocks;
pub(crate) mod container_path;
pub(crate) mod copy_source;
pub(crate) mod expanded_words;
pub(crate) mod known_images;
pub(crate) mod windows;
