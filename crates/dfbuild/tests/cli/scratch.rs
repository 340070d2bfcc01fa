//! A folder of its own for each test, with a store, and `dfbuild` in it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

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
        let mut command = Command::new(env!("CARGO_BIN_EXE_dfbuild"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("DFBUILD_STORE", self.path("store"))
            .env("HOME", self.folder.path())
            .env("NO_COLOR", "1")
            .env_remove("SOURCE_DATE_EPOCH")
            .env_remove("DOCKER_CONFIG");
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
            .expect("dfbuild starts");
        let mut stdin = child.stdin.take().expect("piped");
        // A run that does not read its input closes it.
        let _ = stdin.write_all(input);
        drop(stdin);
        let output = child.wait_with_output().expect("dfbuild ends");
        Output {
            code: output.status.code().expect("no signal"),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    /// Builds the context `app` and returns the image ID.
    pub(crate) fn build(&self, arguments: &[&str]) -> String {
        let mut all = vec!["build", "--quiet", "app"];
        all.extend(arguments);
        let output = self.run(&all);
        assert_eq!(output.code, 0, "{output:?}");
        output.stdout.trim().to_owned()
    }
}

/// Returns whether a program is on PATH.
pub(crate) fn has_program(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

/// An application of two files and no base image.
pub(crate) fn app() -> Scratch {
    Scratch::new(&[
        (
            "app/Dockerfile",
            "FROM scratch\nCOPY a.txt /\nCOPY b.txt /\nLABEL kind=test\n",
        ),
        ("app/a.txt", "one"),
        ("app/b.txt", "two"),
    ])
}

/// Returns the text with times and digests made equal.
pub(crate) fn normal(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) =
        rest.find(|character: char| character.is_ascii_digit() || character == 's')
    {
        let (before, from) = rest.split_at(start);
        out.push_str(before);
        if let Some(after) = from.strip_prefix("sha256:") {
            let digits = after
                .find(|c: char| !c.is_ascii_hexdigit())
                .unwrap_or(after.len());
            out.push_str("sha256:DIGEST");
            rest = after.get(digits..).unwrap_or("");
            continue;
        }
        let length = from
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(from.len());
        let (number, after) = from.split_at(length.max(1));
        let is_time =
            number.contains('.') && number.chars().all(|c| c.is_ascii_digit() || c == '.');
        out.push_str(if is_time { "TIME" } else { number });
        rest = after;
    }
    out + rest
}

/// Compares with a file of `snapshots`.
pub(crate) fn assert_snapshot(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cli/snapshots")
        .join(name);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(&path, text).expect("written");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        text, expected,
        "{name}; `UPDATE_SNAPSHOTS=1` writes it anew"
    );
}

/// Returns where busybox is, or `None` and says so.
pub(crate) fn busybox_program() -> Option<&'static Path> {
    let places = ["/bin/busybox", "/usr/bin/busybox"].into_iter();
    let found = places.map(Path::new).find(|path| path.is_file());
    if found.is_none() {
        skip_commands("no busybox here (package busybox-static)");
    }
    found
}

/// Says that what has to run commands is left out.
pub(crate) fn skip_commands(why: &str) {
    let _ = writeln!(
        std::io::stderr(),
        "SKIPPED: commands cannot run here: {why}"
    );
}
