//! Rules about the build cache.

mod consecutive_run;
mod copy_without_ignore_file;
mod early_changing_value;
mod early_url_add;
mod separate_package_update;
mod sources_before_dependencies;

use crate::Rule;

pub(crate) const RULES: &[&Rule] = &[
    &sources_before_dependencies::SOURCES_BEFORE_DEPENDENCIES,
    &separate_package_update::SEPARATE_PACKAGE_UPDATE,
    &early_changing_value::EARLY_CHANGING_VALUE,
    &early_url_add::EARLY_URL_ADD,
    &copy_without_ignore_file::COPY_WITHOUT_IGNORE_FILE,
    &consecutive_run::CONSECUTIVE_RUN,
];
