//! Rules about the images that stages stand on.

mod untagged_base_image;

use crate::Rule;

pub(crate) const RULES: &[&Rule] = &[&untagged_base_image::UNTAGGED_BASE_IMAGE];
