//! Which words of a command are packages to install.

use dockerfile_syntax::SyntaxKind;
use dockerfile_syntax::ast::{AstNode as _, Word};

use crate::parts::Part;

/// A call of a package manager.
#[derive(Clone, Copy)]
pub(super) struct PackageCall {
    /// The index of the first word behind the options.
    pub(super) first_package: usize,
}

/// Programs, and the verbs behind which packages stand.
const MANAGERS: &[(&str, &[&str])] = &[
    ("apt", &["install", "remove", "purge", "build-dep"]),
    ("apt-get", &["install", "remove", "purge", "build-dep"]),
    ("aptitude", &["install", "remove", "purge"]),
    ("apk", &["add", "del"]),
    ("conda", &["install"]),
    ("dnf", &["install", "remove", "erase", "groupinstall"]),
    ("docker-php-ext-install", &[]),
    ("mamba", &["install"]),
    ("microdnf", &["install", "remove"]),
    ("micromamba", &["install"]),
    ("npm", &["install", "i", "add"]),
    ("pecl", &["install"]),
    ("pip", &["install"]),
    ("pip3", &["install"]),
    ("pnpm", &["add", "install"]),
    ("tdnf", &["install", "remove"]),
    ("yarn", &["add"]),
    ("yum", &["install", "remove", "erase", "groupinstall"]),
    ("zypper", &["install", "in", "remove"]),
];

/// Options whose value is a word of its own.
const WITH_VALUE: &[&str] = &[
    "-X",
    "-c",
    "--channel",
    "--constraint",
    "--extra-index-url",
    "-f",
    "--find-links",
    "-i",
    "--index-url",
    "-n",
    "--name",
    "-o",
    "--option",
    "-p",
    "--prefix",
    "--python",
    "-r",
    "--repository",
    "--requirement",
    "--root",
    "-t",
    "--target",
    "--target-release",
    "--trusted-host",
    "--virtual",
];

/// Words in front of the program that leave it the program.
const PREFIXES: &[&str] = &[
    "sudo", "env", "exec", "command", "time", "python", "python3", "-m", "uv",
];

/// Returns where the packages begin when this is a call of a package manager with any.
pub(super) fn package_call(list: &[Part<'_>]) -> Option<PackageCall> {
    let mut idx = list.iter().position(|part| {
        part.kind() == SyntaxKind::WORD
            && !plain(part).is_some_and(|word| PREFIXES.contains(&word) || word.contains('='))
    })?;
    let program = plain(list.get(idx)?)?;
    let program = program.rsplit('/').next().unwrap_or(program);
    let (_, verbs) = MANAGERS.iter().find(|(name, _)| *name == program)?;
    idx += 1;
    if !verbs.is_empty() {
        let mut rest = list.get(idx..)?.iter();
        let verb = rest.position(|part| plain(part).is_some_and(|word| verbs.contains(&word)))?;
        // Between the program and its verb there are options only, and `global` of yarn.
        let is_between = |part: &Part<'_>| {
            plain(part)
                .is_some_and(|word| word.starts_with('-') || word == "global" || word.contains('='))
                || part.kind() != SyntaxKind::WORD
        };
        if !list.get(idx..idx + verb)?.iter().all(is_between) {
            return None;
        }
        idx += verb + 1;
    }
    let call = PackageCall { first_package: idx };
    while let Some(part) = list.get(idx) {
        let is_option = part.kind() != SyntaxKind::WORD
            || plain(part).is_some_and(|word| word.starts_with('-'));
        if !is_option {
            break;
        }
        idx += if call.takes_value(part) { 2 } else { 1 };
    }
    (idx < list.len()).then_some(PackageCall { first_package: idx })
}

impl PackageCall {
    /// Returns whether the word behind this one belongs to it.
    #[allow(clippy::unused_self)]
    pub(super) fn takes_value(self, part: &Part<'_>) -> bool {
        plain(part).is_some_and(|word| WITH_VALUE.contains(&word))
    }
}

fn plain<'t>(part: &Part<'t>) -> Option<&'t str> {
    Word::cast(part.element.into_node()?)?.plain_text()
}
