//! A root of busybox and the directories of one job.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use build_sandbox::{
    Executor, Job, Outcome, Root, Sandbox, SandboxError, Stream, remove_tree, user_namespace,
};
use tempfile::TempDir;

const BUSYBOX: &str = "/bin/busybox";
const APPLETS: &[&str] = &[
    "sh", "cat", "echo", "id", "ls", "rm", "mkdir", "touch", "true", "false", "env", "pwd", "ps",
    "kill", "sleep", "hostname", "grep", "chmod", "dd", "ifconfig", "mount", "setsid", "su",
    "stat", "readlink", "ln", "mv", "rmdir", "whoami", "head", "wc", "test", "mknod", "umask",
    "nc", "chown", "seq", "cp", "find", "df", "awk", "tail", "yes", "tr",
];

pub(crate) fn reason_to_skip() -> Option<String> {
    (!Path::new(BUSYBOX).exists())
        .then(|| format!("{BUSYBOX} is not here (package busybox-static)"))
}

/// What a command printed, and how it ended.
pub(crate) struct Said {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) outcome: Result<Outcome, SandboxError>,
}

impl Said {
    pub(crate) fn code(&self) -> i32 {
        match &self.outcome {
            Ok(outcome) => outcome.ending.code(),
            Err(error) => panic!("not run: {error:?}"),
        }
    }

    pub(crate) fn error(self) -> SandboxError {
        self.outcome.expect_err("an error")
    }
}

pub(crate) struct Place {
    pub(crate) directory: TempDir,
    pub(crate) lower: PathBuf,
    pub(crate) upper: PathBuf,
    pub(crate) sandbox: Sandbox,
}

impl Place {
    pub(crate) fn new() -> Place {
        let directory = tempfile::tempdir().expect("a temporary directory");
        // A setuid program and other users have to get through.
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).expect("a mode");
        let path = directory.path().to_owned();
        let lower = path.join("lower");
        for name in ["bin", "etc", "tmp", "root", "dev", "proc", "sys"] {
            fs::create_dir_all(lower.join(name)).expect("a directory");
        }
        fs::copy(BUSYBOX, lower.join("bin/busybox")).expect("a copy");
        for applet in APPLETS {
            symlink("busybox", lower.join("bin").join(applet)).expect("a link");
        }
        fs::write(
            lower.join("etc/passwd"),
            "root:x:0:0::/root:/bin/sh\nuser:x:1000:1000::/:/bin/sh\n",
        )
        .expect("a file");
        fs::write(
            lower.join("etc/group"),
            "root:x:0:\nuser:x:1000:\nextra:x:2000:\n",
        )
        .expect("a file");
        Place {
            lower,
            upper: path.join("upper"),
            directory,
            sandbox: Sandbox::start().expect("the helper"),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Makes a directory beside the root.
    pub(crate) fn make(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(&path).expect("a directory");
        path
    }

    /// A job on an overlay with a fresh upper directory.
    pub(crate) fn job(&self, arguments: &[&str]) -> Job {
        let work = self.path("work");
        for path in [&self.upper, &work] {
            remove_tree(path).expect("an old directory goes");
            fs::create_dir(path).expect("a directory");
        }
        let root = Root::Overlay {
            lowers: vec![self.lower.clone()],
            upper: self.upper.clone(),
            work,
            user_attributes: user_namespace::id_map() != user_namespace::IdMap::Host,
        };
        let mut job = Job::new(
            root,
            arguments.iter().map(|word| (*word).to_owned()).collect(),
        );
        job.environment.push(("PATH".to_owned(), "/bin".to_owned()));
        job
    }

    pub(crate) fn shell(&self, script: &str) -> Job {
        self.job(&["/bin/sh", "-c", script])
    }

    pub(crate) fn run(&self, job: &Job) -> Said {
        self.run_until(job, &|| false)
    }

    pub(crate) fn run_until(&self, job: &Job, cancel: &dyn Fn() -> bool) -> Said {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let outcome = self.sandbox.run(
            job,
            &mut |stream, bytes| match stream {
                Stream::Output => out.extend_from_slice(bytes),
                Stream::Error => err.extend_from_slice(bytes),
            },
            cancel,
        );
        Said {
            out: String::from_utf8_lossy(&out).into_owned(),
            err: String::from_utf8_lossy(&err).into_owned(),
            outcome,
        }
    }

    /// Runs a script that has to succeed, and returns what it printed.
    pub(crate) fn output(&self, script: &str) -> String {
        self.output_of(&self.shell(script))
    }

    pub(crate) fn output_of(&self, job: &Job) -> String {
        let said = self.run(job);
        assert!(
            said.outcome
                .as_ref()
                .is_ok_and(|outcome| outcome.ending.is_success()),
            "{:?}: {}",
            said.outcome,
            said.err
        );
        said.out
    }

    /// All names below the upper directory.
    pub(crate) fn changes(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut pending = vec![self.upper.clone()];
        while let Some(directory) = pending.pop() {
            for entry in fs::read_dir(&directory).expect("a directory").flatten() {
                found.push(
                    entry
                        .path()
                        .strip_prefix(&self.upper)
                        .expect("a path below")
                        .display()
                        .to_string(),
                );
                if entry.file_type().expect("a type").is_dir() {
                    pending.push(entry.path());
                }
            }
        }
        found.sort();
        found
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        remove_tree(self.directory.path()).expect("nothing is mounted in it");
    }
}
