//! `dfbuild completions`.

use std::io;

use clap::CommandFactory as _;
use clap_complete::{Shell, generate};

use crate::arguments::Arguments;
use crate::outcome::Outcome;

pub(crate) fn run(shell: Shell) -> Outcome {
    generate(
        shell,
        &mut Arguments::command(),
        "dfbuild",
        &mut io::stdout(),
    );
    Outcome::Done
}
