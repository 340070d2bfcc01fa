//! What a caller asks for.

use std::path::PathBuf;
use std::time::Duration;

use build_sandbox::Limits;
use smol_str::SmolStr;

/// One build.
#[derive(Clone, Debug)]
pub struct Request {
    /// The name of the Dockerfile in messages.
    pub dockerfile_name: String,
    /// The text of the Dockerfile.
    pub dockerfile: String,
    /// The text of `.dockerignore`, or of the `NAME.dockerignore` that stands beside the Dockerfile, with its name.
    pub ignore_file: Option<(String, String)>,
    pub context: ContextSource,
    /// `--build-context NAME=VALUE`.
    pub named_contexts: Vec<NamedContext>,
    /// `--build-arg`; later ones win.
    pub build_arguments: Vec<(SmolStr, SmolStr)>,
    /// `--label`.
    pub labels: Vec<(String, String)>,
    /// The stage to build; the last one without it.
    pub target: Option<String>,
    /// Stop after the instruction that stands at this byte of the Dockerfile: "build to here".
    pub stop_at: Option<u32>,
    /// `--platform`, as `os/architecture[/variant]`; this machine's without it.
    pub platform: Option<String>,
    pub secrets: Vec<Secret>,
    /// `--ssh`: names of agents with the socket of each.
    pub ssh: Vec<(String, PathBuf)>,
    pub cache: CacheUse,
    /// Whether the reason why a step ran names the files that changed, which have to be read for it.
    pub names_changed_files: bool,
    pub base_images: BaseImages,
    pub clock: Clock,
    /// `--network` of the whole build: what a RUN sees that says nothing of its own.
    pub network: NetworkAccess,
    /// Whether `RUN --network=host` may be done where the build has another network.
    pub allow_host_network: bool,
    /// `--add-host NAME:ADDRESS`.
    pub extra_hosts: Vec<(String, String)>,
    /// Whether `RUN --security=insecure` may be done.
    pub allow_insecure: bool,
    pub executor: CommandExecutor,
    /// Whether each RUN works on a copy of all files, as it has to where overlayfs does not work.
    pub copies_layers: bool,
    /// How long one RUN may take; as long as it likes without it.
    pub run_timeout: Option<Duration>,
    /// How much of the machine one RUN may use. It counts for no key: what comes out is the same.
    pub limits: Limits,
    /// The root of the store; a default place without it.
    pub store: PathBuf,
    /// The most steps that run at the same time; the number of processors without it.
    pub parallelism: Option<usize>,
}

impl Request {
    /// Returns a build of a text with an empty context, and everything else as it is without a word from the user.
    pub fn new(name: impl Into<String>, dockerfile: impl Into<String>) -> Request {
        Request {
            dockerfile_name: name.into(),
            dockerfile: dockerfile.into(),
            ignore_file: None,
            context: ContextSource::Empty,
            named_contexts: Vec::new(),
            build_arguments: Vec::new(),
            labels: Vec::new(),
            target: None,
            stop_at: None,
            platform: None,
            secrets: Vec::new(),
            ssh: Vec::new(),
            cache: CacheUse::default(),
            names_changed_files: false,
            base_images: BaseImages::default(),
            clock: Clock::default(),
            network: NetworkAccess::default(),
            allow_host_network: false,
            extra_hosts: Vec::new(),
            allow_insecure: false,
            executor: CommandExecutor::default(),
            copies_layers: false,
            run_timeout: None,
            limits: Limits::default(),
            store: PathBuf::new(),
            parallelism: None,
        }
    }
}

/// What of the network commands see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NetworkAccess {
    /// That of the host: nothing has to be installed, and no step waits for a network of its own.
    #[default]
    Host,
    /// A loopback device.
    None,
    /// One of its own for each step, connected by `pasta` or `slirp4netns`: the world, but no port of this machine.
    Isolated,
}

/// What runs commands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CommandExecutor {
    /// This program.
    #[default]
    Native,
    /// An OCI runtime: `runc`, `crun`, or a path.
    Runtime(PathBuf),
}

/// Where the files come from that COPY and ADD name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContextSource {
    Directory(PathBuf),
    /// Only a Dockerfile was given.
    Empty,
}

/// `--build-context NAME=VALUE`: what `FROM NAME`, `COPY --from=NAME` and `RUN --mount=from=NAME` mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamedContext {
    Directory {
        name: String,
        path: PathBuf,
    },
    /// `docker-image://REFERENCE`.
    Image {
        name: String,
        reference: String,
    },
    /// `oci-layout://PATH[:TAG]`.
    Layout {
        name: String,
        path: PathBuf,
        tag: Option<String>,
    },
    /// `target:NAME`: another stage of the Dockerfile.
    Stage {
        name: String,
        stage: String,
    },
}

/// `--secret id=...`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    pub id: String,
    pub value: Vec<u8>,
}

/// What the build may take from earlier builds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CacheUse {
    /// `--no-cache`.
    pub ignore_all: bool,
    /// `--no-cache-filter`: stages by name.
    pub ignore_stages: Vec<String>,
}

/// Where base images come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BaseImages {
    /// `--pull`: ask the registry even when the store has the image.
    pub always_pull: bool,
    /// Registries that stand in for others: host and the host to ask instead.
    pub mirrors: Vec<(String, String)>,
    /// Hosts that may be asked without TLS.
    pub insecure_hosts: Vec<String>,
}

/// What time it is in the image.
///
/// Without a word from the user it is 1980-01-01, the first moment that a zip archive can hold: the same input then gives
/// the same digest on every day, and nothing that runs in a build has to cope with files from before its own time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// Seconds since 1970: `SOURCE_DATE_EPOCH`, or the default.
    pub seconds: i64,
    /// Whether times in layers that are later are set back to it.
    pub rewrites_layers: bool,
}

impl Clock {
    /// Returns the time that nothing in a layer may be younger than.
    pub(crate) fn latest(self) -> Option<i64> {
        self.rewrites_layers.then_some(self.seconds)
    }
}

impl Default for Clock {
    fn default() -> Clock {
        Clock {
            seconds: 315_532_800,
            rewrites_layers: true,
        }
    }
}
