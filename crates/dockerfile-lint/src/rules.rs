//! The rules, in folders by what they are about: one file a rule.

mod base_image;
mod expose;
mod files;
mod style;
pub(crate) mod syntax;
mod user;
mod packages;
mod shell;
mod files;
mod stages;
mod start;
mod packages;
mod shell;
pub(crate) mod syntax;
mod variables;

use crate::Rule;

/// The rules of each folder.
pub(crate) const CATEGORIES: &[&[&Rule]] = &[
    base_image::RULES,
    expose::RULES,
    files::RULES,
    style::RULES,
    packages::RULES,
    shell::RULES,
    syntax::RULES,
    user::RULES,
    packages::RULES,
    shell::RULES,
    stages::RULES,
    start::RULES,
    syntax::RULES,
    variables::RULES,
];
