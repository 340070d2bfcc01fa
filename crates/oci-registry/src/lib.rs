//! Pull and push over the distribution protocol (opencontainers/distribution-spec).
//!
//! Invariants:
//! - Credentials go to the host that they are for, and to the token service that this host names over TLS; never along a
//!   redirect to another host (CVE-2020-15157), never to where a blob is uploaded elsewhere.
//! - What arrives is bounded before it is read: documents by 4 MiB, blobs by the size in their descriptor, redirects, retries
//!   and waits by numbers.
//! - Bytes are believed when they have the digest that was asked for, and not before.
//!
//! All calls block. They may be made from several threads at once.

#![forbid(unsafe_code)]

mod error;

mod credentials;
mod reference;

mod http;

mod registry;

mod download;

pub use credentials::{Credential, Credentials};
pub use download::{Answer, Download, Downloads, percent_decoded};
pub use error::RegistryError;
pub use reference::Reference;
pub use registry::{Monitor, Options, PushOptions, Registry, Resolved};
