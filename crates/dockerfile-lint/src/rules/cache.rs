//! Rules about the build cache.

mod sources_before_dependencies;

use crate::Rule;

pub(crate) const RULES: &[&Rule] = &[&sources_before_dependencies::SOURCES_BEFORE_DEPENDENCIES];
