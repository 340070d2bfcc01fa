//! The subcommands, and what they share.

pub(crate) mod check;
pub(crate) mod explain;
pub(crate) mod format;

use std::io::{self, IsTerminal};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::{env, thread};

use anyhow::{Result, bail};

use crate::arguments::Color;

/// Returns what to work on: the current folder when nothing is said, standard input when only its name is.
fn paths(paths: &[PathBuf], stdin_filename: Option<&Path>) -> Result<Vec<PathBuf>> {
    let reads_standard_input = paths.iter().any(|path| path.as_os_str() == "-");
    match (stdin_filename, paths.is_empty()) {
        (Some(_), true) => Ok(vec![PathBuf::from("-")]),
        (Some(_), false) if !reads_standard_input => {
            bail!("--stdin-filename names what comes on standard input; add the path `-`")
        }
        (None, true) => Ok(vec![PathBuf::from(".")]),
        _ => Ok(paths.to_vec()),
    }
}

fn wants_color(color: Color, to_standard_error: bool) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            let is_terminal = if to_standard_error {
                io::stderr().is_terminal()
            } else {
                io::stdout().is_terminal()
            };
            // https://no-color.org: any value but the empty one.
            is_terminal
                && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
                && env::var_os("TERM").is_none_or(|value| value != "dumb")
        }
    }
}

fn jobs(wanted: Option<NonZeroUsize>, inputs: usize) -> usize {
    match wanted {
        Some(jobs) => jobs.get(),
        // Asking the system costs more than one file does.
        None if inputs <= 1 => 1,
        None => thread::available_parallelism().map_or(1, usize::from),
    }
}
