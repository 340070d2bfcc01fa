//! `cargo xtask fuzz`: real files, broken at random, through the parser, the rules and the fixes.
//!
//! It needs no nightly compiler and no tool: mutations of whole tokens of both languages reach further into the
//! grammars than bits that flip.

mod checks;
mod minimise;
mod mutation;
mod seeds;

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;

use self::checks::{Caps, fault};
use self::mutation::Random;
use crate::workspace::Workspace;

#[derive(Args)]
pub(crate) struct FuzzArgs {
    /// How long to go on.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Which of all runs: the same seed makes the same inputs.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// An input that breaks a promise, and which one.
struct Failure {
    input: u64,
    text: String,
    fault: String,
}

/// Runs for a while and returns whether every promise was kept.
pub(crate) fn fuzz(workspace: &Workspace, args: &FuzzArgs) -> anyhow::Result<bool> {
    let seeds = seeds::all();
    // A panic is a fault that is reported in the end, not where it happens.
    std::panic::set_hook(Box::new(|_| {}));
    let folder = workspace.path("target/fuzz");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    // What the last input was, for a fault that takes the process with it: a stack that overflows.
    let running = folder.join(format!("running-{}.Dockerfile", args.seed));
    let end = Instant::now() + Duration::from_secs(args.seconds);
    let mut tried = 0;
    let goes_on = |input: u64, text: &str| {
        tried = input;
        fs::write(&running, text).is_ok() && Instant::now() < end
    };
    // On a thread, whose stack is a quarter of what the main thread has: the server works on threads.
    let failure = thread::scope(|scope| {
        let run = scope.spawn(|| first_failure(args.seed, &seeds, Caps::default(), goes_on));
        run.join()
    });
    let failure = failure.ok().context("the fuzzer itself panicked")?;
    let _ = std::panic::take_hook();
    fs::remove_file(&running).with_context(|| format!("cannot remove {}", running.display()))?;
    let Some(failure) = failure else {
        println!("fuzz: {tried} inputs with seed {}, no fault", args.seed);
        return Ok(true);
    };
    let path = write_failure(&folder, args.seed, &failure)?;
    println!(
        "fuzz: {}\n  input {} of seed {}, made smaller: {}",
        failure.fault,
        failure.input,
        args.seed,
        path.display()
    );
    Ok(false)
}

/// Tries inputs as long as `goes_on` says so, and returns the first that fails, made smaller.
fn first_failure(
    seed: u64,
    seeds: &[String],
    caps: Caps,
    mut goes_on: impl FnMut(u64, &str) -> bool,
) -> Option<Failure> {
    for input in 0.. {
        let text = Random::new(seed, input).mutant(seeds);
        if !goes_on(input, &text) {
            break;
        }
        if let Some(found) = fault(&text, caps) {
            let text = minimise::minimise(&text, |text| {
                fault(text, caps).is_some_and(|other| other.kind == found.kind)
            });
            let fault = fault(&text, caps).unwrap_or(found).to_string();
            return Some(Failure { input, text, fault });
        }
    }
    None
}

fn write_failure(folder: &Path, seed: u64, failure: &Failure) -> anyhow::Result<PathBuf> {
    let name = format!("seed-{seed}-input-{}.Dockerfile", failure.input);
    let path = folder.join(name);
    fs::write(&path, &failure.text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_inputs_keep_every_promise() {
        const INPUTS: u64 = 250;
        let failure = first_failure(1, &seeds::all(), Caps::none(), |input, _| input < INPUTS);
        if let Some(Failure { input, text, fault }) = failure {
            panic!("input {input} of seed 1: {fault}\n{text:?}");
        }
    }
}
