//! Rules about EXPOSE: what it means and what it does not.

mod expose_protocol_casing;

use crate::Rule;

pub(crate) const RULES: &[&Rule] = &[&expose_protocol_casing::EXPOSE_PROTOCOL_CASING];
