//! `dfbuild run`.

use clap::Args;

use super::{LimitArguments, NetworkKind, StoreArguments};

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// A name, an image ID or the start of one; then the command [default: that of the image]
    #[arg(
        required = true,
        value_names = ["IMAGE", "COMMAND"],
        num_args = 1..,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub(crate) words: Vec<String>,
    /// A variable; without `=` it is taken from the environment
    #[arg(short, long = "env", value_name = "NAME[=VALUE]")]
    pub(crate) environment: Vec<String>,
    /// Who runs it: USER[:GROUP], names or numbers
    #[arg(short, long)]
    pub(crate) user: Option<String>,
    /// The folder it starts in
    #[arg(short, long, value_name = "FOLDER")]
    pub(crate) workdir: Option<String>,
    /// A file or folder of this machine that it sees
    #[arg(short, long = "volume", value_name = "PATH:TARGET[:ro]")]
    pub(crate) volumes: Vec<String>,
    /// The program instead of the image's own
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) entrypoint: Option<String>,
    /// Hands standard input to it
    #[arg(short, long)]
    pub(crate) interactive: bool,
    /// Gives it a terminal
    #[arg(short, long)]
    pub(crate) tty: bool,
    /// Nothing: what the command changes is always thrown away
    #[arg(long)]
    pub(crate) rm: bool,
    /// What it sees of the network
    #[arg(long, value_enum, default_value_t)]
    pub(crate) network: NetworkKind,
    /// A name in its /etc/hosts
    #[arg(long, value_name = "NAME:ADDRESS")]
    pub(crate) add_host: Vec<String>,
    /// Has it work on a copy of all files, as it does by itself where overlayfs does not work
    #[arg(long)]
    pub(crate) without_overlay: bool,
    #[command(flatten)]
    pub(crate) limits: LimitArguments,
    #[command(flatten)]
    pub(crate) store: StoreArguments,
}
