//! The rules, in folders by what they are about: one file a rule.

mod base_image;
mod expose;
mod stages;
mod start;
mod packages;
mod shell;
mod files;
pub(crate) mod syntax;
mod variables;

use crate::Rule;

/// The rules of each folder.
pub(crate) const CATEGORIES: &[&[&Rule]] = &[
    syntax::RULES,
    base_image::RULES,
    stages::RULES,
    start::RULES,
    expose::RULES,
    expose::RULES,
    packages::RULES,
    shell::RULES,
    base_image::RULES,
    expose::RULES,
    files::RULES,
    variables::RULES,
    syntax::RULES,
];
