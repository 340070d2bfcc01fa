//! What several rules need to know and no single one owns.

pub(crate) mod known_images;
