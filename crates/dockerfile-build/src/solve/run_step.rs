//! RUN: a command in a sandbox on the files so far; what it changed becomes a layer.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::Scope;

use build_sandbox::{Ending, Job, Mount, MountSource, Root, SandboxError, Security};
use oci_image::layer::{DiffOptions, diff};

use super::{Chain, Solver};
use crate::copy::RunUser;
use crate::culprit;
use crate::error::{BuildError, Failure};
use crate::event::{Event, StepId, Stream};
use crate::files::ChainFiles;
use crate::key::Key;
use crate::layers::{Layer, LayerId};
use crate::plain_root::PlainRoot;
use crate::plan::{Network, Operation, RunOperation};
use crate::request::NetworkAccess;

/// Variables that reach every RUN without being declared.
const PROXIES: [&str; 5] = [
    "http_proxy",
    "https_proxy",
    "ftp_proxy",
    "no_proxy",
    "all_proxy",
];

/// How many of the last lines of a failed command are told again with the error.
const TAIL_LINES: usize = 12;
/// How much of one such line.
const TAIL_WIDTH: usize = 400;

impl Solver<'_> {
    pub(super) fn run_step<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        chain: &Chain,
        operation: &Operation,
        run: &RunOperation,
        step: StepId,
        key: Key,
    ) -> Result<Arc<Layer>, BuildError> {
        let executor = self.runner.executor()?;
        let files = ChainFiles::new(self, chain)?;
        let account = files.run_user(&run.user)?;
        let mut prepared = self.mounts(scope, &run.mounts)?;
        if let Some((name, text)) = &run.script {
            prepared.mounts.push(Mount {
                target: PathBuf::from("/dev/pipes").join(name),
                source: MountSource::Text {
                    content: text.clone().into_bytes(),
                    mode: 0o755,
                    user: 0,
                    group: 0,
                },
            });
        }
        let folder = self.scratch_folder()?;
        let upper = folder.path().join("upper");
        let (root, plain) = self.root(chain, folder.path(), &upper)?;
        let job = Job {
            mounts: std::mem::take(&mut prepared.mounts),
            environment: self.environment(run, &account, &prepared.variables),
            working_directory: PathBuf::from(&run.folder),
            user: account.uid,
            group: account.gid,
            supplementary_groups: groups_of(&account),
            network: self.network_of(run),
            security: if run.is_insecure {
                Security::Insecure
            } else {
                Security::Sandbox
            },
            extra_hosts: self.extra_hosts(),
            timeout: self.request.run_timeout,
            limits: self.request.limits.clone(),
            ..Job::new(root, run.words.clone())
        };
        let mut tail = Tail::default();
        let outcome = executor.run(
            &job,
            &mut |stream, bytes| {
                tail.add(bytes);
                self.observer.event(Event::Output {
                    step,
                    stream: match stream {
                        build_sandbox::Stream::Output => Stream::Output,
                        build_sandbox::Stream::Error => Stream::Error,
                    },
                    bytes: bytes.to_vec(),
                });
            },
            &|| self.is_over(),
        );
        drop(prepared);
        let outcome = outcome.map_err(|error| sandbox_error(&error, run))?;
        if !outcome.ending.is_success() {
            let mut error = failed(operation, run, outcome.ending, tail);
            if self.layers.form().has_one_id {
                error = with_one_id(error);
            }
            if outcome.ran_out_of_memory {
                error.help =
                    Some("it was at its limit: `--memory` says how much it may use".to_owned());
            }
            return Err(error);
        }
        if let Some(plain) = plain {
            plain.move_changes(&upper).map_err(|error| {
                BuildError::system("cannot read what the command changed", &error)
            })?;
        }
        let kept = self.keep(&files, key, &upper);
        // Deleting what overlayfs needed takes longer than the mount of it; the next step does not have to wait.
        scope.spawn(move || drop(folder));
        kept
    }

    /// Returns what a command runs on: the layers one above the other, or a copy of them where that cannot be.
    pub(crate) fn root(
        &self,
        chain: &Chain,
        folder: &Path,
        upper: &Path,
    ) -> Result<(Root, Option<PlainRoot>), BuildError> {
        let lowers = self.lowers(chain)?;
        let fault =
            |error: std::io::Error| BuildError::system("cannot make a folder in the store", &error);
        std::fs::create_dir(upper).map_err(fault)?;
        if self.copies_layers() {
            let root = folder.join("root");
            std::fs::create_dir(&root).map_err(fault)?;
            let plain = PlainRoot::assemble(&lowers, &root).map_err(|error| {
                BuildError::system("cannot copy the layers for a command", &error)
            })?;
            return Ok((Root::Directory(root), Some(plain)));
        }
        let work = folder.join("work");
        std::fs::create_dir(&work).map_err(fault)?;
        let root = Root::Overlay {
            lowers: self.stackable(lowers)?,
            upper: upper.to_owned(),
            work,
            user_attributes: self.layers.form().is_rootless,
        };
        Ok((root, None))
    }

    /// Returns whether layers cannot be stacked here.
    pub(super) fn copies_layers(&self) -> bool {
        let is_rootless = self.layers.form().is_rootless;
        self.runner
            .copies_layers(self.request.copies_layers, is_rootless)
    }

    /// Makes a layer of what a command left in the upper folder.
    fn keep(
        &self,
        files: &ChainFiles<'_>,
        key: Key,
        upper: &Path,
    ) -> Result<Arc<Layer>, BuildError> {
        let form = self.layers.form();
        let options = DiffOptions {
            is_rootless: form.is_rootless,
            has_one_id: form.has_one_id,
            content: Some(files),
        };
        let listing = diff(upper, &files.merged, &options).map_err(|error| {
            BuildError::new(
                Failure::System,
                format!("cannot read what the command changed: {error}"),
            )
        })?;
        // The key alone would not do: without the cache, the same key may be made twice with different files.
        let folder = upper.parent().and_then(Path::file_name).unwrap_or_default();
        let unique: String = folder
            .to_string_lossy()
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect();
        let hex = key.hex();
        let id = LayerId::new(format!("run-{}-{unique}", hex.get(..24).unwrap_or(&hex)));
        self.layers
            .add_snapshot(id, None, listing, upper)
            .map_err(|error| BuildError::system("cannot keep a layer", &error))
    }

    /// Returns the time that no file may be younger than.
    pub(crate) fn clamp(&self) -> Option<i64> {
        self.request.clock.latest()
    }

    fn network_of(&self, run: &RunOperation) -> build_sandbox::Network {
        match (run.network, self.request.network) {
            (Network::None, _) | (Network::Default, NetworkAccess::None) => {
                build_sandbox::Network::None
            }
            (Network::Default, NetworkAccess::Isolated) => build_sandbox::Network::Isolated,
            (Network::Host, _) | (Network::Default, NetworkAccess::Host) => {
                build_sandbox::Network::Host
            }
        }
    }

    /// Returns lines of `/etc/hosts`: the address comes first there.
    fn extra_hosts(&self) -> Vec<(String, String)> {
        let hosts = self.request.extra_hosts.iter();
        hosts
            .map(|(name, address)| (address.clone(), name.clone()))
            .collect()
    }

    fn environment(
        &self,
        run: &RunOperation,
        account: &RunUser,
        more: &[(String, String)],
    ) -> Vec<(String, String)> {
        let mut variables = run.environment.clone();
        let has = |variables: &[(String, String)], name: &str| {
            variables.iter().any(|(known, _)| known == name)
        };
        // Proxies reach every RUN without being declared, and count for no key (`convert.go`, `proxyEnvFromBuildArgs`).
        for (name, value) in &self.request.build_arguments {
            let lower = name.to_ascii_lowercase();
            if PROXIES.contains(&lower.as_str()) {
                for spelling in [lower.to_ascii_uppercase(), lower] {
                    if !has(&variables, &spelling) {
                        variables.push((spelling, value.to_string()));
                    }
                }
            }
        }
        variables.extend(more.iter().cloned());
        if !has(&variables, "HOME") {
            let home = account.home.clone().unwrap_or_else(|| "/".to_owned());
            variables.push(("HOME".to_owned(), home));
        }
        variables
    }
}

/// Returns the groups of a command; its own is always among them, as in BuildKit (`executor/oci/user.go`, `ensureAdditionalGids`).
pub(crate) fn groups_of(account: &RunUser) -> Vec<u32> {
    let mut groups = vec![account.gid];
    groups.extend(
        account
            .groups
            .iter()
            .copied()
            .filter(|group| *group != account.gid),
    );
    groups
}

/// The last lines of what a command printed.
#[derive(Default)]
struct Tail {
    lines: VecDeque<Vec<u8>>,
    current: Vec<u8>,
}

impl Tail {
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if *byte == b'\n' || *byte == b'\r' {
                let line = std::mem::take(&mut self.current);
                self.push(line);
            } else if self.current.len() < TAIL_WIDTH {
                self.current.push(*byte);
            }
        }
    }

    fn push(&mut self, line: Vec<u8>) {
        if line.is_empty() {
            return;
        }
        if self.lines.len() == TAIL_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    fn finish(mut self) -> Vec<String> {
        let rest = std::mem::take(&mut self.current);
        self.push(rest);
        self.lines
            .iter()
            .map(|line| String::from_utf8_lossy(line).into_owned())
            .collect()
    }
}

fn failed(operation: &Operation, run: &RunOperation, ending: Ending, tail: Tail) -> BuildError {
    let output = tail.finish();
    let code = ending.code();
    let message = match ending {
        Ending::Signal(signal) => format!("the command was killed by signal {signal}"),
        Ending::Code(code) => format!("the command failed with exit code {code}"),
    };
    let mut error = BuildError::new(Failure::Command { code }, message);
    culprit::mark(&mut error, operation, run, code, &output);
    error.output = output;
    error
}

/// Says what else may be behind a failure where the build has one user only.
fn with_one_id(mut error: BuildError) -> BuildError {
    // What chown(1), su(1) and dpkg(1) print for EINVAL and EPERM.
    const SIGNS: [&str; 2] = ["Invalid argument", "Operation not permitted"];
    let is_sign = |line: &String| SIGNS.iter().any(|sign| line.contains(sign));
    if error.help.is_none() && error.output.iter().any(is_sign) {
        error.help = Some(
            "this build has one user only, who cannot give files to others: a line for you in /etc/subuid and /etc/subgid, and \
             `newuidmap` (package uidmap), give it 65,536"
                .to_owned(),
        );
    }
    error
}

fn sandbox_error(error: &SandboxError, run: &RunOperation) -> BuildError {
    let failure = match error {
        SandboxError::Cancelled => {
            return BuildError::new(Failure::Cancelled, "the build was cancelled");
        }
        // As timeout(1) has it.
        SandboxError::TimedOut { .. } => Failure::Command { code: 124 },
        error if error.is_of_command() => Failure::Command { code: 127 },
        _ => Failure::System,
    };
    let label = match error {
        SandboxError::TimedOut { .. } => "took too long",
        _ => "cannot start this",
    };
    let mut built = BuildError::new(failure, error.to_string()).at(run.keyword_range, label);
    built.help = error.help().map(str::to_owned);
    built
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_user_who_may_not_change_owners_is_told_why() {
        let error = |line: &str| {
            let mut error = BuildError::new(Failure::Command { code: 1 }, "failed");
            error.output = vec![line.to_owned()];
            with_one_id(error).help
        };
        let help = error("chown: /d: Invalid argument").expect("a help");
        assert!(help.contains("/etc/subuid"), "{help}");
        assert_eq!(error("make: *** [all] Error 2"), None);
    }
}
