//! `dfbuild push`.

use std::io::{self, Write as _};

use anyhow::{Result, bail};
use dockerfile_build::LayerFormat;
use dockerfile_source::SourceFile;

use super::build::canonical;
use crate::arguments::PushArguments;
use crate::outcome::Outcome;
use crate::output::parse_compression;
use crate::paths;
use crate::progress::Shown;
use crate::registries::registry;
use crate::stored_image::{find, open_store};

pub(crate) fn run(arguments: &PushArguments) -> Result<Outcome> {
    let root = paths::store(&arguments.store);
    let store = open_store(&root)?;
    let found = find(&store, &arguments.image)?;
    let given = arguments.name.as_deref().unwrap_or(&arguments.image);
    let names = match canonical(given) {
        Ok(name) if arguments.name.is_some() || found.names.contains(&name) => vec![name],
        Err(error) if arguments.name.is_some() => return Err(error),
        // It was named by its ID.
        _ => found.names.clone(),
    };
    if names.is_empty() {
        bail!("the image has no name to push it under; give one: `dfbuild push IMAGE NAME`");
    }
    let registry = registry(&arguments.registries)?;
    let format = LayerFormat {
        compression: parse_compression(&arguments.compression, None)?,
        is_forced: false,
    };
    let shown = Shown::new(arguments.progress, false, SourceFile::new("", ""));
    let result = shown.task(format!("pushing {}", names.join(", ")), |_| {
        dockerfile_build::push(&root, &found.image, &names, &registry, format)
    });
    shown.end(result.is_ok());
    match result {
        Ok(descriptor) => {
            writeln!(io::stdout(), "{}", descriptor.digest)?;
            Ok(Outcome::Done)
        }
        Err(error) => {
            shown.failed(&error)?;
            Ok(Outcome::Failed)
        }
    }
}
