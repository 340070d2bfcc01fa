//! Commands that install packages which they name, and need nothing of the project.

use super::package_action::{Action, Manager};
use super::package_call::PackageCall;
use super::program_call::ProgramCall;

/// Returns whether a call installs packages that it names, none of which is a file.
pub(crate) fn is_named_install(call: &PackageCall<'_>) -> bool {
    if call.action != Action::Install || call.is_fed || call.manager == Manager::Go {
        return false;
    }
    let is_local_npm = matches!(call.manager, Manager::Npm | Manager::Yarn)
        && call.group.is_none()
        && !call.has_option(&["-g", "--global"]);
    let reads_file = call.has_option(&[
        "-r",
        "--requirement",
        "-e",
        "--editable",
        "-c",
        "--constraint",
    ]);
    let mut packages = call.packages().peekable();
    if is_local_npm || (reads_file && call.manager == Manager::Pip) || packages.peek().is_none() {
        return false;
    }
    packages.all(|package| {
        let name = package.value();
        !name.contains(['/', '*']) && !name.starts_with(['.', '$', '"']) && !is_package_file(name)
    })
}

fn is_package_file(name: &str) -> bool {
    [
        ".deb", ".rpm", ".apk", ".whl", ".gz", ".tgz", ".zip", ".gem", ".txt",
    ]
    .iter()
    .any(|extension| name.ends_with(extension))
}

/// Returns whether a call does nothing but install packages or clean up behind that; `packages` are in the order of the
/// file.
pub(crate) fn is_installing(call: &ProgramCall<'_>, packages: &[PackageCall<'_>]) -> bool {
    let start = call.command.range.start();
    let at = packages.partition_point(|package| package.command.range.start() < start);
    let package = packages
        .get(at)
        .filter(|package| package.command.range == call.command.range);
    match package {
        Some(package) => {
            is_named_install(package)
                || matches!(
                    package.action,
                    Action::Refresh | Action::Clean | Action::Upgrade | Action::DistributionUpgrade
                )
        }
        None => call.is(&[
            "rm",
            "set",
            "true",
            "export",
            "apt-mark",
            "ldconfig",
            "locale-gen",
        ]),
    }
}
