//! Formatted files, given to a real BuildKit.

use std::fs;

use anyhow::{Context, ensure};
use dockerfile_format::{Formatter, Options, RunStyle};

use super::docker::Daemon;

/// How many files of the corpus the frontend reads before and after.
const FRONTEND_FILES: usize = 100;

/// What is built before and after. The daemon of Debian 12 knows no here-documents.
pub(super) const BUILDS: &[&str] = &[
    r#"from base:1 as one
ENV GREETING hello   world
run mkdir -p /srv&&echo "$GREETING" > /srv/greeting; \
    for i in 1 2 3; do echo $i >> /srv/list; done && \
  # a comment
  if [ -f /srv/list ]; then cat /srv/list | sort -r > /srv/sorted; else exit 1; fi

workdir /srv
from base:1
COPY --from=one /srv   /srv
CMD [ "cat","/srv/greeting" ]
"#,
    r#"FROM base:1
ARG A=1 B="2  3"
run set -eux; \
	words=' \
		one \
		two \
	'; \
	\
	for word in $words; do case "$word" in one) echo 1;; *) echo "$B" || true;; esac; done > /out; \
	(cd / && ls -d bin) | cat >> /out; \
	f() { echo "in  f"; }; f >> /out
onbuild run echo  hello
healthcheck --interval=5s --timeout=3s CMD cat /out||exit 1
"#,
];

/// Builds before and after, and asks the frontend about real files.
pub(super) fn test(daemon: &Daemon) -> anyhow::Result<()> {
    for (idx, text) in BUILDS.iter().enumerate() {
        same_image_when_commands_are_kept(daemon, idx, text)?;
        same_files_when_commands_are_laid_out(daemon, idx, text)?;
    }
    println!(
        "{} builds: with --run keep the same image from the cache, else the same files",
        BUILDS.len()
    );
    same_verdict_of_the_frontend(daemon)
}

fn formatted(text: &str, run: RunStyle) -> anyhow::Result<String> {
    let options = Options {
        run,
        ..Options::default()
    };
    let edit = Formatter::new().format(text, &options, None).edit;
    edit.apply(text).context("the edits do not fit")
}

fn same_image_when_commands_are_kept(
    daemon: &Daemon,
    idx: usize,
    text: &str,
) -> anyhow::Result<()> {
    let before = daemon.build(&format!("before:{idx}"), text)?;
    let kept = formatted(text, RunStyle::Keep)?;
    ensure!(kept != text, "build {idx} is formatted already");
    let after = daemon.build(&format!("kept:{idx}"), &kept)?;
    ensure!(
        before == after,
        "build {idx} makes another image with --run keep:\n{kept}"
    );
    Ok(())
}

fn same_files_when_commands_are_laid_out(
    daemon: &Daemon,
    idx: usize,
    text: &str,
) -> anyhow::Result<()> {
    let pretty = formatted(text, RunStyle::Pretty)?;
    daemon.build(&format!("pretty:{idx}"), &pretty)?;
    let before = daemon.files(&format!("before:{idx}"))?;
    let after = daemon.files(&format!("pretty:{idx}"))?;
    ensure!(!before.is_empty(), "build {idx} has no files");
    ensure!(
        before == after,
        "build {idx} has other files when it is laid out:\n{pretty}"
    );
    Ok(())
}

/// Asks the frontend for a stage that is not there: it reads the whole file and says whether it could.
fn same_verdict_of_the_frontend(daemon: &Daemon) -> anyhow::Result<()> {
    let Some(corpus) = test_support::open_corpus() else {
        println!("SKIPPED: the frontend's verdict on real files (no corpus)");
        return Ok(());
    };
    let list = fs::read_to_string(corpus.join("open_core.txt")).context("no open_core.txt")?;
    let paths: Vec<&str> = list.lines().collect();
    let mut count = 0;
    let mut accepted = 0;
    for path in paths.iter().step_by((paths.len() / FRONTEND_FILES).max(1)) {
        let Ok(text) = fs::read_to_string(corpus.join(path)) else {
            continue;
        };
        let before = daemon.verdict(&text)?;
        let after = daemon.verdict(&formatted(&text, RunStyle::Pretty)?)?;
        ensure!(
            before == after,
            "{path}: the frontend said {before:?}, now {after:?}"
        );
        count += 1;
        accepted += usize::from(before.contains("could not be found"));
    }
    ensure!(
        accepted * 2 > count,
        "the frontend accepts only {accepted} of {count} files"
    );
    println!(
        "{count} real files: the frontend says the same before and after; it accepts {accepted}"
    );
    Ok(())
}
