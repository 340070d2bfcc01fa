//! What several rules need to know and no single one owns.

pub(crate) mod almost_json;
pub(crate) mod blocks;
pub(crate) mod container_path;
pub(crate) mod copy_source;
pub(crate) mod created_path;
pub(crate) mod known_images;
pub(crate) mod logical_text;
pub(crate) mod shell_program;
pub(crate) mod start_command;
pub(crate) mod windows;
