//! How long a command that does nothing takes, from the overlay mount to its end: `cargo bench -p build-sandbox`.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use build_sandbox::{Executor as _, Job, NetworkMode, Root, Sandbox, Security};

const STEPS: usize = 200;

fn main() {
    build_sandbox::run_helper_if_asked();
    if !Path::new("/bin/busybox").exists() || !build_sandbox::user_namespace::is_privileged() {
        println!("SKIPPED: needs root and /bin/busybox");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("root");
    fs::create_dir_all(root.join("bin")).expect("a folder");
    fs::copy("/bin/busybox", root.join("bin/true")).expect("busybox");
    let sandbox = Sandbox::start().expect("a sandbox");
    let mut times: Vec<Duration> = (0..STEPS)
        .map(|number| {
            let start = Instant::now();
            let own = folder.path().join(number.to_string());
            for name in ["upper", "work"] {
                fs::create_dir_all(own.join(name)).expect("a folder");
            }
            let job = Job {
                root: Root::Overlay {
                    lowers: vec![root.clone()],
                    upper: own.join("upper"),
                    work: own.join("work"),
                    is_rootless: build_sandbox::user_namespace::id_map()
                        != build_sandbox::user_namespace::IdMap::Host,
                },
                mounts: Vec::new(),
                words: vec!["/bin/true".to_owned()],
                environment: Vec::new(),
                folder: PathBuf::from("/"),
                uid: 0,
                gid: 0,
                groups: Vec::new(),
                network: NetworkMode::Host,
                security: Security::Sandbox,
                hostname: "bench".to_owned(),
                extra_hosts: Vec::new(),
            };
            let ended = sandbox.run(&job, &mut |_, _| {}, &|| false);
            ended.expect("it ran");
            start.elapsed()
        })
        .collect();
    times.sort();
    let at = |part: usize| times.get(STEPS * part / 100).copied().unwrap_or_default();
    println!(
        "{STEPS} steps: best {:?}, median {:?}, 95 % {:?}",
        at(0),
        at(50),
        at(95)
    );
}
