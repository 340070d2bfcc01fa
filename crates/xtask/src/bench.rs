//! `cargo xtask bench`: how fast, how much memory, and how that compares.

mod build;
mod check;
mod check_peers;
mod hostile;
mod hostile_files;
mod log_fit;
mod long_file;
mod lsp;
mod parse;
mod stopwatch;

use clap::Subcommand;

use crate::workspace::Workspace;

#[derive(Subcommand)]
pub(crate) enum Bench {
    /// Whole builds, against Docker and buildah.
    Build(build::BuildArgs),
    /// Whole processes over the open corpus, against hadolint and tally.
    Check(check::CheckArgs),
    /// The language server as a client sees it, against others.
    Lsp(lsp::LspArgs),
    /// Throughput of the parser and the rules on one core, and how it grows with the size of the file.
    Parse(parse::ParseArgs),
    /// Files made to be slow, at two sizes, through every rule alone: lists what is not linear.
    Hostile(hostile::HostileArgs),
}

pub(crate) fn bench(workspace: &Workspace, bench: Bench) -> anyhow::Result<()> {
    match bench {
        Bench::Build(args) => build::build(workspace, &args),
        Bench::Check(args) => check::check(workspace, &args),
        Bench::Lsp(args) => lsp::lsp(workspace, &args),
        Bench::Parse(args) => parse::parse(workspace, &args),
        Bench::Hostile(args) => hostile::hostile(workspace, &args),
    }
}
