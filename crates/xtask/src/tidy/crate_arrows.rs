//! Which crate may use which: arrows point down only.

use super::Report;
use super::manifests::Manifest;

/// The rooms of the house, from the ground up. `docs/architecture.md` says what each is for.
///
/// A new row or arrow is a design change: say so in the commit.
const ARROWS: &[(&str, &[&str])] = &[
    ("dockerfile-source", &[]),
    ("oci-image", &[]),
    ("build-sandbox", &[]),
    ("dockerfile-syntax", &["dockerfile-source"]),
    ("oci-registry", &["oci-image"]),
    ("dockerfile-report", &["dockerfile-source"]),
    (
        "dockerfile-model",
        &["dockerfile-syntax", "dockerfile-source"],
    ),
    (
        "dockerfile-format",
        &["dockerfile-model", "dockerfile-syntax", "dockerfile-source"],
    ),
    (
        "dockerfile-lint",
        &["dockerfile-model", "dockerfile-syntax", "dockerfile-source"],
    ),
    ("image-facts", &["dockerfile-model", "oci-image"]),
    (
        "dockerfile-build",
        &[
            "dockerfile-model",
            "dockerfile-syntax",
            "dockerfile-source",
            "oci-image",
            "oci-registry",
            "build-sandbox",
        ],
    ),
    (
        "dockerfile-config",
        &["dockerfile-lint", "dockerfile-format", "dockerfile-source"],
    ),
    (
        "dockerfile-ide",
        &[
            "dockerfile-lint",
            "dockerfile-format",
            "dockerfile-model",
            "dockerfile-syntax",
            "dockerfile-source",
        ],
    ),
    (
        "dfls",
        &[
            "dockerfile-ide",
            "dockerfile-config",
            "dockerfile-build",
            "image-facts",
            "oci-image",
            "dockerfile-lint",
            "dockerfile-source",
        ],
    ),
    (
        "dflint",
        &[
            "dockerfile-config",
            "dockerfile-lint",
            "dockerfile-format",
            "dockerfile-report",
            "dockerfile-syntax",
            "dockerfile-source",
            "image-facts",
        ],
    ),
    (
        "dfbuild",
        &[
            "dockerfile-build",
            "oci-image",
            "oci-registry",
            "dockerfile-lint",
            "dockerfile-report",
            "dockerfile-source",
        ],
    ),
    ("test-support", &["dockerfile-source"]),
];

/// May use every room; nothing uses them.
const OUTSIDE: &[&str] = &["xtask", "workspace-tests", "dflint-pre-commit"];
const DEV_ONLY: &str = "test-support";

pub(super) fn check(manifests: &[Manifest], report: &mut Report) {
    for manifest in manifests {
        if OUTSIDE.contains(&manifest.name.as_str()) {
            continue;
        }
        let Some(allowed) = allowed_arrows(&manifest.name) else {
            let message = format!(
                "`{}` has no row in crates/xtask/src/tidy/crate_arrows.rs",
                manifest.name
            );
            report.fault(&manifest.path, message);
            continue;
        };
        for dependency in &manifest.dependencies {
            let name = dependency.name.as_str();
            let is_allowed = allowed.contains(&name) || (name == DEV_ONLY && dependency.is_dev);
            if is_ours(name) && !is_allowed {
                let message = format!("`{}` may not use `{name}`", manifest.name);
                report.fault(&manifest.path, message);
            }
        }
    }
}

/// Returns whether a crate is part of this repository, or will be.
pub(super) fn is_ours(name: &str) -> bool {
    allowed_arrows(name).is_some() || OUTSIDE.contains(&name)
}

fn allowed_arrows(name: &str) -> Option<&'static [&'static str]> {
    ARROWS
        .iter()
        .find(|(room, _)| *room == name)
        .map(|(_, uses)| *uses)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::manifests::Dependency;

    fn faults(name: &str, uses: &str, is_dev: bool) -> usize {
        let manifest = Manifest {
            path: String::new(),
            name: name.to_owned(),
            dependencies: vec![Dependency {
                name: uses.to_owned(),
                is_dev,
            }],
        };
        let mut report = Report::default();
        check(&[manifest], &mut report);
        report.faults.len()
    }

    #[test]
    fn arrows_point_down_only() {
        assert_eq!(faults("dockerfile-lint", "dockerfile-model", false), 0);
        assert_eq!(faults("dockerfile-model", "dockerfile-lint", false), 1);
        assert_eq!(faults("dockerfile-build", "dockerfile-lint", false), 1);
    }

    #[test]
    fn test_support_is_for_tests() {
        assert_eq!(faults("dockerfile-lint", "test-support", true), 0);
        assert_eq!(faults("dockerfile-lint", "test-support", false), 1);
    }

    #[test]
    fn every_arrow_leads_to_an_earlier_row() {
        for (idx, (name, uses)) in ARROWS.iter().enumerate() {
            for used in *uses {
                let place = ARROWS.iter().position(|(room, _)| room == used);
                assert!(place.is_some_and(|place| place < idx), "{name} -> {used}");
            }
        }
    }

    #[test]
    fn a_new_crate_needs_a_row() {
        assert_eq!(faults("dockerfile-magic", "anyhow", false), 1);
    }
}
