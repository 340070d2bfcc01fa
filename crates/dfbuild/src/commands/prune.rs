//! `dfbuild prune`.

use std::io::{self, Write as _};

use anyhow::Result;

use crate::arguments::PruneArguments;
use crate::outcome::Outcome;
use crate::paths;

pub(crate) fn run(arguments: &PruneArguments) -> Result<Outcome> {
    let freed = dockerfile_build::prune(&paths::store(&arguments.store), arguments.all)?;
    writeln!(io::stdout(), "{freed} bytes freed")?;
    Ok(Outcome::Done)
}
