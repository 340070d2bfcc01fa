//! Which crate may name which crate of other people.
//!
//! A heavy or dangerous dependency has one owner, so that it can be replaced in one place.

use super::Report;
use super::crate_arrows::is_ours;
use super::manifests::{Dependency, Manifest};

/// Who may use a crate outside of tests. A new row is a design change: say so in the commit.
const OWNERS: &[(&str, &[&str])] = &[
    ("rowan", &["dockerfile-syntax"]),
    ("logos", &["dockerfile-syntax"]),
    ("text-size", &["dockerfile-source"]),
    ("codespan-reporting", &["dockerfile-report"]),
    ("similar", &["dockerfile-report"]),
    (
        "serde_json",
        &[
            "dockerfile-report",
            "oci-image",
            "oci-registry",
            "build-sandbox",
            "dockerfile-build",
            "dfbuild",
            "dfls",
        ],
    ),
    ("clap", &["dflint", "dfls", "dfbuild"]),
    ("clap_complete", &["dfbuild"]),
    ("signal-hook", &["dfbuild"]),
    ("anyhow", &["dflint", "dfls", "dfbuild"]),
    ("mimalloc", &["dflint"]),
    ("ignore", &["dflint"]),
    (
        "tempfile",
        &["dflint", "oci-image", "dockerfile-build", "dfbuild", "dfls"],
    ),
    ("serde-saphyr", &["dfls"]),
    ("hcl-edit", &["dfls"]),
    ("toml", &["dockerfile-config"]),
    ("ec4rs", &["dockerfile-config"]),
    (
        "serde",
        &[
            "dockerfile-config",
            "oci-image",
            "build-sandbox",
            "dockerfile-build",
            "dfls",
        ],
    ),
    (
        "tar",
        &["oci-image", "dockerfile-build", "dfbuild", "test-support"],
    ),
    ("sha2", &["oci-image", "dockerfile-build", "test-support"]),
    ("flate2", &["oci-image", "test-support"]),
    ("ring", &["oci-image"]),
    ("zstd", &["oci-image"]),
    ("lzma-rust2", &["oci-image"]),
    ("bzip2", &["oci-image"]),
    ("ureq", &["oci-registry"]),
    ("base64", &["oci-registry"]),
    ("postcard", &["oci-image", "dockerfile-build"]),
    ("blake3", &["dockerfile-build"]),
    (
        "rustix",
        &[
            "oci-image",
            "image-facts",
            "dockerfile-build",
            "dfbuild",
            "dfls",
        ],
    ),
    ("libc", &["build-sandbox"]),
    ("nix", &["build-sandbox"]),
    ("rustls", &["oci-registry"]),
    ("ruzstd", &["test-support"]),
    ("tower-lsp", &["dfls"]),
    ("tower-service", &["dfls"]),
    ("futures-util", &["dfls"]),
    ("tokio", &["dfls"]),
];

/// Small, pure and without a danger to own.
const FREE: &[&str] = &["memchr", "rustc-hash", "smol_str", "thiserror"];

/// For tests anywhere.
const FOR_TESTS: &[&str] = &["insta", "proptest", "serde_json", "tempfile"];

/// Tools of the developers: they may use what they like.
const OUTSIDE: &[&str] = &["xtask", "workspace-tests"];
/// Checked against the program that it is built from.
const ROOT_PACKAGE: &str = "dflint-pre-commit";

pub(super) fn check(manifests: &[Manifest], report: &mut Report) {
    for manifest in manifests {
        let name = manifest.name.as_str();
        if OUTSIDE.contains(&name) || name == ROOT_PACKAGE {
            continue;
        }
        for dependency in &manifest.dependencies {
            if !is_ours(&dependency.name) && !may_use(name, dependency) {
                let message = format!(
                    "`{name}` may not use `{}`: its owners are in \
                     crates/xtask/src/tidy/dependency_owners.rs",
                    dependency.name
                );
                report.fault(&manifest.path, message);
            }
        }
    }
}

fn may_use(crate_name: &str, dependency: &Dependency) -> bool {
    let name = dependency.name.as_str();
    let owners = OWNERS.iter().find(|(owned, _)| *owned == name);
    FREE.contains(&name)
        || (dependency.is_dev && FOR_TESTS.contains(&name))
        || owners.is_some_and(|(_, owners)| owners.contains(&crate_name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(crate_name: &str, name: &str, is_dev: bool) -> bool {
        may_use(
            crate_name,
            &Dependency {
                name: name.to_owned(),
                is_dev,
            },
        )
    }

    #[test]
    fn the_tree_library_has_one_owner() {
        assert!(allowed("dockerfile-syntax", "rowan", false));
        assert!(!allowed("dockerfile-lint", "rowan", false));
        assert!(!allowed("dockerfile-lint", "rowan", true));
    }

    #[test]
    fn a_test_may_read_answers() {
        assert!(allowed("dockerfile-model", "serde_json", true));
        assert!(!allowed("dockerfile-model", "serde_json", false));
    }

    #[test]
    fn an_unknown_crate_needs_a_row() {
        assert!(!allowed("dockerfile-model", "left-pad", false));
    }
}
