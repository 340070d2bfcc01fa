//! `dfbuild prune`.

use std::io::{self, Write as _};

use anyhow::Result;
use dockerfile_build::{PruneOptions, prune, user_namespace};

use crate::arguments::PruneArguments;
use crate::outcome::Outcome;
use crate::paths;
use crate::progress::bytes;

pub(crate) fn run(arguments: &PruneArguments) -> Result<Outcome> {
    // What a build made in a user namespace belongs to users that only the root of one may touch.
    if !user_namespace::is_privileged()
        && let Ok(status) = user_namespace::reexec_as_root()
    {
        let code = user_namespace::exit_code(status);
        return Ok(Outcome::Passed(u8::try_from(code).unwrap_or(1)));
    }
    let options = PruneOptions {
        all: arguments.all,
        older_than: arguments.older_than,
        keep_bytes: arguments.keep_storage,
    };
    let pruned = prune(&paths::store(&arguments.store), &options)?;
    writeln!(
        io::stdout(),
        "{} bytes freed, {} left",
        pruned.freed_bytes,
        bytes(pruned.kept_bytes)
    )?;
    Ok(Outcome::Done)
}
