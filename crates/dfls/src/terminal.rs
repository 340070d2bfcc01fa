//! A command for a terminal: a shell, or the program of the image, in the files that a build made.
//!
//! The files lie in a folder of their own and are changed there only. `unshare` makes root of the user, without any right outside.

use std::path::Path;

use dockerfile_build::Lookout;
use oci_image::config::RunConfig;
use serde::{Deserialize, Serialize};

use crate::build::{BuildParams, Job};

/// Where programs are looked for in an image that does not say.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

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

/// Returns the configuration of the image that a job makes.
pub(crate) fn configuration(job: &Job) -> RunConfig {
    let found = Lookout::default().preview(&job.request());
    let target = found
        .ok()
        .and_then(|preview| preview.stages.into_iter().nth(preview.target));
    target.map(|stage| stage.config.config).unwrap_or_default()
}

/// Returns the command that enters a folder with the files of an image; the folder goes away when it ends.
pub(crate) fn command(folder: &Path, config: &RunConfig, what: What) -> TerminalCommand {
    let place = folder.display().to_string();
    let mut variables: Vec<String> = config.env.clone();
    if !variables.iter().any(|pair| pair.starts_with("PATH=")) {
        variables.push(format!("PATH={PATH}"));
    }
    let words: Vec<String> = match what {
        What::Run => config
            .entrypoint
            .iter()
            .chain(&config.cmd)
            .cloned()
            .collect(),
        What::Shell => Vec::new(),
    };
    let words = if words.is_empty() {
        ["/bin/sh", "-c", "exec $(command -v bash || echo sh)"]
            .map(str::to_owned)
            .to_vec()
    } else {
        words
    };
    let folder_inside = match config.working_dir.as_str() {
        "" => "/",
        folder => folder,
    };
    // The folder is the first argument of the script: no text of an image becomes part of a command.
    let script =
        "root=$1; shift; mkdir -p \"$root/proc\"; \"$@\"; code=$?; rm -rf -- \"$root\"; exit $code";
    let mut arguments: Vec<String> = ["-c", script, "dfls-terminal"].map(str::to_owned).to_vec();
    arguments.push(place.clone());
    arguments.extend(["env", "-i"].map(str::to_owned));
    arguments.extend(
        std::env::var("TERM")
            .ok()
            .map(|term| format!("TERM={term}")),
    );
    arguments.extend(variables);
    arguments.extend(
        [
            "/usr/bin/unshare",
            "--user",
            "--map-root-user",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
        ]
        .map(str::to_owned),
    );
    arguments.extend([
        "--mount-proc=/proc".to_owned(),
        format!("--root={place}"),
        format!("--wd={folder_inside}"),
    ]);
    arguments.extend(words);
    TerminalCommand {
        program: "/bin/sh".to_owned(),
        arguments,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_the_program_of_the_image_with_its_variables() {
        let config = RunConfig {
            env: vec!["A=b c".to_owned()],
            cmd: vec!["serve".to_owned()],
            working_dir: "/srv".to_owned(),
            ..RunConfig::default()
        };
        let command = command(Path::new("/x"), &config, What::Run);
        let has = |text: &str| command.arguments.iter().any(|each| each == text);
        assert!(has("A=b c") && has("--root=/x") && has("--wd=/srv"));
        assert_eq!(command.arguments.last().map(String::as_str), Some("serve"));
    }
}
