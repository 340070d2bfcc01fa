//! `dfls`: the language server for Dockerfiles, over standard input and output.
//!
//! Invariants:
//! - One thread owns the documents (`session`). Everything else works on snapshots that never change.
//! - A handler hands its message over before its first await, so that messages count in the order in which they came.
//! - No handler awaits the client.
//! - Findings of an older version are dropped, never published.

#![forbid(unsafe_code)]
// What shows the results of builds lies idle where there are none.
#![cfg_attr(not(target_os = "linux"), allow(dead_code))]

mod server;
mod transport;

mod backend;
mod capabilities;

mod document;
mod session;
mod worker_pool;

mod project;
mod settings;
mod workspace;

mod convert;
mod position;
mod requests;
mod token_cache;

mod build;
mod foreseen;
#[cfg(target_os = "linux")]
mod foresight;
#[cfg(not(target_os = "linux"))]
#[path = "foresight_elsewhere.rs"]
mod foresight;
#[cfg(target_os = "linux")]
mod image_watch;
#[cfg(not(target_os = "linux"))]
#[path = "image_watch_elsewhere.rs"]
mod image_watch;
#[cfg(target_os = "linux")]
mod layers;
mod parent;
mod step_facts;
#[cfg(target_os = "linux")]
mod terminal;

use clap::Parser;

/// The language server for Dockerfiles. Speaks the language server protocol over standard input and output.
#[derive(Parser)]
#[command(name = "dfls", version)]
struct Args {
    /// Accepted for editors that pass it: there is no other way to talk.
    #[arg(long)]
    stdio: bool,
    /// The process of the editor: when it is gone, the server ends.
    #[arg(long = "clientProcessId", value_name = "ID")]
    client_process_id: Option<u32>,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let _ = args.stdio;
    if let Some(id) = args.client_process_id {
        parent::watch(id);
    }
    let code = server::serve()?;
    std::process::exit(code)
}
