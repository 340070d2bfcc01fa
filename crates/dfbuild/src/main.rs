//! `dfbuild`: builds images from Dockerfiles, without a daemon and without root.
//!
//! The path of a run: `arguments` -> `commands` -> `dockerfile_build` -> `progress` (what is seen meanwhile) -> `failure` (what is seen
//! when it goes wrong). Exit codes are in `outcome`.

#![forbid(unsafe_code)]
// A build fails once: how large its error is does not matter.
#![allow(clippy::result_large_err)]

mod arguments;
mod commands;
mod outcome;

mod context_source;
mod dockerfile;
mod output;
mod paths;
mod quantity;
mod tar_context;

mod failure;
mod interrupt;
mod progress;
mod registries;
mod terminal;

mod check;
mod docker;
mod layer_report;
mod stored_image;
mod table;

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
        Command::History(arguments) => commands::history::run(&arguments),
        Command::Inspect(arguments) => commands::inspect::run(&arguments),
        Command::Layers(arguments) => commands::layers::run(&arguments),
        Command::Run(arguments) => commands::run::run(&arguments),
        Command::Tag(arguments) => commands::names::tag(&arguments),
        Command::Rmi(arguments) => commands::names::remove(&arguments),
        Command::Pull(arguments) => commands::pull::run(&arguments),
        Command::Push(arguments) => commands::push::run(&arguments),
        Command::Save(arguments) => commands::archive::save(&arguments),
        Command::Load(arguments) => commands::archive::load(&arguments),
        Command::Store(arguments) => commands::store::run(&arguments),
        Command::Du(arguments) => commands::du::run(&arguments),
        Command::Prune(arguments) => commands::prune::run(&arguments),
        Command::Completions { shell } => Ok(commands::completions::run(shell)),
    };
    match result {
        Ok(outcome) => outcome.into(),
        Err(error) if is_closed_pipe(&error) => Outcome::Done.into(),
        Err(error) => {
            let message = format!("{error:#}");
            let _ = writeln!(
                io::stderr(),
                "error: {}",
                dockerfile_report::visible(&message)
            );
            Outcome::Usage.into()
        }
    }
}

/// Returns whether whoever read our output has had enough: `dfbuild history IMAGE | head` is no failure.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}
