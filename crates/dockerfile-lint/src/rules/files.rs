//! Rules about what is copied, and where to.

mod add_for_plain_file;
mod cd_instead_of_workdir;
mod copied_credentials;
mod copy_destination_without_slash;
mod ignored_copy_source;
mod lost_shell_state;
mod relative_copy_destination;
mod relative_workdir;
mod source_outside_context;
mod system_directory;

use crate::Rule;

pub(crate) const RULES: &[&Rule] = &[
    &add_for_plain_file::ADD_FOR_PLAIN_FILE,
    &copy_destination_without_slash::COPY_DESTINATION_WITHOUT_SLASH,
    &relative_workdir::RELATIVE_WORKDIR,
    &relative_copy_destination::RELATIVE_COPY_DESTINATION,
    &cd_instead_of_workdir::CD_INSTEAD_OF_WORKDIR,
    &lost_shell_state::LOST_SHELL_STATE,
    &system_directory::SYSTEM_DIRECTORY,
    &source_outside_context::SOURCE_OUTSIDE_CONTEXT,
    &ignored_copy_source::IGNORED_COPY_SOURCE,
    &copied_credentials::COPIED_CREDENTIALS,
];
