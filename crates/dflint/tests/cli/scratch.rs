//! A folder of its own for each test, and `dflint` in it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A Dockerfile with one finding of the rule that the tests select.
pub(crate) const CASING: &str = "EXPOSE 8080/TCP\n";
/// One without any.
pub(crate) const CLEAN: &str = "EXPOSE 8080/tcp\n";

pub(crate) struct Scratch {
    folder: TempDir,
}

/// What a run printed and how it ended.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Scratch {
    /// Returns a folder with these files: paths and texts.
    pub(crate) fn new(files: &[(&str, &str)]) -> Scratch {
        let scratch = Scratch {
            folder: tempfile::tempdir().expect("a scratch folder"),
        };
        for (path, text) in files {
            scratch.write(path, text);
        }
        scratch
    }

    pub(crate) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("created");
        fs::write(path, text).expect("written");
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).expect("read")
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dflint"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            // No ignore rules of the person who runs the tests.
            .env("HOME", self.folder.path())
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("NO_COLOR");
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.run_with_input(arguments, b"")
    }

    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("dflint starts");
        let mut stdin = child.stdin.take().expect("piped");
        // A run that does not read its input closes it.
        let _ = stdin.write_all(input);
        drop(stdin);
        let output = child.wait_with_output().expect("dflint ends");
        Output {
            code: output.status.code().expect("no signal"),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    /// Runs `dflint check --select ExposeProtoCasing` with more arguments.
    pub(crate) fn check(&self, arguments: &[&str]) -> Output {
        let mut all = vec!["check", "--select", "ExposeProtoCasing"];
        all.extend(arguments);
        self.run(&all)
    }

    /// Returns the files with findings, in the order of the report.
    pub(crate) fn files_with_findings(&self, arguments: &[&str]) -> Vec<String> {
        let mut all = vec!["--output-format", "json"];
        all.extend(arguments);
        let output = self.check(&all);
        assert_eq!(output.stderr, "", "{output:?}");
        findings(&output)
            .iter()
            .map(|finding| finding["file"].as_str().expect("a name").replace('\\', "/"))
            .collect()
    }
}

/// Returns the objects of a JSON report.
pub(crate) fn findings(output: &Output) -> Vec<serde_json::Value> {
    let report: serde_json::Value = serde_json::from_str(&output.stdout).expect("valid JSON");
    report.as_array().expect("an array").clone()
}
