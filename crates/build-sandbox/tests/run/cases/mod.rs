//! The questions; each gets a fresh root.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use build_sandbox::{Mount, MountSource, Writes, user_namespace};

use crate::place::Place;

/// The name of a question, and what asks it.
type Case = (&'static str, fn(&Place));

macro_rules! cases {
    ($($name:ident),* $(,)?) => { &[$((stringify!($name), $name as fn(&Place))),*] };
}

mod command;
mod confinement;
mod layers;
mod life;
mod limits;
mod mounts;
mod runtime;

/// Runs the cases whose name contains `filter`; returns how many failed.
pub(crate) fn run(filter: &str) -> usize {
    let kind = user_namespace::id_map();
    let mut failed = 0;
    let groups = [
        command::CASES,
        confinement::CASES,
        mounts::CASES,
        layers::CASES,
        life::CASES,
        limits::CASES,
        runtime::CASES,
    ];
    for (name, case) in groups
        .into_iter()
        .flatten()
        .filter(|(name, _)| name.contains(filter))
    {
        let result = catch_unwind(AssertUnwindSafe(|| case(&Place::new())));
        let word = if result.is_ok() { "ok" } else { "FAILED" };
        crate::say(&format!("test {name} ({kind:?}) ... {word}"));
        failed += usize::from(result.is_err());
    }
    failed
}

fn tree(path: &Path, writes: Writes) -> MountSource {
    MountSource::Tree {
        lowers: vec![path.to_owned()],
        path: PathBuf::new(),
        writes,
    }
}

fn mount(target: &str, source: MountSource) -> Mount {
    Mount {
        target: PathBuf::from(target),
        source,
    }
}

fn has_other_ids() -> bool {
    user_namespace::id_map() != user_namespace::IdMap::OneId
}

fn executable(place: &Place, content: &[u8]) {
    let path = place.lower.join("program");
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}
