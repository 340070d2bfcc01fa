//! `cargo xtask bench build`: whole builds, ours and the peers' in the same run.

mod builders;
mod export;
mod process;
mod scale;
mod table;
mod workloads;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use clap::Args;

use self::builders::{Builder, Job, Spent};
use self::process::measure;
use self::table::Row;
use self::workloads::Workload;
use crate::bases;
use crate::command::{self, cargo};
use crate::page_section;
use crate::servers::{Servers, offline};
use crate::workspace::Workspace;

const MOST_BUILDERS: usize = 10;
const PAGE: &str = "docs/comparison.md";

#[derive(Args)]
pub(crate) struct BuildArgs {
    /// Only workloads whose name starts so (`a`, `d_big`); may be given again.
    #[arg(long)]
    workload: Vec<String>,
    /// How often each builder builds each workload.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Peers to measure in the same run.
    #[arg(long, value_delimiter = ',', default_value = "docker,buildah")]
    peers: Vec<String>,
    /// Leaves the peers out.
    #[arg(long)]
    no_peers: bool,
    /// Measures the peers alone.
    #[arg(long)]
    no_ours: bool,
    /// The program to measure, when it is not to be compiled.
    #[arg(long)]
    dfbuild: Option<PathBuf>,
    /// How cost grows: 1,000 to 100,000 files, 10 to 1,000 steps.
    #[arg(long)]
    scale: bool,
    /// What the export of a built image costs.
    #[arg(long)]
    export: bool,
    /// Neither workloads nor their table: only --scale and --export.
    #[arg(long)]
    no_workloads: bool,
    /// Makes --scale and --export small: to try the bench itself.
    #[arg(long, conflicts_with = "write")]
    small: bool,
    /// Writes the tables into docs/comparison.md: those of the workloads, and in a section of their own those of --scale and --export.
    #[arg(long)]
    write: bool,
}

pub(crate) fn build(workspace: &Workspace, args: &BuildArgs) -> anyhow::Result<()> {
    let work = tempfile::tempdir().context("cannot make a temporary folder")?;
    let _servers = Servers::start(workspace)?;
    let mut builders = builders(workspace, args)?;
    if !args.no_workloads {
        let mut rows = Vec::new();
        for source in workloads::sources(&args.workload)? {
            let workload = Workload::make(&source, work.path(), &offline(workspace))?;
            rows.extend(measure_all(&workload, &mut builders, args.rounds)?);
            // Up to a gigabyte that the next one does not need.
            fs::remove_dir_all(workload.context()).context("cannot remove a context")?;
        }
        let page = head(&builders, args.rounds) + &table::workloads(&rows);
        finish(workspace, args, "cargo xtask bench build --write", &page)?;
    }
    if args.scale || args.export {
        let page = growth(workspace, args, &mut builders, work.path())?;
        let command = "cargo xtask bench build --no-workloads --scale --export --write";
        finish(workspace, args, command, &page)?;
    }
    Ok(())
}

/// Measures how cost grows, and what it takes to give an image away.
fn growth(
    workspace: &Workspace,
    args: &BuildArgs,
    builders: &mut [Builder],
    work: &Path,
) -> anyhow::Result<String> {
    let mut page = format!(
        "# Growth and export\n\nMedians of {} rounds.\n",
        args.rounds
    );
    if args.scale
        && let Some(ours) = builders.iter_mut().find(|b| b.name() == "dfbuild")
    {
        page.push_str("\nHow `dfbuild` grows:\n\n");
        page.push_str(&scale::scale(ours, work, args.rounds, args.small)?);
    }
    if args.export {
        page.push_str("\nAn image that is built already, given away: *first* with nothing compressed before, *again* once more at once. Docker writes and \
             pushes what it can: `docker save` is uncompressed, `docker push` gzip.\n\n");
        let big = if args.small {
            None
        } else {
            let source = workloads::sources(&["g_1gib".to_owned()])?;
            let source = source.first().context("no g_1gib")?;
            Some(Workload::make(source, work, &offline(workspace))?.context())
        };
        page.push_str(&export::export(
            builders,
            big.as_deref(),
            work,
            args.rounds,
        )?);
    }
    Ok(page)
}

fn finish(
    workspace: &Workspace,
    args: &BuildArgs,
    command: &str,
    page: &str,
) -> anyhow::Result<()> {
    println!("\n{page}");
    if args.write {
        page_section::replace(&workspace.path(PAGE), command, page)?;
    }
    Ok(())
}

fn head(builders: &[Builder], rounds: usize) -> String {
    let names: Vec<String> = builders
        .iter()
        .map(|builder| format!("{} {}", builder.name(), builder.version()))
        .collect();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or("?");
    format!(
        "# Builders compared\n\n\
         {}. Wall seconds, median and (least) of {rounds} rounds, all builders in turn in the same run; load at the start {load}.\n\
         *cold*: the builder has a new and empty folder, the base comes from a registry on the loopback interface. *warm*: the \
         same again. *edit*: one source file has changed.\n\
         *peak MiB*: the largest process of the builder, plus its daemons; what RUN starts does not count.\n\
         Docker and its daemon are warm when the clock starts; dfbuild and buildah start a process.\n\n",
        names.join(", ")
    )
}

fn builders(workspace: &Workspace, args: &BuildArgs) -> anyhow::Result<Vec<Builder>> {
    let mut builders = Vec::new();
    if !args.no_ours {
        let program = match &args.dfbuild {
            Some(program) => program.clone(),
            None => compile(workspace)?,
        };
        builders.push(Builder::dfbuild(program)?);
    }
    if args.no_peers {
        return Ok(builders);
    }
    for name in &args.peers {
        match Builder::peer(name) {
            Ok(builder) => builders.push(builder),
            Err(why) => println!("SKIPPED: {name}: {why:#}"),
        }
    }
    ensure!(!builders.is_empty(), "there is no builder to measure");
    Ok(builders)
}

fn compile(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let arguments = ["build", "--release", "--package=dfbuild"];
    command::run(&mut cargo(&workspace.root, &arguments))?;
    Ok(bases::target(workspace).join("release/dfbuild"))
}

fn measure_all(
    workload: &Workload,
    builders: &mut [Builder],
    rounds: usize,
) -> anyhow::Result<Vec<Row>> {
    let mut spent = Spent::default();
    let mut rows: Vec<Row> = builders
        .iter()
        .map(|builder| Row {
            workload: workload.name.clone(),
            builder: builder.name(),
            phases: Default::default(),
            failure: None,
        })
        .collect();
    for round in 0..rounds {
        for (number, (row, builder)) in rows.iter_mut().zip(builders.iter_mut()).enumerate() {
            // Each edit is one that nobody has seen.
            let edit = round * MOST_BUILDERS + number;
            if row.failure.is_none()
                && let Err(failure) = one_round(workload, builder, edit, row, &mut spent)
            {
                row.failure = Some(format!("{failure:#}"));
            }
        }
    }
    for (row, builder) in rows.iter().zip(builders) {
        builder.renew(&mut spent)?;
        let text = table::workloads(std::slice::from_ref(row));
        for line in text.lines().skip(2) {
            println!("{line}");
        }
    }
    // The disk of the machine holds them all only one after the other.
    spent.delete()?;
    Ok(rows)
}

/// Builds cold, warm and edited once.
fn one_round(
    workload: &Workload,
    builder: &mut Builder,
    edit: usize,
    row: &mut Row,
    spent: &mut Spent,
) -> anyhow::Result<()> {
    let context = workload.context();
    let secret = workload.secret();
    let job = Job {
        context: &context,
        secret: secret.as_deref(),
    };
    builder.renew(spent)?;
    let daemons = builder.daemons();
    // What the peer before wrote is not this one's to wait for.
    command::run(&mut Command::new("sync"))?;
    for (phase, runs) in row.phases.iter_mut().enumerate() {
        if phase == 2 {
            workload.edit(edit)?;
        }
        runs.push(measure(&mut builder.build(&job), &daemons)?);
    }
    Ok(())
}
