//! `cargo xtask bench check`: whole processes on the same files, turn by turn.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use clap::Args;
use tempfile::TempDir;

use super::check_peers::{Program, dflint, installed_peers, shown_command};
use super::stopwatch::{median, peak_memory, seconds};
use crate::command::{self, cargo};
use crate::workspace::Workspace;

#[derive(Args)]
pub(crate) struct CheckArgs {
    /// How often each peer runs over all files. Its runs and ours take turns.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Only the first so many files of the core, for a quick look.
    #[arg(long)]
    files: Option<usize>,
    /// Leaves the peers out.
    #[arg(long)]
    no_peers: bool,
}

/// How often a program runs over one small file.
const SMALL_FILE_RUNS: usize = 20;
/// How often ours runs over the whole corpus.
const WHOLE_CORPUS_RUNS: usize = 5;
/// The median length of a real Dockerfile is 23 lines.
const SMALL_FILE_LINES: usize = 23;

pub(crate) fn check(workspace: &Workspace, args: &CheckArgs) -> anyhow::Result<()> {
    let corpus = test_support::open_corpus().context("the open corpus is not there")?;
    let core = Core::copy(&corpus, args.files)?;
    let ours = dflint(build(workspace)?)?;
    let mut programs = vec![ours];
    if !args.no_peers {
        programs.extend(installed_peers(workspace, core.folder.path(), &core.files)?);
        for name in ["hadolint", "tally"] {
            if !programs.iter().any(|program| program.name == name) {
                println!("SKIPPED: {name} is not installed (`cargo xtask peers`)");
            }
        }
    }
    compare_on_core(&programs, &core, args.rounds)?;
    compare_on_small_file(&programs, &core)?;
    if let Some(ours) = programs.first() {
        whole_corpus(ours, &corpus)?;
    }
    Ok(())
}

/// The core of the corpus in a folder of its own.
struct Core {
    folder: TempDir,
    files: Vec<String>,
}

impl Core {
    fn copy(corpus: &Path, limit: Option<usize>) -> anyhow::Result<Core> {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let list = fs::read_to_string(corpus.join("open_core.txt")).context("no open_core.txt")?;
        let mut files = Vec::new();
        for path in list.lines().take(limit.unwrap_or(usize::MAX)) {
            let name = path.rsplit('/').next().unwrap_or(path).to_owned();
            fs::copy(corpus.join(path), folder.path().join(&name))
                .with_context(|| format!("cannot copy {path}"))?;
            files.push(name);
        }
        ensure!(!files.is_empty(), "there are no files to check");
        Ok(Core { folder, files })
    }

    /// Returns the first file of the median length.
    fn small_file(&self) -> Option<&String> {
        self.files.iter().find(|name| {
            fs::read_to_string(self.folder.path().join(name))
                .is_ok_and(|text| text.lines().count() == SMALL_FILE_LINES)
        })
    }
}

fn build(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let arguments = ["build", "--release", "--quiet", "--package", "dflint"];
    command::run(&mut cargo(&workspace.root, &arguments))?;
    // This program is at TARGET/PROFILE/xtask.
    let this = env::current_exe().context("cannot find this program")?;
    let target = this
        .ancestors()
        .nth(2)
        .context("there is a target folder")?;
    let program = format!("dflint{}", env::consts::EXE_SUFFIX);
    Ok(target.join("release").join(program))
}

fn compare_on_core(programs: &[Program], core: &Core, rounds: usize) -> anyhow::Result<()> {
    println!(
        "\n{} files, {rounds} rounds, the programs take turns; medians; output is thrown away.\n\
         tally is run without the Python script of its package, which costs another 0.1 s:",
        core.files.len()
    );
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); programs.len()];
    for round in 1..=rounds {
        for (program, times) in programs.iter().zip(&mut times) {
            for _ in 0..program.runs {
                let mut command = program.command(core.folder.path(), &core.files);
                times.push(seconds(&mut command)?);
            }
            let last = times.last().copied().unwrap_or(0.0);
            println!("  round {round}: {:<9} {last:>9.3} s", program.name);
        }
    }
    let mut base = None;
    for (program, times) in programs.iter().zip(&times) {
        let read = core.files.len() - program.refused.len();
        let per_file = median(times) / read as f64;
        let base = *base.get_or_insert(per_file);
        println!(
            "{:<9} {:>9.3} s  {:>9.4} ms a file  {:>9.1} files/s  x {:.1}",
            program.name,
            median(times),
            per_file * 1e3,
            1.0 / per_file,
            per_file / base
        );
        print_setup(program, core)?;
    }
    Ok(())
}

fn print_setup(program: &Program, core: &Core) -> anyhow::Result<()> {
    println!(
        "          $ {}    # {}",
        shown_command(program),
        program.version
    );
    if !program.refused.is_empty() {
        println!(
            "          without {} files that end the whole run of {}",
            program.refused.len(),
            program.name
        );
    }
    // One more run of a peer would take minutes, and only our memory is a promise.
    if program.runs > 1
        && let Some(mebibytes) = peak_memory(&program.command(core.folder.path(), &core.files))?
    {
        println!("          peak memory {mebibytes:.1} MiB");
    }
    Ok(())
}

fn compare_on_small_file(programs: &[Program], core: &Core) -> anyhow::Result<()> {
    let Some(file) = core.small_file() else {
        return Ok(());
    };
    println!(
        "\none file of {SMALL_FILE_LINES} lines, {SMALL_FILE_RUNS} runs, the programs take turns:"
    );
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); programs.len()];
    for _ in 0..SMALL_FILE_RUNS {
        for (program, times) in programs.iter().zip(&mut times) {
            let mut command = program.command(core.folder.path(), std::slice::from_ref(file));
            times.push(seconds(&mut command)?);
        }
    }
    for (program, times) in programs.iter().zip(&times) {
        println!("{:<9} {:>9.2} ms", program.name, median(times) * 1e3);
    }
    Ok(())
}

fn whole_corpus(ours: &Program, corpus: &Path) -> anyhow::Result<()> {
    let files = fs::read_dir(corpus.join("all"))?.count();
    let argument = ["all".to_owned()];
    let times: Vec<f64> = (0..WHOLE_CORPUS_RUNS)
        .map(|_| seconds(&mut ours.command(corpus, &argument)))
        .collect::<anyhow::Result<_>>()?;
    println!("\nthe whole corpus, {files} files, {WHOLE_CORPUS_RUNS} runs:");
    println!("dflint    {:>9.3} s", median(&times));
    if let Some(mebibytes) = peak_memory(&ours.command(corpus, &argument))? {
        println!("          peak memory {mebibytes:.1} MiB");
    }
    Ok(())
}
