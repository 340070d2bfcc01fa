//! The command line as a user meets it: one process a test, no network, no privileges.
//!
//! Longer texts are in `snapshots`; `UPDATE_SNAPSHOTS=1` writes them anew, and the difference is to be read.

mod building;
mod containers;
mod contexts;
mod failures;
mod images;
mod progress;
mod remote;
mod running;
mod scratch;
mod server;
mod usage;
