//! `cargo xtask compare`: our formatter and its peers on the same files, or our builds and BuildKit's; writes docs/comparison.md.

mod builds;
pub(crate) mod formatters;
mod verdict;

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, ensure};
use clap::Args;

use crate::page_section;
use crate::workspace::Workspace;
use formatters::{Formatter, installed};
use verdict::{Tally, is_accepted};

pub(crate) use formatters::install;

#[derive(Args)]
pub(crate) struct CompareArgs {
    /// Only the first so many files of the core, for a quick look; docs/comparison.md is not written then.
    #[arg(long)]
    files: Option<usize>,
    /// How often each program formats all files in one call.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Counts instead how many recorded builds of BuildKit ours are equal to.
    #[arg(long, conflicts_with_all = ["files", "rounds"])]
    builds: bool,
}

/// A file that all programs are given.
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) text: String,
}

pub(crate) fn compare(workspace: &Workspace, args: &CompareArgs) -> anyhow::Result<()> {
    let path = workspace.path("docs/comparison.md");
    if args.builds {
        let page = builds::page(workspace)?;
        println!("\n{page}");
        return page_section::replace(&path, "cargo xtask compare --builds", &page);
    }
    let samples = samples(args.files)?;
    let mut rows = Vec::new();
    for formatter in installed(workspace)? {
        println!("{} {} ...", formatter.name(), formatter.version());
        rows.push(row(&formatter, &samples, args.rounds)?);
    }
    let page = page(&samples, &rows);
    println!("\n{page}");
    if args.files.is_none() {
        page_section::replace(&path, "cargo xtask compare", &page)?;
    }
    Ok(())
}

/// Returns the files of the core that the builder accepts.
fn samples(limit: Option<usize>) -> anyhow::Result<Vec<Sample>> {
    let corpus = test_support::open_corpus().context("the open corpus is not there")?;
    let list = fs::read_to_string(corpus.join("open_core.txt")).context("no open_core.txt")?;
    let mut samples = Vec::new();
    for path in list.lines().take(limit.unwrap_or(usize::MAX)) {
        let bytes = fs::read(corpus.join(path)).with_context(|| format!("cannot read {path}"))?;
        if let Ok(text) = String::from_utf8(bytes)
            && is_accepted(&text)
        {
            let name = format!("{:05}.dockerfile", samples.len());
            samples.push(Sample { name, text });
        }
    }
    ensure!(!samples.is_empty(), "there are no files to format");
    Ok(samples)
}

struct Row {
    name: &'static str,
    version: String,
    tally: Tally,
    /// Seconds for all files in one call, where the program can do that.
    all_at_once: Option<f64>,
    /// Seconds for one file, the process included.
    one_file: f64,
}

fn row(formatter: &Formatter, samples: &[Sample], rounds: usize) -> anyhow::Result<Row> {
    let first = formatter.format(samples)?;
    let again: Vec<Sample> = samples
        .iter()
        .zip(&first)
        .map(|(sample, result)| Sample {
            name: sample.name.clone(),
            text: result.clone().unwrap_or_else(|| sample.text.clone()),
        })
        .collect();
    let second = formatter.format(&again)?;
    let mut tally = Tally::default();
    for ((sample, first), second) in samples.iter().zip(&first).zip(&second) {
        tally.add(&sample.text, first.as_deref(), second.as_deref());
    }
    Ok(Row {
        name: formatter.name(),
        version: formatter.version().to_owned(),
        tally,
        all_at_once: formatter.time_all(samples, rounds)?,
        one_file: formatter.time_one(samples)?,
    })
}

fn bytes(samples: &[Sample]) -> usize {
    samples.iter().map(|sample| sample.text.len()).sum()
}

fn page(samples: &[Sample], rows: &[Row]) -> String {
    #[allow(clippy::cast_precision_loss)]
    let megabytes = bytes(samples) as f64 / 1e6;
    let mut page = format!(
        "# Formatters compared\n\n\
         {} public Dockerfiles that BuildKit accepts, {:.1} MB, each formatted twice by each program with its default settings.\n\
         A *changed* file builds something else afterwards: instructions, flags, expanded words, the words and the shape of \
         commands, or here-documents differ (MAINTAINER turned into LABEL counts, because the image is another one).\n\
         A *broken* file no longer parses.\n\
         *RUN text* counts the files in which the text of a command changed, blanks included: that text is the key of the build \
         cache, so those images are built anew.\n\n\
         | formatter | refused | broken | refuses its own output | unstable | changed | RUN text | all files, one call | one file |\n\
         |---|---|---|---|---|---|---|---|---|\n",
        samples.len(),
        megabytes,
    );
    for row in rows {
        let tally = &row.tally;
        let all = row
            .all_at_once
            .map_or_else(|| "-".to_owned(), |seconds| format!("{seconds:.2} s"));
        let _ = writeln!(
            page,
            "| {} {} | {} | {} | {} | {} | {} | {} | {all} | {:.1} ms |",
            row.name,
            row.version,
            tally.refused,
            tally.broken,
            tally.refuses_own,
            tally.unstable,
            tally.changed,
            tally.run_text,
            row.one_file * 1e3
        );
    }
    page.push_str(
        "\nTimes are medians of whole processes, taken one program after the other on the same machine; *one file* is a call for \
         each of 100 files.\n\
         The commands: `dflint format PATH`, `dflint format --run keep PATH`, `dockerfmt -n FILE`, `dprint fmt` with the \
         Dockerfile plugin and `--incremental=false`, `formatDocument` of dockerfile-utils in one Node.js process.\n\
         dockerfmt stops at the first file that makes it panic, so it is called once a file.\n\
         What changed is judged by our own reader, which agrees with BuildKit's answers for these files \
         (`cargo test -p dockerfile-syntax --test buildkit_parser`); for our own output it is judged by BuildKit's answers \
         themselves (`cargo test -p workspace-tests --test format`).\n",
    );
    page
}
