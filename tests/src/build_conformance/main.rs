//! Does `dfbuild` build what BuildKit builds?
//!
//! Two sets of cases: those of the shared folder, made with the newest BuildKit (`conformance/build`), and the project's own
//! (`tests/build-cases`). Arguments that are no flags, or `BUILD_CASE`, name the cases to run (a part of the name is enough).
//! `BUILD_JOBS` says how many at once, `BUILD_TWICE=1` builds each case again from the cache, `BUILD_KEEP=1` shows what
//! failing builds printed, `BUILD_SUMMARY=FILE` writes the counts as JSON.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout)]

#[cfg(target_os = "linux")]
mod bases;
#[cfg(target_os = "linux")]
mod builder;
#[cfg(target_os = "linux")]
mod case;
#[cfg(target_os = "linux")]
mod context;
#[cfg(target_os = "linux")]
mod escape;
#[cfg(target_os = "linux")]
mod image;
#[cfg(target_os = "linux")]
mod judge;
#[cfg(target_os = "linux")]
mod layer;
#[cfg(target_os = "linux")]
mod peer;
#[cfg(target_os = "linux")]
mod registry;
#[cfg(target_os = "linux")]
mod run;
#[cfg(target_os = "linux")]
mod skips;
#[cfg(target_os = "linux")]
mod summary;
#[cfg(target_os = "linux")]
mod tree;

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    match run::main() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            println!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    println!("SKIPPED: builds need Linux");
    ExitCode::SUCCESS
}
