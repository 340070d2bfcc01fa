//! `cargo xtask docs`: the pages under docs/ that are made from code.

mod rule_pages;
mod rule_source;

use std::collections::BTreeMap;
use std::fs;

use anyhow::Context;

use crate::workspace::Workspace;

const RULES_FOLDER: &str = "docs/rules";

/// Writes the generated pages, or with `check` only says which are out of date. Returns whether all is well.
pub(crate) fn docs(workspace: &Workspace, check: bool) -> anyhow::Result<bool> {
    let wanted = rule_pages::pages(&rule_source::rules());
    let present = present_pages(workspace)?;
    let mut stale: Vec<&String> = Vec::new();
    for (path, text) in &wanted {
        if present.get(path) != Some(text) {
            stale.push(path);
        }
    }
    let gone: Vec<&String> = present
        .keys()
        .filter(|path| !wanted.contains_key(*path))
        .collect();
    if check {
        for path in stale.iter().chain(&gone) {
            println!("docs: {path} is out of date: run `cargo xtask docs`");
        }
        return Ok(stale.is_empty() && gone.is_empty());
    }
    fs::create_dir_all(workspace.path(RULES_FOLDER)).context("cannot make docs/rules")?;
    for path in stale {
        let text = wanted.get(path).map_or("", String::as_str);
        fs::write(workspace.path(path), text).with_context(|| format!("cannot write {path}"))?;
        println!("docs: wrote {path}");
    }
    for path in gone {
        fs::remove_file(workspace.path(path)).with_context(|| format!("cannot remove {path}"))?;
        println!("docs: removed {path}");
    }
    Ok(true)
}

/// Returns the pages on disk, with `\n` at the end of lines whatever git made of them.
fn present_pages(workspace: &Workspace) -> anyhow::Result<BTreeMap<String, String>> {
    let mut pages = BTreeMap::new();
    let Ok(entries) = fs::read_dir(workspace.path(RULES_FOLDER)) else {
        return Ok(pages);
    };
    for entry in entries {
        let path = entry.context("cannot list docs/rules")?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        pages.insert(format!("{RULES_FOLDER}/{name}"), text.replace("\r\n", "\n"));
    }
    Ok(pages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_are_up_to_date() {
        let is_current = docs(&Workspace::find(), true).expect("the pages can be read");
        assert!(is_current, "run `cargo xtask docs`");
    }
}
