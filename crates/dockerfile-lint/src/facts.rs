//! What several rules need to know and no single one owns.

pub(crate) mod command_line;
pub(crate) mod known_images;
pub(crate) mod listener;
