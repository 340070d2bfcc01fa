//! Rules about EXPOSE: what it means and what it does not.

mod admin_port;
mod duplicate_port;
mod expose_host_port;
mod expose_in_discarded_stage;
mod expose_protocol_casing;
mod invalid_port;
mod localhost_listener;
mod port_mismatch;
mod port_spec;
mod undefined_port_variable;

use crate::Rule;

pub(crate) const RULES: &[&Rule] = &[
    &expose_host_port::EXPOSE_HOST_PORT,
    &expose_protocol_casing::EXPOSE_PROTOCOL_CASING,
    &invalid_port::INVALID_PORT,
    &duplicate_port::DUPLICATE_PORT,
    &expose_in_discarded_stage::EXPOSE_IN_DISCARDED_STAGE,
    &port_mismatch::PORT_MISMATCH,
    &admin_port::ADMIN_PORT,
    &undefined_port_variable::UNDEFINED_PORT_VARIABLE,
    &localhost_listener::LOCALHOST_LISTENER,
];
