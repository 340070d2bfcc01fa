//! A command in an image of the store; what it changes is thrown away.

use std::path::PathBuf;

use build_sandbox::{
    Connection, Job, Limits, Mount, MountSource, Sandbox, SandboxError, Stream as SandboxStream,
    Writes,
};
use dockerfile_source::{TextRange, TextSize};

use crate::contexts::Contexts;
use crate::engine::{Reach, with_plan};
use crate::error::{BuildError, Failure};
use crate::event::{Silent, Stream};
use crate::files::ChainFiles;
use crate::image::Image;
use crate::plan::{Base, Plan, ResolvedImage, Stage};
use crate::request::{NetworkAccess, Request};
use crate::solve::{Solver, groups_of};

/// Where programs are looked for in an image that does not say.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What runs, in which image, and what it sees of this machine.
#[derive(Clone, Debug)]
pub struct ContainerRequest {
    pub store: PathBuf,
    pub image: Image,
    /// The program and its words; the image's own are up to the caller.
    pub words: Vec<String>,
    /// Variables besides those of the image, which they replace.
    pub environment: Vec<(String, String)>,
    /// `USER[:GROUP]`; that of the image without it.
    pub user: Option<String>,
    /// A folder of the image; its own without it.
    pub folder: Option<String>,
    pub volumes: Vec<Volume>,
    pub network: NetworkAccess,
    /// Names and addresses for /etc/hosts.
    pub extra_hosts: Vec<(String, String)>,
    pub limits: Limits,
    /// Whether the command works on a copy of all files.
    pub copies_layers: bool,
}

/// A file or folder of this machine that the command sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    pub source: PathBuf,
    pub target: PathBuf,
    pub is_read_only: bool,
}

/// Runs a command to its end and returns its code; output goes to `output` unless it has a terminal.
pub fn run_container(
    container: &ContainerRequest,
    connection: Connection,
    output: &mut dyn FnMut(Stream, &[u8]),
    is_cancelled: &(dyn Fn() -> bool + Sync),
) -> Result<i32, BuildError> {
    let mut request = Request::new("", "");
    request.store.clone_from(&container.store);
    request.copies_layers = container.copies_layers;
    let contexts = Contexts::new(&request);
    let reach = Reach::Store(&contexts);
    with_plan(
        &request,
        reach,
        |_, _| Ok(plan_of(&container.image)),
        &Silent,
        is_cancelled,
        |solver| run(solver, container, connection, output),
    )
}

/// Returns a plan of one stage without steps: not even what the image would trigger (ONBUILD).
fn plan_of(image: &Image) -> Plan {
    let resolved = ResolvedImage {
        name: image.id.to_string(),
        platform: format!("{}/{}", image.config.os, image.config.architecture),
        layers: image.layers.clone(),
        config: image.config.clone(),
    };
    let stage = Stage {
        name: String::new(),
        range: TextRange::empty(TextSize::from(0)),
        base: Base::Image(Box::new(resolved)),
        operations: Vec::new(),
        config: image.config.clone(),
        ignores_cache: false,
    };
    Plan {
        stages: vec![stage],
        target: 0,
    }
}

fn run(
    solver: &Solver<'_>,
    container: &ContainerRequest,
    connection: Connection,
    output: &mut dyn FnMut(Stream, &[u8]),
) -> Result<i32, BuildError> {
    let chain = solver.solve()?;
    let config = &container.image.config.config;
    let user = container.user.as_deref().unwrap_or(&config.user);
    let account = ChainFiles::new(solver, &chain)?.run_user(user)?;
    let folder = solver.scratch_folder()?;
    let upper = folder.path().join("upper");
    let (root, _) = solver.root(&chain, folder.path(), &upper)?;
    let own_folder = Some(config.working_dir.as_str()).filter(|folder| !folder.is_empty());
    let is_terminal = matches!(connection, Connection::Terminal(_));
    let home = account.home.clone().unwrap_or_else(|| "/".to_owned());
    let hex = container.image.id.hex();
    let job = Job {
        mounts: container.volumes.iter().map(mount).collect(),
        environment: environment(container, home, is_terminal),
        working_directory: PathBuf::from(container.folder.as_deref().or(own_folder).unwrap_or("/")),
        user: account.uid,
        group: account.gid,
        supplementary_groups: groups_of(&account),
        network: match container.network {
            NetworkAccess::Host => build_sandbox::Network::Host,
            NetworkAccess::None => build_sandbox::Network::None,
            NetworkAccess::Isolated => build_sandbox::Network::Isolated,
        },
        hostname: hex.get(..12).unwrap_or(&hex).to_owned(),
        extra_hosts: container
            .extra_hosts
            .iter()
            .map(|(name, address)| (address.clone(), name.clone()))
            .collect(),
        limits: container.limits.clone(),
        ..Job::new(root, container.words.clone())
    };
    let sandbox =
        Sandbox::start().map_err(|error| BuildError::system("cannot start the sandbox", &error))?;
    let outcome = sandbox.run_connected(
        &job,
        connection,
        &mut |stream, bytes| {
            let stream = match stream {
                SandboxStream::Output => Stream::Output,
                SandboxStream::Error => Stream::Error,
            };
            output(stream, bytes);
        },
        &|| solver.is_over(),
    );
    outcome
        .map(|outcome| outcome.ending.code())
        .map_err(|error| sandbox_error(&error))
}

fn mount(volume: &Volume) -> Mount {
    let writes = if volume.is_read_only {
        Writes::Denied
    } else {
        Writes::Kept
    };
    let path = volume.source.clone();
    Mount {
        target: volume.target.clone(),
        source: MountSource::Host { path, writes },
    }
}

/// Returns the variables of the image, those that every container has, and over both those of the caller.
fn environment(
    container: &ContainerRequest,
    home: String,
    is_terminal: bool,
) -> Vec<(String, String)> {
    let mut variables: Vec<(String, String)> = vec![
        ("PATH".to_owned(), PATH.to_owned()),
        ("HOME".to_owned(), home),
    ];
    if is_terminal {
        variables.push(("TERM".to_owned(), "xterm".to_owned()));
    }
    let own = container.image.config.config.env.iter();
    let own = own.filter_map(|pair| pair.split_once('='));
    let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
    for (name, value) in own.chain(container.environment.iter().cloned()) {
        match variables.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => variables.push((name, value)),
        }
    }
    variables
}

/// The codes are those of `docker run`.
fn sandbox_error(error: &SandboxError) -> BuildError {
    let failure = match error {
        SandboxError::Cancelled => Failure::Cancelled,
        SandboxError::ProgramNotExecutable { .. }
        | SandboxError::ProgramIsDirectory { .. }
        | SandboxError::ForeignProgram { .. } => Failure::Command { code: 126 },
        SandboxError::ProgramMissing { .. } | SandboxError::InterpreterMissing { .. } => {
            Failure::Command { code: 127 }
        }
        _ => Failure::System,
    };
    let mut built = BuildError::new(failure, error.to_string());
    built.help = error.help().map(str::to_owned);
    built
}
