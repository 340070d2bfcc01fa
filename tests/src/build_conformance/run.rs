//! Runs the cases, several at once, and says what differs.

use std::env;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::Value;
use tempfile::TempDir;

use crate::bases::Bases;
use crate::builder::{Builder, Outcome, Place};
use crate::case::{self, Case};
use crate::context;
use crate::judge::{self, Aspect, DiffIds, Difference};
use crate::peer;
use crate::skips::Skips;
use crate::summary::Summary;

const SKIPS: &str = "tests/build-conformance-skips.txt";
pub(crate) const OWN_CASES: &str = "tests/build-cases";
const SHARED_CASES: &str = "build";
const JOBS: usize = 2;
/// How much of a failing build's output is shown.
const SHOWN_LINES: usize = 6;

/// What one case came to.
pub(crate) enum Verdict {
    /// Why it could not run here.
    Skipped(String),
    Ran {
        differences: Vec<Difference>,
        diff_ids: DiffIds,
        stderr: String,
    },
}

struct Runner {
    builder: Builder,
    bases: Bases,
    work: TempDir,
    is_root: bool,
    twice: bool,
}

/// Returns whether every case is as expected or listed.
pub(crate) fn main() -> Result<bool, String> {
    let Some(builder) = Builder::find() else {
        println!("SKIPPED: build_conformance: there is no dfbuild that knows `build`");
        return Ok(true);
    };
    let root = test_support::workspace_root();
    let skips = Skips::read(&root.join(SKIPS))?;
    let mut sets = vec![("own", case::cases(&root.join(OWN_CASES))?)];
    match test_support::conformance() {
        // Recording is for our own cases alone; the reference's are not even looked at.
        _ if env::var_os("BUILD_RECORD").is_some() => {}
        Some(folder) => sets.push(("shared", case::cases(&folder.join(SHARED_CASES))?)),
        None => test_support::skipped("build_conformance", "conformance/build"),
    }
    let names: Vec<String> = sets
        .iter()
        .flat_map(|(_, cases)| cases.iter().map(|case| case.name.clone()))
        .collect();
    let filters = filters(&names);
    let runner = Runner {
        builder,
        bases: Bases::find()?,
        work: tempfile::tempdir().map_err(|e| e.to_string())?,
        is_root: rustix::process::geteuid().is_root(),
        twice: is_set("BUILD_TWICE"),
    };
    let mut good = true;
    let mut counts = Vec::new();
    for (set, cases) in &sets {
        let cases: Vec<&Case> = cases.iter().filter(|case| wanted(case, &filters)).collect();
        let summary = run_set(&cases, &runner, &skips);
        summary.print(set);
        counts.push(summary.to_json(set));
        good &= summary.is_good();
    }
    if let Some(file) = env::var_os("BUILD_SUMMARY") {
        fs::write(file, Value::Array(counts).to_string()).map_err(|e| e.to_string())?;
    }
    let all_there = sets.len() == 2 && filters.is_empty();
    for name in skips
        .names()
        .filter(|name| !names.iter().any(|n| n == name))
    {
        if all_there {
            println!("FAIL {name} is in {SKIPS}, but there is no such case");
            good = false;
        }
    }
    Ok(good)
}

fn is_set(variable: &str) -> bool {
    env::var_os(variable).is_some_and(|value| value == "1")
}

fn filters(names: &[String]) -> Vec<String> {
    let mut filters: Vec<String> = env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    filters.extend(env::var("BUILD_CASE").ok());
    // A whole name means that case only.
    if filters.iter().any(|filter| names.contains(filter)) {
        filters = filters.iter().map(|filter| format!("={filter}")).collect();
    }
    filters
}

fn wanted(case: &Case, filters: &[String]) -> bool {
    filters.is_empty()
        || filters.iter().any(|filter| match filter.strip_prefix('=') {
            Some(name) => case.name == name,
            None => case.name.contains(filter.as_str()),
        })
}

fn run_set(cases: &[&Case], runner: &Runner, skips: &Skips) -> Summary {
    let next = AtomicUsize::new(0);
    let summary = Mutex::new(Summary::default());
    let jobs = env::var("BUILD_JOBS")
        .ok()
        .and_then(|jobs| jobs.parse().ok())
        .unwrap_or(JOBS);
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let verdict = runner.run(case);
                    if let Ok(mut summary) = summary.lock() {
                        report(case, verdict, skips, &mut summary);
                    }
                }
            });
        }
    });
    summary.into_inner().unwrap_or_default()
}

fn report(case: &Case, verdict: Verdict, skips: &Skips, summary: &mut Summary) {
    let (mut differences, diff_ids, stderr) = match verdict {
        Verdict::Skipped(why) => {
            summary.skipped(case, &why);
            return;
        }
        Verdict::Ran {
            differences,
            diff_ids,
            stderr,
        } => (differences, diff_ids, stderr),
    };
    let unused = skips.take_out(&case.name, &mut differences);
    for aspect in &unused {
        println!(
            "FAIL {}: {aspect} is as expected, but in {SKIPS}",
            case.name
        );
    }
    if !differences.is_empty() {
        println!("FAIL {}", case.name);
    }
    for difference in &differences {
        println!("    {}: {}", difference.aspect, difference.text);
    }
    let failed_to_build = differences.iter().any(|d| d.aspect == Aspect::Build);
    if failed_to_build || (!differences.is_empty() && is_set("BUILD_KEEP")) {
        let lines: Vec<&str> = stderr.lines().filter(|l| !l.trim().is_empty()).collect();
        for line in &lines[lines.len().saturating_sub(SHOWN_LINES)..] {
            println!("    | {line}");
        }
    }
    let good = differences.is_empty() && unused.is_empty();
    summary.ran(case, &differences, good, skips.has(&case.name), diff_ids);
}

impl Runner {
    fn run(&self, case: &Case) -> Verdict {
        let description = &case.description;
        if description.needs_root && !self.is_root {
            return Verdict::Skipped("wants root".to_owned());
        }
        let missing = description
            .bases
            .iter()
            .find(|base| self.bases.get(base).is_none());
        if let Some(base) = missing {
            return Verdict::Skipped(format!(
                "no base image {base} (cargo xtask bases, with --all for debian)"
            ));
        }
        let folder = self.work.path().join(&case.name);
        let verdict = self.run_in(case, &folder).unwrap_or_else(|message| {
            let differences = vec![Difference {
                aspect: Aspect::Build,
                text: format!("the test itself: {message}"),
            }];
            ran(differences, DiffIds::default(), String::new())
        });
        // It is under the folder that the test removes at its end anyway.
        let _ = fs::remove_dir_all(&folder);
        verdict
    }

    fn run_in(&self, case: &Case, folder: &Path) -> Result<Verdict, String> {
        context::prepare(case, &folder.join("context"))?;
        let dockerfiles = [case.description.dockerfile.clone(), {
            format!("{}.dockerignore", case.description.dockerfile)
        }];
        for name in dockerfiles
            .iter()
            .filter(|name| !name.starts_with("context/"))
        {
            let source = case.folder.join(name);
            if source.is_file() {
                fs::copy(source, folder.join(name)).map_err(|e| e.to_string())?;
            }
        }
        // A cache mount starts empty, as it did when the expectations were made.
        let own_store = case.dockerfile_text().contains("type=cache");
        let store = if own_store {
            folder.join("store")
        } else {
            self.work.path().join("store")
        };
        let place = Place {
            folder,
            store: &store,
            mirror: &self.bases.mirror,
        };
        let outcome = self.builder.build(case, &place, false);
        if let (Ok(_), Some(Ok(image))) = (env::var("BUILD_RECORD"), &outcome.image) {
            let base = case.description.final_base.as_deref().unwrap_or("scratch");
            if let Some(base) = self.bases.get(base) {
                peer::record(case, image, base)?;
            }
        }
        let Outcome {
            exit_code,
            stderr,
            image,
        } = outcome;
        if case.must_fail() {
            let differences = judge::failure(case, exit_code, &stderr);
            return Ok(ran(differences, DiffIds::default(), stderr));
        }
        let image = match image {
            Some(Ok(image)) => image,
            Some(Err(text)) => return Ok(build_fault(text, stderr)),
            None => {
                let code = exit_code.map_or_else(|| "a signal".to_owned(), |c| c.to_string());
                return Ok(build_fault(format!("it fails ({code})"), stderr));
            }
        };
        let base_name = case.description.final_base.as_deref().unwrap_or("scratch");
        let base = self.bases.get(base_name).ok_or("the case has no base")?;
        let (mut differences, diff_ids) = judge::image(case, &image, base.layers, &base.tree);
        if self.twice {
            let again = self.builder.build(case, &place, true);
            let digest = match &again.image {
                Some(Ok(again)) => again.digest.clone(),
                Some(Err(text)) => text.clone(),
                None => format!("it fails: {}", again.stderr),
            };
            if digest != image.digest {
                differences.push(Difference {
                    aspect: Aspect::Again,
                    text: format!("{digest}, not {}", image.digest),
                });
            }
        }
        Ok(ran(differences, diff_ids, stderr))
    }
}

fn ran(differences: Vec<Difference>, diff_ids: DiffIds, stderr: String) -> Verdict {
    Verdict::Ran {
        differences,
        diff_ids,
        stderr,
    }
}

fn build_fault(text: String, stderr: String) -> Verdict {
    let differences = vec![Difference {
        aspect: Aspect::Build,
        text,
    }];
    ran(differences, DiffIds::default(), stderr)
}
