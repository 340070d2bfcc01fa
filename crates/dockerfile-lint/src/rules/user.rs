//! Rules about USER: who runs what, and whose files they are.

mod accounts;
mod named_user;
mod root_owned_copy;
mod root_user;
mod sudo;
mod unknown_user;
mod user_created_but_unused;
mod user_created_later;
mod world_writable;

use crate::Rule;

pub(crate) const RULES: &[&Rule] = &[
    &root_user::ROOT_USER,
    &unknown_user::UNKNOWN_USER,
    &user_created_later::USER_CREATED_LATER,
    &sudo::SUDO,
    &root_owned_copy::ROOT_OWNED_COPY,
    &named_user::NAMED_USER,
    &world_writable::WORLD_WRITABLE,
    &user_created_but_unused::USER_CREATED_BUT_UNUSED,
];
