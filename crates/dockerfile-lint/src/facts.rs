//! What several rules need to know and no single one owns.

pub(crate) mod almost_json;
pub(crate) mod appended_command;
pub(crate) mod assignment;
pub(crate) mod base_environment;
pub(crate) mod blocks;
pub(crate) mod called_program;
pub(crate) mod command_line;
pub(crate) mod container_path;
pub(crate) mod copy_source;
pub(crate) mod created_path;
pub(crate) mod distribution;
pub(crate) mod environment;
pub(crate) mod expanded_words;
pub(crate) mod known_images;
pub(crate) mod listener;
pub(crate) mod logical_text;
pub(crate) mod mounted_folder;
pub(crate) mod options;
pub(crate) mod package_action;
pub(crate) mod package_call;
pub(crate) mod privilege;
pub(crate) mod program_call;
pub(crate) mod shell_program;
pub(crate) mod start_command;
pub(crate) mod windows;
