//! `dfbuild inspect`.

use std::io::{self, Write as _};

use anyhow::Result;
use serde_json::{Value, json};

use crate::arguments::ImageNameArguments;
use crate::outcome::Outcome;
use crate::paths;
use crate::stored_image::{find, open_store};

pub(crate) fn run(arguments: &ImageNameArguments) -> Result<Outcome> {
    let store = open_store(&paths::store(&arguments.store))?;
    let found = find(&store, &arguments.image)?;
    // The documents as they are, with members that this program does not know.
    let document =
        |digest| -> Result<Value> { Ok(serde_json::from_slice(&store.read_document(digest)?)?) };
    let text = serde_json::to_string_pretty(&json!({
        "id": found.image.id.to_string(),
        "digest": found.image.manifest.digest.to_string(),
        "names": found.names,
        "config": document(&found.manifest.config.digest)?,
        "manifest": document(&found.image.manifest.digest)?,
    }))?;
    writeln!(io::stdout(), "{text}")?;
    Ok(Outcome::Done)
}
