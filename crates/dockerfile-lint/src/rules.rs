//! The rules, in folders by what they are about: one file a rule.

mod base_image;
mod expose;
mod packages;
mod shell;
mod files;
pub(crate) mod syntax;

use crate::Rule;

/// The rules of each folder.
pub(crate) const CATEGORIES: &[&[&Rule]] = &[
    syntax::RULES,
    base_image::RULES,
    expose::RULES,
    packages::RULES,
    shell::RULES,
    base_image::RULES,
    expose::RULES,
    files::RULES,
    syntax::RULES,
];
