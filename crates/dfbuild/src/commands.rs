//! One module a command.

pub(crate) mod archive;
pub(crate) mod build;
pub(crate) mod completions;
pub(crate) mod du;
pub(crate) mod history;
pub(crate) mod images;
pub(crate) mod inspect;
pub(crate) mod layers;
pub(crate) mod names;
pub(crate) mod plan;
pub(crate) mod prune;
pub(crate) mod pull;
pub(crate) mod push;
pub(crate) mod run;
pub(crate) mod store;
