//! A command for a terminal: a shell, or the program of the image, in the files that a build made.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::build::BuildParams;

/// The best shell that an image has.
const SHELL: &str = "exec $(command -v bash || echo sh)";

/// Which files, and what is run in them.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct TerminalParams {
    #[serde(flatten)]
    pub(crate) build: BuildParams,
    #[serde(default)]
    pub(crate) what: What,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum What {
    #[default]
    Shell,
    Run,
}

/// A program with its arguments, to be started in a terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct TerminalCommand {
    pub(crate) program: String,
    pub(crate) arguments: Vec<String>,
}

/// Returns the command that runs an image of the store; what it changes is thrown away.
pub(crate) fn command(builder: &Path, store: &Path, image: &str, what: What) -> TerminalCommand {
    let store = store.display().to_string();
    let fixed = [
        "run",
        "--interactive",
        "--tty",
        "--env",
        "TERM",
        "--store",
        &store,
    ];
    let rest: &[&str] = match what {
        What::Shell => &["--entrypoint", "/bin/sh", image, "-c", SHELL],
        What::Run => &[image],
    };
    let arguments = fixed.iter().chain(rest);
    TerminalCommand {
        program: builder.display().to_string(),
        arguments: arguments.map(|&word| word.to_owned()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_takes_the_place_of_the_program() {
        let of = |what| command(Path::new("/b"), Path::new("/s"), "sha256:0", what).arguments;
        let run = of(What::Run);
        assert_eq!(run.last().map(String::as_str), Some("sha256:0"));
        let shell = of(What::Shell);
        let image = shell.iter().position(|word| word == "sha256:0");
        let image = image.expect("the image is named");
        assert_eq!(shell[image - 1], "/bin/sh");
        assert_eq!(shell[image + 1..], ["-c", SHELL]);
    }
}
