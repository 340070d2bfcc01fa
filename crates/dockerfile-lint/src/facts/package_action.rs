//! Package managers: how they are called, which of their options take a value, what their subcommands do.

use super::options::OptionSyntax;

/// A package manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manager {
    AptGet,
    Apt,
    Apk,
    Dnf,
    Yum,
    Microdnf,
    Zypper,
    Pip,
    Pipx,
    Npm,
    Yarn,
    Gem,
    Go,
}

/// What a subcommand of a package manager does, whatever it is called there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Installs the packages that are named, or those of a manifest.
    Install,
    /// Installs exactly what a lock file says: `npm ci`.
    CleanInstall,
    /// Installs what a source package needs to be built.
    BuildDependencies,
    /// Fetches the lists of packages.
    Refresh,
    /// Brings what is installed up to date.
    Upgrade,
    /// Does so even where packages have to go for it.
    DistributionUpgrade,
    Remove,
    /// Empties the caches.
    Clean,
    Other,
}

impl Manager {
    /// Returns the package manager that a program is.
    pub(crate) fn from_program(name: &str) -> Option<Manager> {
        Some(match name {
            "apt-get" => Manager::AptGet,
            "apt" => Manager::Apt,
            "apk" => Manager::Apk,
            "dnf" | "dnf5" | "dnf-3" => Manager::Dnf,
            "yum" => Manager::Yum,
            "microdnf" => Manager::Microdnf,
            "zypper" => Manager::Zypper,
            "pipx" => Manager::Pipx,
            "npm" => Manager::Npm,
            "yarn" | "yarnpkg" => Manager::Yarn,
            "gem" => Manager::Gem,
            "go" => Manager::Go,
            _ if is_pip(name) => Manager::Pip,
            _ => return None,
        })
    }

    /// Returns the name that messages use.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Manager::AptGet => "apt-get",
            Manager::Apt => "apt",
            Manager::Apk => "apk",
            Manager::Dnf => "dnf",
            Manager::Yum => "yum",
            Manager::Microdnf => "microdnf",
            Manager::Zypper => "zypper",
            Manager::Pip => "pip",
            Manager::Pipx => "pipx",
            Manager::Npm => "npm",
            Manager::Yarn => "yarn",
            Manager::Gem => "gem",
            Manager::Go => "go",
        }
    }

    pub(crate) fn is_apt(self) -> bool {
        matches!(self, Manager::AptGet | Manager::Apt)
    }

    /// Returns whether it reads the repositories of Fedora and Red Hat.
    pub(crate) fn is_dnf(self) -> bool {
        matches!(self, Manager::Dnf | Manager::Yum | Manager::Microdnf)
    }

    /// Returns which options take the next word as their value.
    pub(crate) fn option_syntax(self) -> OptionSyntax {
        match self {
            Manager::AptGet | Manager::Apt => APT,
            Manager::Apk => APK,
            Manager::Dnf | Manager::Yum | Manager::Microdnf => DNF,
            Manager::Zypper => ZYPPER,
            Manager::Pip | Manager::Pipx => PIP,
            Manager::Npm => NPM,
            Manager::Yarn => YARN,
            Manager::Gem => GEM,
            Manager::Go => GO,
        }
    }

    /// Returns what a subcommand does; `next` is the word behind it.
    pub(crate) fn action(self, subcommand: Option<&str>, next: Option<&str>) -> Action {
        let Some(subcommand) = subcommand else {
            return if self == Manager::Yarn {
                Action::Install
            } else {
                Action::Other
            };
        };
        match self {
            Manager::AptGet | Manager::Apt => apt_action(subcommand),
            Manager::Apk => apk_action(subcommand, next),
            Manager::Dnf | Manager::Yum | Manager::Microdnf => dnf_action(subcommand),
            Manager::Zypper => zypper_action(subcommand),
            Manager::Npm => npm_action(subcommand, next),
            Manager::Go if matches!(subcommand, "install" | "get" | "run") => Action::Install,
            Manager::Gem if subcommand == "i" => Action::Install,
            Manager::Yarn if subcommand == "add" => Action::Install,
            Manager::Pip | Manager::Pipx | Manager::Gem | Manager::Yarn => match subcommand {
                "install" => Action::Install,
                "uninstall" | "remove" => Action::Remove,
                "cache" if next.is_some_and(is_cleaning) => Action::Clean,
                "cleanup" => Action::Clean,
                _ => Action::Other,
            },
            Manager::Go => Action::Other,
        }
    }
}

/// Returns whether a name is that of pip: `pip`, `pip3`, `pip3.12`, `pip-3`.
fn is_pip(name: &str) -> bool {
    name.strip_prefix("pip").is_some_and(|version| {
        version
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'))
    })
}

/// Returns whether a name is that of Python: `python`, `python3`, `python3.12`, `pypy3`.
pub(crate) fn is_python(name: &str) -> bool {
    let version = name
        .strip_prefix("python")
        .or_else(|| name.strip_prefix("pypy"));
    version.is_some_and(|version| {
        version
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
    })
}

fn is_cleaning(word: &str) -> bool {
    matches!(word, "clean" | "purge" | "clear" | "rm" | "prune")
}

fn apt_action(subcommand: &str) -> Action {
    match subcommand {
        "install" | "reinstall" => Action::Install,
        "build-dep" => Action::BuildDependencies,
        "update" => Action::Refresh,
        "upgrade" => Action::Upgrade,
        "dist-upgrade" | "full-upgrade" => Action::DistributionUpgrade,
        "remove" | "purge" | "autoremove" | "autopurge" => Action::Remove,
        "clean" | "autoclean" | "dist-clean" | "distclean" => Action::Clean,
        _ => Action::Other,
    }
}

fn apk_action(subcommand: &str, next: Option<&str>) -> Action {
    match subcommand {
        "add" => Action::Install,
        "update" => Action::Refresh,
        "upgrade" => Action::Upgrade,
        "del" => Action::Remove,
        "cache" if next.is_some_and(is_cleaning) => Action::Clean,
        _ => Action::Other,
    }
}

fn dnf_action(subcommand: &str) -> Action {
    match subcommand {
        "install" | "in" | "localinstall" | "reinstall" | "groupinstall" | "swap" | "downgrade" => {
            Action::Install
        }
        "builddep" | "build-dep" => Action::BuildDependencies,
        "makecache" | "check-update" => Action::Refresh,
        "update" | "upgrade" | "up" | "upgrade-minimal" | "update-minimal" | "groupupdate" => {
            Action::Upgrade
        }
        "distro-sync" | "distrosync" | "dsync" => Action::DistributionUpgrade,
        "remove" | "rm" | "erase" | "autoremove" | "groupremove" => Action::Remove,
        "clean" => Action::Clean,
        _ => Action::Other,
    }
}

fn zypper_action(subcommand: &str) -> Action {
    match subcommand {
        "install" | "in" => Action::Install,
        "source-install" | "si" => Action::BuildDependencies,
        "refresh" | "ref" => Action::Refresh,
        "update" | "up" | "patch" => Action::Upgrade,
        "dist-upgrade" | "dup" => Action::DistributionUpgrade,
        "remove" | "rm" => Action::Remove,
        "clean" | "cc" => Action::Clean,
        _ => Action::Other,
    }
}

fn npm_action(subcommand: &str, next: Option<&str>) -> Action {
    match subcommand {
        "install" | "i" | "in" | "ins" | "inst" | "insta" | "instal" | "isntall" | "add" => {
            Action::Install
        }
        "ci" | "clean-install" | "ic" | "install-clean" => Action::CleanInstall,
        "update" | "up" | "upgrade" => Action::Upgrade,
        "uninstall" | "remove" | "rm" | "un" => Action::Remove,
        "cache" if next.is_some_and(is_cleaning) => Action::Clean,
        _ => Action::Other,
    }
}

const APT: OptionSyntax = OptionSyntax::new(
    "oct",
    &[
        "--option",
        "--config-file",
        "--target-release",
        "--default-release",
        "--host-architecture",
    ],
);

const APK: OptionSyntax = OptionSyntax::new(
    "Xpt",
    &[
        "--repository",
        "--root",
        "--virtual",
        "--arch",
        "--keys-dir",
        "--repositories-file",
        "--wait",
        "--cache-dir",
        "--cache-max-age",
        "--progress-fd",
        "--timeout",
    ],
);

const DNF: OptionSyntax = OptionSyntax::new(
    "cxdeR",
    &[
        "--config",
        "--exclude",
        "--excludepkgs",
        "--enablerepo",
        "--disablerepo",
        "--repo",
        "--repoid",
        "--repofrompath",
        "--setopt",
        "--releasever",
        "--installroot",
        "--enableplugin",
        "--disableplugin",
        "--comment",
        "--advisory",
        "--forcearch",
        "--downloaddir",
        "--destdir",
    ],
);

const ZYPPER: OptionSyntax = OptionSyntax::new(
    "RCDcrt",
    &[
        "--root",
        "--installroot",
        "--cache-dir",
        "--reposd-dir",
        "--config",
        "--userdata",
        "--repo",
        "--type",
        "--from",
        "--plus-repo",
    ],
);

const PIP: OptionSyntax = OptionSyntax::new(
    "rceCtifb",
    &[
        "--requirement",
        "--constraint",
        "--editable",
        "--target",
        "--platform",
        "--python-version",
        "--implementation",
        "--abi",
        "--root",
        "--prefix",
        "--src",
        "--index-url",
        "--extra-index-url",
        "--find-links",
        "--global-option",
        "--install-option",
        "--config-settings",
        "--no-binary",
        "--only-binary",
        "--progress-bar",
        "--root-user-action",
        "--report",
        "--cert",
        "--client-cert",
        "--trusted-host",
        "--cache-dir",
        "--log",
        "--proxy",
        "--retries",
        "--timeout",
        "--default-timeout",
        "--exists-action",
        "--upgrade-strategy",
        "--build",
        "--python",
        "--group",
        "--use-feature",
        "--use-deprecated",
        "--keyring-provider",
        "--pip-args",
        "--preinstall",
        "--suffix",
    ],
);

const NPM: OptionSyntax = OptionSyntax::new(
    "Cw",
    &[
        "--prefix",
        "--registry",
        "--cache",
        "--loglevel",
        "--omit",
        "--only",
        "--include",
        "--userconfig",
        "--globalconfig",
        "--tag",
        "--workspace",
        "--install-strategy",
        "--fetch-timeout",
        "--fetch-retries",
        "--fetch-retry-mintimeout",
        "--fetch-retry-maxtimeout",
        "--maxsockets",
        "--otp",
        "--network-timeout",
        "--target",
        "--target_arch",
        "--arch",
        "--platform",
    ],
);

const YARN: OptionSyntax = OptionSyntax::new(
    "",
    &[
        "--cwd",
        "--cache-folder",
        "--modules-folder",
        "--network-timeout",
        "--network-concurrency",
        "--registry",
        "--mutex",
        "--prefix",
        "--global-folder",
        "--use-yarnrc",
    ],
);

const GEM: OptionSyntax = OptionSyntax::new(
    "vinsPgp",
    &[
        "--version",
        "--install-dir",
        "--bindir",
        "--build-root",
        "--platform",
        "--source",
        "--trust-policy",
        "--file",
        "--http-proxy",
    ],
);

const GO: OptionSyntax = OptionSyntax::new(
    "Cop",
    &[
        "-tags",
        "-ldflags",
        "-gcflags",
        "-asmflags",
        "-gccgoflags",
        "-mod",
        "-modfile",
        "-buildmode",
        "-compiler",
        "-installsuffix",
        "-overlay",
        "-pgo",
        "-pkgdir",
        "-toolexec",
        "-exec",
        "-covermode",
        "-coverpkg",
    ],
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_pip_and_python_by_their_versions() {
        assert_eq!(Manager::from_program("pip3.12"), Some(Manager::Pip));
        assert_eq!(Manager::from_program("pipenv"), None);
        assert!(is_python("python3.11"));
        assert!(!is_python("python-config"));
    }

    #[test]
    fn short_names_of_subcommands_do_the_same() {
        assert_eq!(Manager::Npm.action(Some("i"), None), Action::Install);
        assert_eq!(
            Manager::Zypper.action(Some("dup"), None),
            Action::DistributionUpgrade
        );
        assert_eq!(Manager::Yarn.action(None, None), Action::Install);
        assert_eq!(Manager::Pip.action(None, None), Action::Other);
    }
}
