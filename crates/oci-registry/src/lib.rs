//! Pull and push over the distribution protocol.
//!
//! Invariants:
//! - The public functions block; the runtime that the protocol's library needs stays in here.
//! - What comes from a registry is verified by its digest and bounded in size before anybody uses it.
//! - Credentials go to the host that they are for, and to no other.

#![forbid(unsafe_code)]

mod credentials;
mod error;
mod pull;
mod push;
mod registry;

pub use error::RegistryError;
pub use pull::Resolved;
pub use registry::{Options, Registry};
