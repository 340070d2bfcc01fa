//! `dfbuild store`.

use std::io::{self, Write as _};

use anyhow::Result;
use oci_image::store::Store;

use crate::arguments::{StoreCommand, StoreCommandArguments};
use crate::outcome::Outcome;
use crate::paths;

pub(crate) fn run(arguments: &StoreCommandArguments) -> Result<Outcome> {
    let root = paths::store(&arguments.store);
    let mut out = io::stdout().lock();
    match arguments.command {
        StoreCommand::Path => {
            writeln!(out, "{}", root.display())?;
            Ok(Outcome::Done)
        }
        StoreCommand::Check { repair } => {
            let mut store = Store::open(&root)?;
            let faults = store.check()?;
            for fault in &faults {
                writeln!(out, "{fault}")?;
            }
            if faults.is_empty() {
                writeln!(out, "The store is sound.")?;
                return Ok(Outcome::Done);
            }
            if !repair {
                writeln!(out, "{} faults; `--repair` takes them out.", faults.len())?;
                return Ok(Outcome::Failed);
            }
            store.repair()?;
            writeln!(out, "{} faults repaired.", faults.len())?;
            Ok(Outcome::Done)
        }
    }
}
