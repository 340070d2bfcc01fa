//! Two images, as Docker sees them.

use std::path::Path;

use anyhow::{Context, ensure};
use serde_json::Value;

use super::docker::{Daemon, File};

/// Files that are no two times the same, whoever builds.
pub(super) struct Unlike {
    /// The start of their paths, or their end.
    pub(super) paths: Paths,
    pub(super) freedom: Freedom,
    /// Why that is no fault of a builder.
    #[expect(dead_code, reason = "for who reads the list")]
    pub(super) reason: &'static str,
}

pub(super) enum Paths {
    Start(&'static str),
    End(&'static str),
}

/// What may be different.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Freedom {
    Bytes,
    /// Even the name.
    All,
}

impl Unlike {
    fn means(&self, path: &Path) -> bool {
        let path = path.to_string_lossy();
        match self.paths {
            Paths::Start(start) => path.starts_with(start),
            Paths::End(end) => path.ends_with(end),
        }
    }
}

/// Fails unless files and configuration of two images are the same, but for what is unlike by nature.
pub(super) fn same(
    daemon: &Daemon,
    our_tag: &str,
    their_tag: &str,
    unlike: &[Unlike],
) -> anyhow::Result<()> {
    let freedom = |path: &Path| {
        let found = unlike.iter().find(|unlike| unlike.means(path));
        found.map(|unlike| unlike.freedom)
    };
    let (our_files, their_files) = (daemon.files(our_tag)?, daemon.files(their_tag)?);
    ensure!(!their_files.is_empty(), "the image has no files");
    let mut faults = Vec::new();
    for (path, theirs) in &their_files {
        let found = our_files.get(path);
        let is_same = match freedom(path) {
            None => found == Some(theirs),
            Some(Freedom::Bytes) => found.is_some_and(|ours: &File| ours.is_like(theirs)),
            Some(Freedom::All) => true,
        };
        if !is_same {
            faults.push(format!(
                "{}: {found:?}, and Docker makes {theirs:?}",
                path.display()
            ));
        }
    }
    let more = our_files
        .keys()
        .filter(|path| !their_files.contains_key(*path) && freedom(path) != Some(Freedom::All));
    faults.extend(more.map(|path| format!("{} is in our image only", path.display())));
    ensure!(
        faults.is_empty(),
        "{} files differ:\n{}",
        faults.len(),
        faults[..faults.len().min(20)].join("\n")
    );
    let (ours, theirs) = (
        configuration(daemon, our_tag)?,
        configuration(daemon, their_tag)?,
    );
    ensure!(
        ours == theirs,
        "the configuration is\n{ours:#}\nand Docker makes\n{theirs:#}"
    );
    Ok(())
}

/// Returns what Docker says of an image, without what only a container has.
fn configuration(daemon: &Daemon, tag: &str) -> anyhow::Result<Value> {
    const OF_CONTAINERS: [&str; 3] = ["Image", "Hostname", "Domainname"];
    let text = daemon.answer(&["image", "inspect", "--format", "{{json .Config}}", tag])?;
    let mut value: Value =
        serde_json::from_slice(&text).context("docker inspect printed no JSON")?;
    if let Some(members) = value.as_object_mut() {
        members.retain(|name, value| !OF_CONTAINERS.contains(&name.as_str()) && !value.is_null());
    }
    Ok(value)
}
