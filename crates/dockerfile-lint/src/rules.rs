//! The rules, in folders by what they are about: one file a rule.

mod base_image;
mod cache;
mod expose;
mod files;
mod packages;
mod shell;
mod stages;
mod start;
mod style;
pub(crate) mod syntax;
mod user;
mod variables;

use crate::Rule;

/// The rules of each folder.
pub(crate) const CATEGORIES: &[&[&Rule]] = &[
    base_image::RULES,
    cache::RULES,
    expose::RULES,
    files::RULES,
    packages::RULES,
    shell::RULES,
    stages::RULES,
    start::RULES,
    style::RULES,
    syntax::RULES,
    user::RULES,
    variables::RULES,
];
