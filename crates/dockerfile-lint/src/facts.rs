//! What several rules need to know and no single one owns.

pub(crate) mod blocks;
pub(crate) mod command_line;
pub(crate) mod container_path;
pub(crate) mod copy_source;
pub(crate) mod known_images;
pub(crate) mod listener;
pub(crate) mod windows;
