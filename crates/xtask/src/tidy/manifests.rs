//! What the Cargo.toml files say.

use std::collections::BTreeSet;

use anyhow::Context;
use toml::{Table, Value};

use super::Report;
use crate::workspace::RepositoryFile;

/// The package at the root and the program that it installs.
const ROOT_PACKAGE: &str = "dflint-pre-commit";
const ROOT_PROGRAM: &str = "dflint";

pub(super) struct Manifest {
    pub(super) path: String,
    pub(super) name: String,
    pub(super) dependencies: Vec<Dependency>,
}

pub(super) struct Dependency {
    pub(super) name: String,
    pub(super) is_dev: bool,
}

/// Reads every manifest of the repository.
pub(super) fn read(files: &[RepositoryFile]) -> anyhow::Result<Vec<Manifest>> {
    files
        .iter()
        .filter(|file| file.path == "Cargo.toml" || file.path.ends_with("/Cargo.toml"))
        .map(|file| parse(&file.path, &file.text))
        .collect()
}

fn parse(path: &str, text: &str) -> anyhow::Result<Manifest> {
    let table: Table = text
        .parse()
        .with_context(|| format!("cannot parse {path}"))?;
    let name = table
        .get("package")
        .and_then(|package| package.get("name"))
        .and_then(Value::as_str)
        .unwrap_or_default();
    let mut dependencies = Vec::new();
    collect_dependencies(&table, &mut dependencies);
    if let Some(targets) = table.get("target").and_then(Value::as_table) {
        for target in targets.values().filter_map(Value::as_table) {
            collect_dependencies(target, &mut dependencies);
        }
    }
    Ok(Manifest {
        path: path.to_owned(),
        name: name.to_owned(),
        dependencies,
    })
}

fn collect_dependencies(table: &Table, dependencies: &mut Vec<Dependency>) {
    for (section, is_dev) in [
        ("dependencies", false),
        ("build-dependencies", false),
        ("dev-dependencies", true),
    ] {
        let Some(entries) = table.get(section).and_then(Value::as_table) else {
            continue;
        };
        for (key, value) in entries {
            let package = value.get("package").and_then(Value::as_str);
            dependencies.push(Dependency {
                name: package.unwrap_or(key).to_owned(),
                is_dev,
            });
        }
    }
}

/// Checks that the package at the root, which pre-commit installs, can build the program whose source it shares.
pub(super) fn check_root_package(manifests: &[Manifest], report: &mut Report) {
    let find = |name| manifests.iter().find(|manifest| manifest.name == name);
    let (Some(root), Some(program)) = (find(ROOT_PACKAGE), find(ROOT_PROGRAM)) else {
        report.fault("Cargo.toml", "the root package or `dflint` is gone");
        return;
    };
    let needed = normal_dependencies(program);
    let present = normal_dependencies(root);
    for name in needed.difference(&present) {
        let message = format!("add `{name}.workspace = true`: `dflint` has come to need it");
        report.fault(&root.path, message);
    }
    for name in present.difference(&needed) {
        report.fault(
            &root.path,
            format!("remove `{name}`: `dflint` does not need it"),
        );
    }
}

fn normal_dependencies(manifest: &Manifest) -> BTreeSet<&str> {
    manifest
        .dependencies
        .iter()
        .filter(|dependency| !dependency.is_dev)
        .map(|dependency| dependency.name.as_str())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_renamed_dev_and_target_dependencies() {
        let manifest = parse(
            "Cargo.toml",
            "[package]\nname = 'a'\n[dependencies]\nb = { package = 'c', version = '1' }\n\
             [dev-dependencies]\nd = '1'\n[target.'cfg(unix)'.dependencies]\ne = '1'\n",
        );
        let manifest = manifest.expect("it is valid");
        let found: Vec<(&str, bool)> = manifest
            .dependencies
            .iter()
            .map(|dependency| (dependency.name.as_str(), dependency.is_dev))
            .collect();
        assert_eq!(found, [("c", false), ("d", true), ("e", false)]);
    }

    #[test]
    fn the_root_package_follows_the_program() {
        let manifests = [
            parse(
                "Cargo.toml",
                "package.name = 'dflint-pre-commit'\ndependencies.old = '1'\n",
            ),
            parse(
                "d/Cargo.toml",
                "package.name = 'dflint'\ndependencies.new = '1'\n",
            ),
        ];
        let manifests: Vec<Manifest> = manifests.into_iter().flatten().collect();
        let mut report = Report::default();
        check_root_package(&manifests, &mut report);
        assert_eq!(report.faults.len(), 2, "{:?}", report.faults);
    }
}
