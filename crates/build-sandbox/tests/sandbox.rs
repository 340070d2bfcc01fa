//! Real commands in a real sandbox, on a root with busybox. Needs root (or a user namespace) and busybox-static; says so when skipped.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use build_sandbox::{
    Ending, Executor as _, Job, Mount, MountSource, NetworkMode, Root, Sandbox, SandboxError,
    Security,
};

mod cases;

/// A root made of busybox, and what one test needs around it.
struct Bench {
    folder: tempfile::TempDir,
    count: std::cell::Cell<u32>,
}

impl Bench {
    fn new() -> Bench {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("busybox");
        for name in ["bin", "tmp", "etc", "usr"] {
            fs::create_dir_all(root.join(name)).expect("a folder");
        }
        fs::copy("/bin/busybox", root.join("bin/busybox")).expect("busybox");
        for name in [
            "sh", "id", "cat", "echo", "ls", "rm", "mkdir", "true", "false", "sleep", "env",
            "grep", "ip", "mount", "df", "touch", "hostname", "mknod", "wc", "ps", "readlink",
            "stat", "ln", "chmod", "unshare",
        ] {
            std::os::unix::fs::symlink("busybox", root.join("bin").join(name)).expect("a link");
        }
        Bench {
            folder,
            count: std::cell::Cell::new(0),
        }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("busybox")
    }

    /// A job on the root with an empty upper folder.
    fn job(&self, words: &[&str]) -> Job {
        let number = self.count.get();
        self.count.set(number + 1);
        let own = self.folder.path().join(format!("job-{number}"));
        for name in ["upper", "work"] {
            fs::create_dir_all(own.join(name)).expect("a folder");
        }
        Job {
            root: Root::Overlay {
                lowers: vec![self.root()],
                upper: own.join("upper"),
                work: own.join("work"),
                is_rootless: build_sandbox::user_namespace::id_map()
                    != build_sandbox::user_namespace::IdMap::Host,
            },
            mounts: Vec::new(),
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            environment: vec![("PATH".to_owned(), "/bin".to_owned())],
            folder: PathBuf::from("/"),
            uid: 0,
            gid: 0,
            groups: Vec::new(),
            network: NetworkMode::Host,
            security: Security::Sandbox,
            hostname: "sandbox".to_owned(),
            extra_hosts: Vec::new(),
        }
    }

    fn shell(&self, script: &str) -> Job {
        self.job(&["/bin/sh", "-c", script])
    }
}

fn upper(job: &Job) -> &Path {
    match &job.root {
        Root::Overlay { upper, .. } => upper,
        Root::Folder(folder) => folder,
    }
}

fn run(sandbox: &Sandbox, job: &Job) -> (Result<Ending, SandboxError>, String) {
    let mut text = Vec::new();
    let outcome = sandbox.run(job, &mut |_, bytes| text.extend_from_slice(bytes), &|| {
        false
    });
    (
        outcome.map(|outcome| outcome.ending),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

/// Runs a script that has to end well, and returns what it printed.
fn output(sandbox: &Sandbox, job: &Job) -> String {
    let (ending, text) = run(sandbox, job);
    match ending {
        Ok(Ending::Exited(0)) => text,
        other => panic!("{other:?}: {text}"),
    }
}

fn bind(path: &Path, target: &str) -> Mount {
    Mount {
        target: PathBuf::from(target),
        source: MountSource::Bind {
            path: path.to_owned(),
            is_read_only: true,
        },
    }
}

fn main() -> ExitCode {
    build_sandbox::run_helper_if_asked();
    if !Path::new("/bin/busybox").exists() || !build_sandbox::user_namespace::is_privileged() {
        println!(
            "SKIPPED: the sandbox was not tested: it needs root and /bin/busybox (package busybox-static)"
        );
        return ExitCode::SUCCESS;
    }
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let sandbox = Sandbox::start().expect("a sandbox");
    let mut failed = 0;
    for (name, case) in cases::ALL {
        if !wanted.is_empty() && !wanted.iter().any(|word| name.contains(word.as_str())) {
            continue;
        }
        let bench = Bench::new();
        let result =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| case(&sandbox, &bench)));
        println!(
            "test {name} ... {}",
            if result.is_ok() { "ok" } else { "FAILED" }
        );
        failed += u32::from(result.is_err());
    }
    println!("{} cases, {failed} failed", cases::ALL.len());
    ExitCode::from(u8::from(failed > 0))
}
