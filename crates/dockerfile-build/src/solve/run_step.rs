//! RUN: a command in a sandbox on the files so far; what it changed becomes a layer.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::Scope;

use build_sandbox::{Ending, Job, Mount, MountSource, NetworkMode, Root, SandboxError, Security};
use oci_image::layer::{DiffOptions, diff};

use super::{Chain, Solver};
use crate::copy::RunUser;
use crate::culprit;
use crate::error::{BuildError, Failure};
use crate::event::{Event, StepId, Stream};
use crate::files::ChainFiles;
use crate::key::Key;
use crate::layers::{Layer, LayerId};
use crate::plan::{Network, Operation, RunOperation};

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
                    uid: 0,
                    gid: 0,
                },
            });
        }
        let folder = self.scratch_folder()?;
        let (upper, work) = (folder.path().join("upper"), folder.path().join("work"));
        for made in [&upper, &work] {
            std::fs::create_dir(made)
                .map_err(|error| BuildError::system("cannot make a folder in the store", &error))?;
        }
        let job = Job {
            root: Root::Overlay {
                lowers: self.lowers(chain)?,
                upper: upper.clone(),
                work,
                is_rootless: self.layers.form().is_rootless,
            },
            mounts: std::mem::take(&mut prepared.mounts),
            words: run.words.clone(),
            environment: self.environment(run, &account, &prepared.variables),
            folder: PathBuf::from(&run.folder),
            uid: account.uid,
            gid: account.gid,
            groups: groups_of(&account),
            network: match (run.network, self.request.network.as_deref()) {
                (Network::None, _) | (Network::Default, Some("none")) => NetworkMode::None,
                _ => NetworkMode::Host,
            },
            security: if run.is_insecure {
                Security::Insecure
            } else {
                Security::Sandbox
            },
            hostname: "buildkitsandbox".to_owned(),
            extra_hosts: self.request.extra_hosts.clone(),
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
        match outcome.map_err(|error| sandbox_error(&error, run))?.ending {
            Ending::Exited(0) => {}
            Ending::Cancelled => {
                return Err(BuildError::new(
                    Failure::Cancelled,
                    "the build was cancelled",
                ));
            }
            Ending::Exited(code) => return Err(failed(operation, run, code, None, tail)),
            Ending::Killed(signal) => {
                return Err(failed(operation, run, 128 + signal, Some(signal), tail));
            }
        }
        self.keep(&files, key, &upper)
    }

    /// Makes a layer of what a command left in the upper folder.
    fn keep(
        &self,
        files: &ChainFiles<'_>,
        key: Key,
        upper: &std::path::Path,
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
        let folder = upper
            .parent()
            .and_then(std::path::Path::file_name)
            .unwrap_or_default();
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

    /// Returns the snapshots to run on, the topmost first; a layer without files adds nothing.
    fn lowers(&self, chain: &Chain) -> Result<Vec<PathBuf>, BuildError> {
        let mut lowers = Vec::new();
        for layer in chain.made(self)?.iter().rev() {
            if !layer.listing()?.is_empty() {
                lowers.extend(self.layers.snapshots(layer, self.store)?);
            }
        }
        Ok(lowers)
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
fn groups_of(account: &RunUser) -> Vec<u32> {
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

fn failed(
    operation: &Operation,
    run: &RunOperation,
    code: i32,
    signal: Option<i32>,
    tail: Tail,
) -> BuildError {
    let output = tail.finish();
    let message = match signal {
        Some(signal) => format!("the command was killed by signal {signal}"),
        None => format!("the command failed with exit code {code}"),
    };
    let mut error = BuildError::new(Failure::Command { code }, message);
    culprit::mark(&mut error, operation, run, code, &output);
    error.output = output;
    error
}

fn sandbox_error(error: &SandboxError, run: &RunOperation) -> BuildError {
    let failure = match error {
        SandboxError::Command { .. } => Failure::Command { code: 127 },
        _ => Failure::System,
    };
    BuildError::new(failure, error.to_string()).at(run.keyword_range, "cannot start this")
}
