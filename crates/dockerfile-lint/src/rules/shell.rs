//! Rules about the commands that RUN, CMD and the rest hand to a shell.

use crate::Rule;

pub(crate) const RULES: &[&Rule] = &[];
