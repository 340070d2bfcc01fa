//! One module a command.

pub(crate) mod build;
pub(crate) mod images;
pub(crate) mod plan;
pub(crate) mod prune;
pub(crate) mod store;
