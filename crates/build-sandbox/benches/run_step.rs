//! Measures an empty command on an overlay, from the job to the outcome: `cargo bench -p build-sandbox`.
//!
//! As root it measures root, and starts itself again as user 65534, who becomes the root of a user namespace.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use build_sandbox::{
    Executor, Job, Root, Sandbox, remove_tree, run_helper_if_asked, user_namespace,
};

const STEPS: usize = 200;
const BUSYBOX: &str = "/bin/busybox";

fn main() {
    run_helper_if_asked();
    if !Path::new(BUSYBOX).exists() {
        say(&format!(
            "skipped: {BUSYBOX} is not here (package busybox-static)"
        ));
        return;
    }
    if !user_namespace::is_privileged() {
        match user_namespace::reexec_as_root() {
            Ok(status) => std::process::exit(status.code().unwrap_or(1)),
            Err(error) => say(&format!("skipped: {error}")),
        }
        return;
    }
    let rootless = user_namespace::id_map() != user_namespace::IdMap::Host;
    measure(rootless);
    if !rootless {
        measure_as_user();
    }
}

fn measure(rootless: bool) {
    let place = tempfile::tempdir().expect("a temporary directory");
    let lower = place.path().join("lower");
    for name in ["bin", "etc", "proc", "sys", "dev"] {
        fs::create_dir_all(lower.join(name)).expect("a directory");
    }
    // As base images have them; where they are missing, making and removing mount points adds half a millisecond.
    for name in ["etc/hosts", "etc/resolv.conf"] {
        fs::write(lower.join(name), "").expect("a file");
    }
    fs::copy(BUSYBOX, lower.join("bin/busybox")).expect("a copy of busybox");
    let sandbox = Sandbox::start().expect("the helper");
    let mut times: Vec<Duration> = (0..STEPS)
        .map(|step| {
            let upper = place.path().join(format!("upper{step}"));
            let work = place.path().join(format!("work{step}"));
            fs::create_dir(&upper).expect("a directory");
            fs::create_dir(&work).expect("a directory");
            let root = Root::Overlay {
                lowers: vec![lower.clone()],
                upper,
                work,
                user_attributes: rootless,
            };
            let job = Job::new(root, vec!["/bin/busybox".to_owned(), "true".to_owned()]);
            let start = Instant::now();
            let outcome = sandbox.run(&job, &mut |_, _| {}, &|| false).expect("a run");
            assert!(outcome.ending.is_success());
            start.elapsed()
        })
        .collect();
    times.sort();
    say(&format!(
        "{}: {STEPS} steps, min {:.2} ms, median {:.2} ms, 90 % {:.2} ms",
        if rootless { "rootless" } else { "root" },
        times[0].as_secs_f64() * 1000.0,
        times[STEPS / 2].as_secs_f64() * 1000.0,
        times[STEPS * 9 / 10].as_secs_f64() * 1000.0
    ));
    drop(sandbox);
    remove_tree(place.path()).expect("nothing is mounted");
}

/// The program may stand where that user cannot read it, so a copy is started.
fn measure_as_user() {
    let place = tempfile::tempdir().expect("a temporary directory");
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o777)).expect("a mode");
    let copy = place.path().join("bench");
    fs::copy("/proc/self/exe", &copy).expect("a copy of the program");
    let status = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(&copy)
        .env("TMPDIR", place.path())
        .status();
    if !status.is_ok_and(|status| status.success()) {
        say("skipped: rootless did not work here");
    }
}

/// Prints a line; the lint that forbids it is for libraries.
fn say(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout(), "{line}");
}
