//! `dfbuild`: builds images from Dockerfiles, without a daemon and without root.
//!
//! The path of a run: `arguments` -> `commands` -> `dockerfile_build` -> `progress` (what is seen meanwhile) -> `failure` (what is seen
//! when it goes wrong). Exit codes are in `outcome`.

#![forbid(unsafe_code)]

mod arguments;
mod commands;
mod failure;
mod outcome;

mod dockerfile;
mod output;
mod paths;
mod progress;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;

use crate::arguments::{Arguments, Command};
use crate::outcome::Outcome;

fn main() -> ExitCode {
    // Before anything else: this program is also the helper that runs commands.
    dockerfile_build::run_helper_if_asked();
    let result = match Arguments::parse().command {
        Command::Build(arguments) => commands::build::run(&arguments),
        Command::Plan(arguments) => commands::plan::run(&arguments),
        Command::Images(arguments) => commands::images::run(&arguments),
        Command::Store(arguments) => commands::store::run(&arguments),
        Command::Prune(arguments) => commands::prune::run(&arguments),
    };
    match result {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error:#}");
            Outcome::Usage.into()
        }
    }
}
