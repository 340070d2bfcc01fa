//! `cargo xtask ready`: the one command before a commit.

use std::process::Command;
use std::time::Instant;

use crate::command::{cargo, shown, succeeds};
use crate::workspace::Workspace;
use crate::{docs, tidy};

/// Runs every check, also behind one that fails, and returns whether all passed. `has_tested` is for those who have run `cargo test` already.
pub(crate) fn ready(workspace: &Workspace, has_tested: bool) -> anyhow::Result<bool> {
    let cargo = |arguments: &[&str]| cargo(&workspace.root, arguments);
    let mut summary = Summary::default();
    summary.command("format", cargo(&["fmt", "--all", "--check"]))?;
    summary.command(
        "clippy",
        cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]),
    )?;
    if !has_tested {
        summary.command("tests", cargo(&["test", "--workspace", "--no-fail-fast"]))?;
    }
    summary.step("tidy", || tidy::print(&tidy::tidy(workspace)?))?;
    summary.step("docs --check", || docs::docs(workspace, true))?;
    Ok(summary.print())
}

#[derive(Default)]
struct Summary {
    steps: Vec<(&'static str, bool, f64)>,
}

impl Summary {
    fn command(&mut self, name: &'static str, mut command: Command) -> anyhow::Result<()> {
        println!("== {name}: {}", shown(&command));
        self.step(name, || succeeds(&mut command))
    }

    fn step(
        &mut self,
        name: &'static str,
        run: impl FnOnce() -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        let start = Instant::now();
        let passed = run()?;
        self.steps
            .push((name, passed, start.elapsed().as_secs_f64()));
        Ok(())
    }

    fn print(&self) -> bool {
        println!();
        for (name, passed, seconds) in &self.steps {
            let verdict = if *passed { "ok    " } else { "FAILED" };
            println!("{verdict}  {name:<14} {seconds:>6.1} s");
        }
        let failed: Vec<&str> = self
            .steps
            .iter()
            .filter(|(_, passed, _)| !passed)
            .map(|(name, ..)| *name)
            .collect();
        if failed.is_empty() {
            println!("ready");
        } else {
            println!("not ready: {}", failed.join(", "));
        }
        failed.is_empty()
    }
}
