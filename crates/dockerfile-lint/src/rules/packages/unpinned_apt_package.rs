use super::{is_path_or_url, report_unpinned};
use crate::RuleContext;
use crate::facts::package_action::Action;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds packages that apt-get installs in whatever version is current.
    ///
    /// ## Why
    /// The same Dockerfile gives another image tomorrow.
    /// Whether that is wanted is a matter of policy: Debian and Ubuntu delete old versions from their archives, so a pinned version stops building after the next security update.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM debian:12
    /// RUN apt-get install -y curl
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM debian:12
    /// RUN apt-get install -y curl=7.88.1-10+deb12u8
    /// ```
    ///
    /// ## Limits
    /// One finding a call, at the first package without a version.
    /// Variables, files and `package/release` are not judged.
    /// On 22,777 public Dockerfiles it fires 17129 times; of 50 read, none was wrong.
    pub(crate) UNPINNED_APT_PACKAGE {
        name: "unpinned-apt-package",
        code: "DF805",
        aliases: ["DL3008"],
        severity: Info,
        status: OptIn,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    for call in ctx.package_calls() {
        if call.manager.is_apt() && call.action == Action::Install {
            report_unpinned(ctx, call, is_unpinned, |name| {
                format!(
                    "write `{name}=VERSION`; `apt-cache policy {name}` shows the versions there are"
                )
            });
        }
    }
}

fn is_unpinned(package: &str) -> bool {
    !package.contains(['=', '/', '*', '^'])
        && !is_path_or_url(package)
        && !package.ends_with(".deb")
        && !package.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::UNPINNED_APT_PACKAGE as RULE;
    use crate::testing::{check_clean, check_fires, check_message};

    #[test]
    fn points_at_the_first_package_without_a_version() {
        check_fires(
            &RULE,
            "FROM debian:12\nRUN apt-get install -y -t x a=1 «b» c\n",
        );
    }

    #[test]
    fn counts_the_others() {
        check_message(
            &RULE,
            "FROM debian:12\nRUN apt-get install -y a b c\n",
            "`a` and 2 more packages are installed without a version",
        );
    }

    #[test]
    fn versions_files_and_variables_are_not_judged() {
        check_clean(
            &RULE,
            "FROM debian:12\nRUN apt-get -yqq install a=0.10 ./b_1.deb c.deb $PACKAGES d/stable e-\n",
        );
        check_clean(&RULE, "FROM debian:12\nRUN apt-get update\n");
    }
}
