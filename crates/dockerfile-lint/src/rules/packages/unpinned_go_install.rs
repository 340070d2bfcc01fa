use dockerfile_model::Keyword;

use super::is_path_or_url;
use crate::RuleContext;
use crate::facts::package_action::{Action, Manager};
use crate::facts::package_call::{PackageCall, by_script};
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds Go programs that are installed or run in whatever version is current.
    ///
    /// ## Why
    /// `go install example.com/tool@latest` gives another program tomorrow.
    /// Without a version, Go takes the one that `go.mod` names, and fails where there is no `go.mod`.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM golang:1.23
    /// RUN go install golang.org/x/tools/cmd/stringer@latest
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM golang:1.23
    /// RUN go install golang.org/x/tools/cmd/stringer@v0.24.0
    /// ```
    ///
    /// ## Limits
    /// A package without `@` is judged only where nothing was copied into the stage before and no `cd` stands in front: there may be a `go.mod` otherwise.
    /// Branches count as versions, except for `@latest`, `@upgrade`, `@patch`, `@master`, `@main` and `@HEAD`.
    /// On 22,777 public Dockerfiles it fires 541 times; of 50 read, 2 were wrong (the base image brought the sources along).
    pub(crate) UNPINNED_GO_INSTALL {
        name: "unpinned-go-install",
        code: "DF819",
        aliases: ["DL3062"],
        severity: Info,
        status: OptIn,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    for calls in by_script(ctx.package_calls()) {
        let mut may_have_module = None;
        for call in calls {
            if call.manager != Manager::Go || call.action != Action::Install {
                continue;
            }
            let module_from =
                *may_have_module.get_or_insert_with(|| first_module_position(ctx, call));
            check_call(ctx, call, module_from <= call.position);
        }
    }
}

fn check_call(ctx: &mut RuleContext<'_>, call: &PackageCall<'_>, may_have_module: bool) {
    // What stands behind the package that is run is for the program.
    let is_run = call.subcommand_name() == "run";
    let most = if is_run { 1 } else { usize::MAX };
    for package in call.packages().take(most) {
        let Some(name) = package.literal() else {
            continue;
        };
        let path = match name.split_once('@') {
            Some((path, "latest" | "upgrade" | "patch" | "master" | "main" | "HEAD")) => path,
            None if is_remote(name) && !may_have_module => name,
            _ => continue,
        };
        ctx.report(package.range, format!("`{name}` is not a fixed version"))
            .help(format!("write `{path}@VERSION`"));
        return;
    }
}

/// Returns whether a path starts with the name of a host.
fn is_remote(package: &str) -> bool {
    let host = package.split_once('/').map_or("", |(host, _)| host);
    host.contains('.') && !is_path_or_url(package) && !package.ends_with(".go")
}

/// Returns the place of the first command of a script for which there may be a `go.mod` that names the versions.
fn first_module_position(ctx: &RuleContext<'_>, call: &PackageCall<'_>) -> usize {
    let at = call.instruction.id;
    let is_copied = [Keyword::Copy, Keyword::Add]
        .iter()
        .any(|keyword| ctx.model().last_before(*keyword, at).is_some());
    let is_mounted = call
        .instruction
        .mounts()
        .any(|mount| mount.mount_type() == "bind");
    if is_copied || is_mounted {
        return 0;
    }
    call.script
        .commands
        .iter()
        .position(|command| command.is(&["cd", "git", "pushd"]))
        .unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::UNPINNED_GO_INSTALL as RULE;
    use crate::testing::{check_clean, check_fires};

    #[test]
    fn points_at_the_package() {
        check_fires(
            &RULE,
            "FROM golang:1\nRUN go install -tags x «example.com/a@latest» && go get «example.com/b»\n",
        );
        check_fires(
            &RULE,
            "FROM golang:1\nRUN go run «example.com/a» x@latest\n",
        );
    }

    #[test]
    fn versions_and_local_packages_are_fine() {
        check_clean(
            &RULE,
            "FROM golang:1\nRUN go install example.com/a@v1 . ./b && go run ./c/d && go run x.go\n",
        );
    }

    #[test]
    fn a_module_names_the_versions() {
        check_clean(
            &RULE,
            "FROM golang:1\nCOPY go.mod .\nRUN go install example.com/a\n",
        );
        check_clean(
            &RULE,
            "FROM golang:1\nRUN cd $(mktemp -d) && go mod init x && go get example.com/a\n",
        );
    }
}
