//! Tokenisers, one for each lexical mode.

pub(crate) mod shell;
pub(crate) mod word;
