//! Runs the program under test: `dfbuild`, or Docker, to test the test.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::case::Case;
use crate::image::Image;

/// Names the program, when it is not in the target folder.
const PROGRAM_VARIABLE: &str = "DFBUILD";
/// `docker` builds with the Docker daemon that `DOCKER_HOST` names.
const BUILDER_VARIABLE: &str = "BUILD_WITH";
/// 2026-01-01, as the expectations were made.
pub(crate) const EPOCH: i64 = 1_767_225_600;
const TIME_LIMIT: Duration = Duration::from_secs(180);

pub(crate) enum Builder {
    Dfbuild(PathBuf),
    Docker,
}

pub(crate) struct Outcome {
    pub(crate) exit_code: Option<i32>,
    pub(crate) stderr: String,
    /// What was written when the build succeeded.
    pub(crate) image: Option<Result<Image, String>>,
}

/// Where a build works.
pub(crate) struct Place<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) store: &'a Path,
    pub(crate) mirror: &'a str,
}

impl Builder {
    pub(crate) fn find() -> Option<Builder> {
        if env::var_os(BUILDER_VARIABLE).is_some_and(|name| name == "docker") {
            return Some(Builder::Docker);
        }
        if let Some(program) = env::var_os(PROGRAM_VARIABLE) {
            return Some(Builder::Dfbuild(PathBuf::from(program)));
        }
        compiled()
    }

    pub(crate) fn build(&self, case: &Case, place: &Place<'_>, cached: bool) -> Outcome {
        let output = place
            .folder
            .join(if cached { "again.tar" } else { "image.tar" });
        match self {
            Builder::Dfbuild(program) => {
                let mut command = dfbuild(program, case, place, &output);
                if !cached {
                    command.arg("--no-cache");
                }
                command.arg(place.folder.join("context"));
                let (exit_code, stderr) = run(&mut command, place.folder);
                let image = (exit_code == Some(0)).then(|| Image::from_tar(&output));
                Outcome {
                    exit_code,
                    stderr,
                    image,
                }
            }
            Builder::Docker => crate::peer::build(case, place, &output),
        }
    }
}

/// Builds the program beside this test, as `cargo test` of another package would not, and returns it when it can build.
fn compiled() -> Option<Builder> {
    // The test stands in `target/PROFILE/deps`.
    let folder = env::current_exe().ok()?.parent()?.parent()?.to_path_buf();
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(["build", "--quiet", "--package=dfbuild"])
        .arg("--target-dir")
        .arg(folder.parent()?)
        .current_dir(test_support::workspace_root());
    if folder.ends_with("release") {
        command.arg("--release");
    }
    let program = folder.join("dfbuild");
    let is_built = command.status().is_ok_and(|status| status.success());
    (is_built && can_build(&program)).then_some(Builder::Dfbuild(program))
}

/// Returns whether the program knows `build`: wrong usage is 2.
fn can_build(program: &Path) -> bool {
    let help = Command::new(program).args(["build", "--help"]).output();
    help.is_ok_and(|output| output.status.success() && !output.stdout.is_empty())
}

fn dfbuild(program: &Path, case: &Case, place: &Place<'_>, output: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", env::var_os("PATH").unwrap_or_default())
        .env("HOME", place.folder)
        .env("SOURCE_DATE_EPOCH", EPOCH.to_string())
        .arg("build")
        .arg("--progress=plain")
        .arg("--rewrite-timestamp")
        .arg("--store")
        .arg(place.store)
        .arg("--registry-mirror")
        .arg(format!("docker.io={}", place.mirror))
        .arg("--output")
        .arg(format!("type=oci,dest={}", output.display()));
    add_common_flags(&mut command, case, place);
    command
}

/// Adds what `dfbuild build` and `docker build` call the same.
pub(crate) fn add_common_flags(command: &mut Command, case: &Case, place: &Place<'_>) {
    let description = &case.description;
    command
        .arg("--file")
        .arg(place.folder.join(&description.dockerfile));
    if !description.target.is_empty() {
        command.arg("--target").arg(&description.target);
    }
    for (name, value) in &description.build_args {
        command.arg("--build-arg").arg(format!("{name}={value}"));
    }
    for (id, file) in &description.secrets {
        let file = case.folder.join(file);
        command
            .arg("--secret")
            .arg(format!("id={id},src={}", file.display()));
    }
}

/// Runs a command with its output in files, and kills it when it takes too long.
pub(crate) fn run(command: &mut Command, folder: &Path) -> (Option<i32>, String) {
    let log = folder.join("stderr");
    let file = match fs::File::create(&log) {
        Ok(file) => file,
        Err(e) => return (None, e.to_string()),
    };
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(file)
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(e) => return (None, format!("cannot run the builder: {e}")),
    };
    let start = Instant::now();
    let code = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status.code(),
            Ok(None) if start.elapsed() < TIME_LIMIT => sleep(Duration::from_millis(4)),
            _ => {
                // Nothing more can be done when these fail.
                let _ = child.kill();
                let _ = child.wait();
                break None;
            }
        }
    };
    let stderr = String::from_utf8_lossy(&fs::read(&log).unwrap_or_default()).into_owned();
    (code, stderr)
}
