//! Rules about how a file is written, where BuildKit has an opinion.

mod description_comment;
mod from_as_casing;
mod instruction_casing;

use crate::Rule;

pub(crate) const RULES: &[&Rule] = &[
    &instruction_casing::INSTRUCTION_CASING,
    &from_as_casing::FROM_AS_CASING,
    &description_comment::DESCRIPTION_COMMENT,
];
