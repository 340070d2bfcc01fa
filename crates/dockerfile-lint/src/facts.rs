//! What several rules need to know of a file, worked out once.

pub(crate) mod appended_command;
pub(crate) mod called_program;
pub(crate) mod distribution;
pub(crate) mod environment;
pub(crate) mod mounted_folder;
pub(crate) mod options;
pub(crate) mod package_action;
pub(crate) mod package_call;
pub(crate) mod program_call;
