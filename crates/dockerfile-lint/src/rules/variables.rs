//! Rules about variables and labels.

mod arg_out_of_scope;
mod duplicate_key;
mod invalid_label_key;
mod legacy_key_value;
mod maintainer;
mod same_instruction_variable;
mod secret_in_variable;
mod spaced_equals;
mod undefined_variable;
mod unused_arg;
mod variable_set_by_base;

use crate::Rule;

pub(crate) const RULES: &[&Rule] = &[
    &undefined_variable::UNDEFINED_VARIABLE,
    &same_instruction_variable::SAME_INSTRUCTION_VARIABLE,
    &legacy_key_value::LEGACY_KEY_VALUE,
    &secret_in_variable::SECRET_IN_VARIABLE,
    &arg_out_of_scope::ARG_OUT_OF_SCOPE,
    &maintainer::MAINTAINER,
    &duplicate_key::DUPLICATE_KEY,
    &invalid_label_key::INVALID_LABEL_KEY,
    &spaced_equals::SPACED_EQUALS,
    &unused_arg::UNUSED_ARG,
    &variable_set_by_base::VARIABLE_SET_BY_BASE,
];
