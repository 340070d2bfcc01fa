//! Requests to a registry: tokens, redirects and retries.

mod address;
mod challenge;
mod client;
mod token;

pub(crate) use address::Address;
pub(crate) use client::{Access, Client, Request, header};
