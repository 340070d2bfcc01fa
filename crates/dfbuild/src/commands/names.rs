//! `dfbuild tag` and `dfbuild rmi`: the names of images.

use std::io::{self, Write as _};

use anyhow::Result;

use super::build::canonical;
use crate::arguments::{RmiArguments, TagArguments};
use crate::outcome::Outcome;
use crate::paths;
use crate::stored_image::{find, open_store};

/// Gives an image more names.
pub(crate) fn tag(arguments: &TagArguments) -> Result<Outcome> {
    let store = open_store(&paths::store(&arguments.image.store))?;
    let found = find(&store, &arguments.image.image)?;
    let mut publication = store.publication();
    for name in &arguments.names {
        publication.tag(&canonical(name)?, &found.image.manifest);
    }
    publication.publish()?;
    Ok(Outcome::Done)
}

/// Takes names away.
pub(crate) fn remove(arguments: &RmiArguments) -> Result<Outcome> {
    let store = open_store(&paths::store(&arguments.store))?;
    let mut out = io::stdout().lock();
    for text in &arguments.images {
        let by_name = [text.clone()].into_iter().chain(canonical(text).ok());
        let mut is_removed = false;
        for name in by_name {
            if store.untag(&name)? {
                writeln!(out, "untagged {name}")?;
                is_removed = true;
                break;
            }
        }
        if is_removed {
            continue;
        }
        for name in find(&store, text)?.names {
            store.untag(&name)?;
            writeln!(out, "untagged {name}")?;
        }
    }
    Ok(Outcome::Done)
}
