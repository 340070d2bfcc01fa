//! The project's own commands: `cargo xtask ready` before a commit, and what it consists of.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr)]
// Sizes and counts are far below 2^52.
#![allow(clippy::cast_precision_loss)]

mod bases;
mod bench;
mod command;
mod compare;
mod cpu_clock;
mod daemon;
mod docs;
mod e2e;
mod fuzz;
mod gallery;
mod page_section;
mod peers;
mod pre_commit;
mod ready;
mod servers;
mod tidy;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

/// The allocator of `dflint`, so that the figures of `bench parse` are theirs.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's own commands.")]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Everything that must hold before a commit: format, clippy, tests, tidy, docs.
    Ready {
        /// Leaves the tests out, where `cargo test` has just run.
        #[arg(long)]
        no_tests: bool,
    },
    /// The rules of the house that no other tool checks.
    Tidy,
    /// Writes the generated pages under docs/.
    Docs {
        /// Only says which pages are out of date.
        #[arg(long)]
        check: bool,
    },
    /// Makes base images for tests and benches of the builder, and serves them.
    Bases(bases::BasesArgs),
    /// Measures, against peers where there are some.
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Breaks real files at random and looks whether every promise is kept.
    Fuzz(fuzz::FuzzArgs),
    /// Compares formatters on the core of the corpus, or builds with BuildKit's, and writes docs/comparison.md.
    Compare(compare::CompareArgs),
    /// Shows what each formatter makes of the same files: docs/format-gallery.md.
    Gallery,
    /// Installs the peers that `bench check` and `compare` measure against into target/peers.
    Peers,
    /// Tests that need the network: the pre-commit hooks with the real pre-commit.
    TestPeers,
    /// The language server in real editors.
    #[command(subcommand)]
    E2e(e2e::E2e),
    /// Tests that need root: what is formatted and built, given to a Docker daemon of their own.
    TestDaemon(daemon::DaemonArgs),
}

fn main() -> ExitCode {
    match run(Args::parse().task) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a task and returns whether all is well.
fn run(task: Task) -> anyhow::Result<bool> {
    let workspace = Workspace::find();
    match task {
        Task::Ready { no_tests } => ready::ready(&workspace, no_tests),
        Task::Tidy => tidy::print(&tidy::tidy(&workspace)?),
        Task::Docs { check } => docs::docs(&workspace, check),
        Task::Bases(args) => bases::bases(&workspace, &args).map(|()| true),
        Task::Bench(bench) => bench::bench(&workspace, bench).map(|()| true),
        Task::Fuzz(args) => fuzz::fuzz(&workspace, &args),
        Task::Compare(args) => compare::compare(&workspace, &args).map(|()| true),
        Task::Gallery => gallery::gallery(&workspace).map(|()| true),
        Task::Peers => peers::install(&workspace)
            .and_then(|()| compare::install(&workspace))
            .map(|()| true),
        Task::E2e(editor) => e2e::e2e(&workspace, &editor),
        Task::TestDaemon(args) => daemon::test_daemon(&workspace, &args).map(|()| true),
        Task::TestPeers => pre_commit::test_hooks(&workspace).map(|()| true),
    }
}
