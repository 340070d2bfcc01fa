//! What several rules need to know, each worked out in one place.

pub(crate) mod almost_json;
pub(crate) mod created_path;
pub(crate) mod image_name;
pub(crate) mod logical_text;
pub(crate) mod shell_program;
pub(crate) mod start_command;
