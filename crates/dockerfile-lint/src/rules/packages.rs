//! Rules about package managers: what they ask, what they leave behind, what they install.

mod apk_cache_left;
mod apt_get_recommends;
mod apt_get_without_yes;
mod apt_instead_of_apt_get;
mod apt_lists_left;
mod distribution_upgrade;
mod dnf_cache_left;
mod dnf_without_yes;
mod npm_install_for_ci;
mod pip_cache_left;
mod removed_package;
mod unpinned_apk_package;
mod unpinned_apt_package;
mod unpinned_dnf_package;
mod unpinned_gem;
mod unpinned_go_install;
mod unpinned_npm_package;
mod unpinned_pip_package;
mod unpinned_zypper_package;
mod yarn_cache_left;
mod zypper_cache_left;
mod zypper_interactive;

use crate::facts::package_call::PackageCall;
use crate::{Rule, RuleContext};

pub(crate) const RULES: &[&Rule] = &[
    &apt_get_without_yes::APT_GET_WITHOUT_YES,
    &apt_get_recommends::APT_GET_RECOMMENDS,
    &apt_lists_left::APT_LISTS_LEFT,
    &apt_instead_of_apt_get::APT_INSTEAD_OF_APT_GET,
    &unpinned_apt_package::UNPINNED_APT_PACKAGE,
    &apk_cache_left::APK_CACHE_LEFT,
    &unpinned_apk_package::UNPINNED_APK_PACKAGE,
    &dnf_without_yes::DNF_WITHOUT_YES,
    &dnf_cache_left::DNF_CACHE_LEFT,
    &zypper_interactive::ZYPPER_INTERACTIVE,
    &pip_cache_left::PIP_CACHE_LEFT,
    &unpinned_pip_package::UNPINNED_PIP_PACKAGE,
    &unpinned_npm_package::UNPINNED_NPM_PACKAGE,
    &distribution_upgrade::DISTRIBUTION_UPGRADE,
    &unpinned_gem::UNPINNED_GEM,
    &unpinned_dnf_package::UNPINNED_DNF_PACKAGE,
    &zypper_cache_left::ZYPPER_CACHE_LEFT,
    &npm_install_for_ci::NPM_INSTALL_FOR_CI,
    &unpinned_go_install::UNPINNED_GO_INSTALL,
    &unpinned_zypper_package::UNPINNED_ZYPPER_PACKAGE,
    &yarn_cache_left::YARN_CACHE_LEFT,
    &removed_package::REMOVED_PACKAGE,
];

/// Reports the packages of a call that have no version: once, at the first of them.
///
/// A package whose name is not written out in full is not judged.
fn report_unpinned(
    ctx: &mut RuleContext<'_>,
    call: &PackageCall<'_>,
    is_unpinned: impl Fn(&str) -> bool,
    help: impl FnOnce(&str) -> String,
) {
    let mut unpinned = call
        .packages()
        .filter(|word| word.literal().is_some_and(&is_unpinned));
    let Some(first) = unpinned.next() else {
        return;
    };
    let name = first.value();
    let message = match unpinned.count() {
        0 => format!("`{name}` is installed without a version"),
        1 => format!("`{name}` and one more package are installed without a version"),
        more => format!("`{name}` and {more} more packages are installed without a version"),
    };
    ctx.report(first.range, message).help(help(name));
}

/// Returns whether a word names a file or an address instead of a package.
fn is_path_or_url(word: &str) -> bool {
    word.starts_with(['/', '.', '~']) || word.contains("://")
}

/// Returns whether the part of a package's name behind its last `-` starts with a digit: `httpd-2.4`.
fn ends_with_version(package: &str) -> bool {
    package
        .rsplit_once('-')
        .is_some_and(|(_, version)| version.starts_with(|first: char| first.is_ascii_digit()))
}
