//! `cargo xtask bench parse`: throughput inside of one process, on one core.

use std::hint::black_box;
use std::path::Path;

use anyhow::Context;
use clap::Args;
use dockerfile_format::Formatter;
use dockerfile_lint::{Options, Selection};
use dockerfile_source::SourceFile;

use super::log_fit::exponent;
use super::long_file::long_file;
use super::stopwatch::median;
use crate::command::{self, cargo};
use crate::cpu_clock;
use crate::workspace::Workspace;

const MEGABYTES: [usize; 4] = [1, 2, 5, 10];

#[derive(Args)]
pub(crate) struct ParseArgs {
    /// How often each size is measured.
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// Measures one work only, by name: for a look with a profiler.
    #[arg(long)]
    only: Option<String>,
}

/// What is timed: reads a file and returns a number that depends on all of the work.
type Work = fn(&SourceFile) -> usize;

/// `rules` is the way of a file through parser, model and every rule that is on by default. `format` lays a file out and
/// proves the result; `format-tidy` does it to its own result, as `--check` in CI mostly does.
const WORKS: &[(&str, Work)] = &[
    ("parse", parse_file),
    ("rules", |file| check_file(file, &Options::default())),
    ("all-rules", |file| check_file(file, &every_rule())),
    ("format", format_file),
    (FORMAT_TIDY, format_file),
];
const FORMAT_TIDY: &str = "format-tidy";

fn format_file(file: &SourceFile) -> usize {
    let options = dockerfile_format::Options::default();
    let formatted = Formatter::new().format(file.text(), &options, None);
    formatted.edit.indels().len() + formatted.kept.len()
}

/// Returns a text as the formatter leaves it.
fn tidy(text: &str) -> Option<String> {
    let options = dockerfile_format::Options::default();
    Formatter::new()
        .format(text, &options, None)
        .edit
        .apply(text)
}

fn parse_file(file: &SourceFile) -> usize {
    let parse = dockerfile_syntax::parse(file.text());
    parse.errors().len() + usize::from(parse.root().range().end())
}

fn check_file(file: &SourceFile, options: &Options) -> usize {
    dockerfile_lint::check(file, options).len()
}

/// Returns options with the rules that are off by default, too.
fn every_rule() -> Options {
    Options {
        selection: Selection::all(),
        ..Options::default()
    }
}

pub(crate) fn parse(workspace: &Workspace, args: &ParseArgs) -> anyhow::Result<()> {
    if cfg!(debug_assertions) {
        // Figures of a debug build mislead: the same command again, optimised.
        let rounds = args.rounds.to_string();
        let arguments = ["run", "--release", "--quiet", "--package", "xtask", "--"];
        let task = ["bench", "parse", "--rounds", &rounds];
        let mut command = cargo(&workspace.root, &arguments);
        command.args(task);
        if let Some(only) = &args.only {
            command.args(["--only", only]);
        }
        return command::run(&mut command);
    }
    let corpus = test_support::open_corpus().context("the open corpus is not there")?;
    println!(
        "one core, {}, median and best of {} rounds; a long file is real Dockerfiles one behind the other",
        cpu_clock::COUNTS,
        args.rounds
    );
    for (name, work) in WORKS {
        if args.only.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        measure(name, *work, &corpus, args.rounds)?;
    }
    Ok(())
}

fn measure(name: &str, work: Work, corpus: &Path, rounds: usize) -> anyhow::Result<()> {
    let mut points = Vec::new();
    for megabytes in MEGABYTES {
        let mut text = long_file(corpus, megabytes * 1_000_000)?;
        if name == FORMAT_TIDY {
            text = tidy(&text).context("the edits do not fit")?;
        }
        let file = SourceFile::new("Dockerfile", text);
        let size = file.text().len() as f64 / 1e6;
        // Fresh memory is dear, and not what is asked.
        black_box(work(&file));
        let seconds: Vec<f64> = (0..rounds)
            .map(|_| {
                cpu_clock::seconds(|| {
                    black_box(work(black_box(&file)));
                })
            })
            .collect();
        let middle = median(&seconds);
        let best = seconds.iter().copied().fold(f64::INFINITY, f64::min);
        println!(
            "{name:<12} {size:>6.2} MB  {:>9.2} ms  {:>7.1} MB/s  (best {:>7.1} MB/s)",
            middle * 1e3,
            size / middle,
            size / best
        );
        points.push((size, middle));
    }
    println!("{name:<12} time grows with size^{:.3}", exponent(&points));
    Ok(())
}
