//! The command line.

mod limits;
mod run;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

pub(crate) use self::limits::LimitArguments;
pub(crate) use self::run::RunArguments;
use crate::quantity;

/// Builds images from Dockerfiles, without a daemon and without root.
#[derive(Debug, Parser)]
#[command(
    name = "dfbuild",
    version,
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Builds an image
    Build(Box<BuildArguments>),
    /// Says what a build would do, and why, and does nothing of it
    Plan(Box<PlanArguments>),
    /// Lists the images in the store
    Images(ImagesArguments),
    /// Shows the instructions that an image was made with
    History(ImageArguments),
    /// Prints the configuration and the manifest of an image as JSON
    Inspect(ImageNameArguments),
    /// Shows what each layer of an image adds, changes and removes, and what it wastes
    Layers(LayersArguments),
    /// Runs a command in an image of the store; what it changes is thrown away
    Run(Box<RunArguments>),
    /// Gives an image one more name
    Tag(TagArguments),
    /// Takes a name away from an image; `prune` then frees the room
    Rmi(RmiArguments),
    /// Gets an image from a registry
    Pull(PullArguments),
    /// Sends an image to the registry that its name says
    Push(PushArguments),
    /// Writes an image to an archive
    Save(SaveArguments),
    /// Takes the images of an archive into the store
    Load(LoadArguments),
    /// Looks after the store
    Store(StoreCommandArguments),
    /// Says how much room the store takes
    Du(StoreArguments),
    /// Deletes what no image needs
    Prune(PruneArguments),
    /// Prints the script that completes commands in a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// What is built, and of what.
#[derive(Debug, Args)]
pub(crate) struct InputArguments {
    /// Where the files are that COPY and ADD name: a folder, a git URL (`URL#REF:FOLDER`), or `-` for a tar or a Dockerfile on
    /// standard input
    #[arg(default_value = ".", hide_default_value = true)]
    pub(crate) context: String,
    /// The Dockerfile; `-` reads it from standard input [default: Dockerfile or Containerfile in CONTEXT]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// The stage to build [default: the last]
    #[arg(long, value_name = "STAGE")]
    pub(crate) target: Option<String>,
    /// A value for an ARG; without `=` it is taken from the environment
    #[arg(long = "build-arg", value_name = "NAME[=VALUE]")]
    pub(crate) build_arguments: Vec<String>,
    /// What a name in FROM or `--from` means: a folder, `docker-image://IMAGE`, `oci-layout://FOLDER[:TAG]` or `target:STAGE`
    #[arg(long = "build-context", value_name = "NAME=VALUE")]
    pub(crate) build_contexts: Vec<String>,
    /// What to build for: os/architecture[/variant]
    #[arg(long)]
    pub(crate) platform: Option<String>,
    /// Takes nothing from earlier builds
    #[arg(long, help_heading = "Cache")]
    pub(crate) no_cache: bool,
    /// Takes nothing from earlier builds for these stages
    #[arg(
        long,
        value_name = "STAGE",
        value_delimiter = ',',
        help_heading = "Cache"
    )]
    pub(crate) no_cache_filter: Vec<String>,
    /// Asks registries for newer base images
    #[arg(long, help_heading = "Cache")]
    pub(crate) pull: bool,
    #[command(flatten)]
    pub(crate) registries: RegistryArguments,
    #[command(flatten)]
    pub(crate) store: StoreArguments,
}

/// How registries are reached.
#[derive(Clone, Debug, Args)]
pub(crate) struct RegistryArguments {
    /// A registry that stands in for another
    #[arg(long, value_name = "HOST=HOST", help_heading = "Registries")]
    pub(crate) registry_mirror: Vec<String>,
    /// A registry that may be asked without TLS
    #[arg(long, value_name = "HOST", help_heading = "Registries")]
    pub(crate) insecure_registry: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct BuildArguments {
    #[command(flatten)]
    pub(crate) input: InputArguments,
    /// A name for the image
    #[arg(short, long = "tag", value_name = "NAME[:TAG]")]
    pub(crate) tags: Vec<String>,
    /// A label of the image
    #[arg(long = "label", value_name = "NAME=VALUE", help_heading = "Result")]
    pub(crate) labels: Vec<String>,
    /// A secret for RUN: id=NAME with src=FILE or env=NAME
    #[arg(
        long = "secret",
        value_name = "id=NAME,...",
        help_heading = "Commands that run"
    )]
    pub(crate) secrets: Vec<String>,
    /// An agent for RUN: NAME=SOCKET [default socket: $SSH_AUTH_SOCK]
    #[arg(long, value_name = "NAME[=SOCKET]", help_heading = "Commands that run")]
    pub(crate) ssh: Vec<String>,
    /// Where the image goes besides the store: type=oci|docker|tar|local|registry|image with dest=, compression=gzip|zstd|uncompressed,
    /// compression-level=, force-compression=true; a folder alone is type=local, `-` a tar on standard output
    #[arg(
        short,
        long = "output",
        value_name = "type=...,dest=...",
        help_heading = "Result"
    )]
    pub(crate) outputs: Vec<String>,
    /// Sends the image to the registries that its names say
    #[arg(long, help_heading = "Result")]
    pub(crate) push: bool,
    /// Hands the image to Docker on this machine: `docker load`
    #[arg(long, help_heading = "Result")]
    pub(crate) load: bool,
    /// A file for the image ID
    #[arg(long, value_name = "FILE", help_heading = "Result")]
    pub(crate) iidfile: Option<PathBuf>,
    /// A file for digests and names, as JSON
    #[arg(long, value_name = "FILE", help_heading = "Result")]
    pub(crate) metadata_file: Option<PathBuf>,
    /// How progress is shown
    #[arg(long, value_enum, default_value_t)]
    pub(crate) progress: ProgressKind,
    /// Prints the image ID and nothing else
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// What RUN sees of the network
    #[arg(long, value_enum, default_value_t, help_heading = "Commands that run")]
    pub(crate) network: NetworkKind,
    /// What runs commands: native, runc, crun or the path of such a program [default: native]
    #[arg(long, value_name = "PROGRAM", help_heading = "Commands that run")]
    pub(crate) executor: Option<PathBuf>,
    /// Has each RUN work on a copy of all files, as it does by itself where overlayfs does not work
    #[arg(long, help_heading = "Commands that run")]
    pub(crate) without_overlay: bool,
    /// How long one RUN may take
    #[arg(long, value_name = "SECONDS", help_heading = "Commands that run")]
    pub(crate) run_timeout: Option<u64>,
    #[command(flatten)]
    pub(crate) limits: LimitArguments,
    /// A name in /etc/hosts of RUN
    #[arg(long, value_name = "NAME:ADDRESS", help_heading = "Commands that run")]
    pub(crate) add_host: Vec<String>,
    /// What else the build may do: security.insecure, network.host
    #[arg(long, value_name = "RIGHT", help_heading = "Commands that run")]
    pub(crate) allow: Vec<String>,
    /// Shows what `dflint` finds in the Dockerfile first; errors end the build before it begins
    #[arg(long)]
    pub(crate) check: bool,
    /// Says of every step that runs why it has to
    #[arg(long, help_heading = "Cache")]
    pub(crate) explain_cache: bool,
    /// The time in the image, in seconds since 1970 [default: $SOURCE_DATE_EPOCH, else 1980-01-01]
    #[arg(long, value_name = "SECONDS", help_heading = "Result")]
    pub(crate) timestamp: Option<i64>,
    /// Sets later times of files back to that time
    #[arg(long, value_name = "BOOL", default_value_t = true, num_args = 0..=1, default_missing_value = "true", require_equals = true, action = clap::ArgAction::Set, help_heading = "Result")]
    pub(crate) rewrite_timestamp: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArguments {
    #[command(flatten)]
    pub(crate) input: InputArguments,
    /// Prints JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct StoreArguments {
    /// The folder with images and cache [default: $DFBUILD_STORE, else a folder of the user, or /var/lib/dfbuild for root]
    #[arg(long, value_name = "FOLDER", global = true)]
    pub(crate) store: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct StoreCommandArguments {
    #[command(subcommand)]
    pub(crate) command: StoreCommand,
    #[command(flatten)]
    pub(crate) store: StoreArguments,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Reads everything in the store and says what is damaged
    Check {
        /// Takes what is damaged out
        #[arg(long)]
        repair: bool,
    },
    /// Prints where the store is
    Path,
}

#[derive(Debug, Args)]
pub(crate) struct PruneArguments {
    /// Deletes images that have a name, too
    #[arg(long)]
    pub(crate) all: bool,
    /// Deletes only what was not used for so long: 90s, 30m, 24h, 7d
    #[arg(long, value_name = "TIME", value_parser = quantity::duration)]
    pub(crate) older_than: Option<Duration>,
    /// Deletes only until so much is left, what was not used for longest first: 500MB, 10GB, 8GiB
    #[arg(long, value_name = "SIZE", value_parser = quantity::bytes)]
    pub(crate) keep_storage: Option<u64>,
    #[command(flatten)]
    pub(crate) store: StoreArguments,
}

#[derive(Debug, Args)]
pub(crate) struct ImagesArguments {
    /// Prints JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Prints image IDs and nothing else
    #[arg(short, long)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) store: StoreArguments,
}

#[derive(Debug, Args)]
pub(crate) struct ImageNameArguments {
    /// A name, an image ID or the start of one
    pub(crate) image: String,
    #[command(flatten)]
    pub(crate) store: StoreArguments,
}

#[derive(Debug, Args)]
pub(crate) struct ImageArguments {
    #[command(flatten)]
    pub(crate) image: ImageNameArguments,
    /// Prints JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Prints long texts whole
    #[arg(long)]
    pub(crate) no_trunc: bool,
}

#[derive(Debug, Args)]
pub(crate) struct LayersArguments {
    #[command(flatten)]
    pub(crate) image: ImageArguments,
    /// How many of the most wasteful files are named
    #[arg(long, value_name = "COUNT", default_value_t = 10)]
    pub(crate) top: usize,
}

#[derive(Debug, Args)]
pub(crate) struct TagArguments {
    #[command(flatten)]
    pub(crate) image: ImageNameArguments,
    /// The new name
    #[arg(value_name = "NAME[:TAG]", required = true)]
    pub(crate) names: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct RmiArguments {
    /// Names, or image IDs: all their names
    #[arg(value_name = "IMAGE", required = true)]
    pub(crate) images: Vec<String>,
    #[command(flatten)]
    pub(crate) store: StoreArguments,
}

#[derive(Debug, Args)]
pub(crate) struct PullArguments {
    /// The name of the image
    #[arg(value_name = "NAME[:TAG]")]
    pub(crate) name: String,
    /// What the image is for: os/architecture[/variant] [default: this machine]
    #[arg(long)]
    pub(crate) platform: Option<String>,
    /// How progress is shown
    #[arg(long, value_enum, default_value_t)]
    pub(crate) progress: ProgressKind,
    #[command(flatten)]
    pub(crate) registries: RegistryArguments,
    #[command(flatten)]
    pub(crate) store: StoreArguments,
}

#[derive(Debug, Args)]
pub(crate) struct PushArguments {
    /// A name, an image ID or the start of one
    pub(crate) image: String,
    /// The name to push it under [default: its own]
    #[arg(value_name = "NAME[:TAG]")]
    pub(crate) name: Option<String>,
    /// How layers are compressed: gzip, zstd or uncompressed
    #[arg(long, value_name = "FORM", default_value = "gzip")]
    pub(crate) compression: String,
    /// How progress is shown
    #[arg(long, value_enum, default_value_t)]
    pub(crate) progress: ProgressKind,
    #[command(flatten)]
    pub(crate) registries: RegistryArguments,
    #[command(flatten)]
    pub(crate) store: StoreArguments,
}

#[derive(Debug, Args)]
pub(crate) struct SaveArguments {
    #[command(flatten)]
    pub(crate) image: ImageNameArguments,
    /// The file [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// What is written: docker or oci
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: ArchiveKind,
    /// How layers are compressed: gzip, zstd or uncompressed
    #[arg(long, value_name = "FORM", default_value = "uncompressed")]
    pub(crate) compression: String,
}

/// What `save` writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ArchiveKind {
    /// What `docker load` reads
    #[default]
    Docker,
    /// An OCI layout
    Oci,
}

#[derive(Debug, Args)]
pub(crate) struct LoadArguments {
    /// The archive: a docker archive or an OCI layout [default: standard input]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,
    /// A name for the image, where the archive has none
    #[arg(short, long = "tag", value_name = "NAME[:TAG]")]
    pub(crate) tags: Vec<String>,
    #[command(flatten)]
    pub(crate) store: StoreArguments,
}

/// What RUN sees of the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum NetworkKind {
    /// As `host`
    #[default]
    Default,
    /// The network of this machine
    Host,
    /// A loopback device
    None,
    /// A network of its own for each RUN, connected by `pasta` or `slirp4netns`
    Isolated,
}

/// How progress is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressKind {
    /// `tty` on a terminal, else `plain`
    #[default]
    Auto,
    /// Lines that stay, and below them what runs
    Tty,
    /// One line an event, for logs; nothing is cut
    Plain,
    /// One JSON object an event, a line each
    Rawjson,
    /// Nothing but the result
    Quiet,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
