//! `dfbuild store`.

use std::io::{self, Write as _};

use anyhow::Result;
use dockerfile_build::{check_layers, repair_layers, user_namespace};
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
            // Files of layers may belong to users that only the root of a namespace may touch.
            if repair
                && !user_namespace::is_privileged()
                && let Ok(status) = user_namespace::reexec_as_root()
            {
                let code = user_namespace::exit_code(status);
                return Ok(Outcome::Passed(u8::try_from(code).unwrap_or(1)));
            }
            let mut store = Store::open(&root)?;
            let faults = store.check()?;
            let layers = check_layers(&store);
            for fault in &faults {
                writeln!(out, "{fault}")?;
            }
            for fault in &layers {
                writeln!(out, "{fault}")?;
            }
            let count = faults.len() + layers.len();
            if count == 0 {
                writeln!(out, "The store is sound.")?;
                return Ok(Outcome::Done);
            }
            if !repair {
                writeln!(out, "{count} faults; `--repair` takes them out.")?;
                return Ok(Outcome::Failed);
            }
            store.repair()?;
            // A layer may have lost its blob just now.
            let layers = check_layers(&store);
            store.alone(|_| repair_layers(&layers).map_err(anyhow::Error::from))?;
            writeln!(out, "{count} faults repaired.")?;
            Ok(Outcome::Done)
        }
    }
}
