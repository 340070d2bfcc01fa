//! What goes wrong around a build: it is killed, the disk is full, files change or are damaged, others are at work.
//!
//! In each case the error is exact, the store stays sound, and the next build gives what an undisturbed one gives.
//! `FAULT_KILLS` says how often builds are killed (40 without it), `FAULT_SEED` at which moments.

#[allow(dead_code, reason = "the tests of the command line use the rest")]
#[path = "../cli/scratch.rs"]
mod scratch;
#[allow(dead_code, reason = "the tests of the command line use the rest")]
#[path = "../cli/server.rs"]
mod server;

mod app;
mod base_images;
mod changes;
mod damage;
mod disk;
mod kill;
mod prune;
mod together;
