//! The rules, in folders by what they are about: one file a rule.

mod base_image;
mod expose;
mod files;
pub(crate) mod syntax;
mod variables;

use crate::Rule;

/// The rules of each folder.
pub(crate) const CATEGORIES: &[&[&Rule]] = &[
    base_image::RULES,
    expose::RULES,
    files::RULES,
    variables::RULES,
    syntax::RULES,
];
