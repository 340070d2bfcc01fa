//! Tokenisers, one for each lexical mode.

pub(crate) mod word;
