//! `dfbuild images`.

use std::io::{self, Write as _};

use anyhow::Result;
use serde_json::json;

use crate::arguments::ImagesArguments;
use crate::outcome::Outcome;
use crate::paths;
use crate::progress::bytes;
use crate::stored_image::{Found, open_store, read, short};
use crate::table;

pub(crate) fn run(arguments: &ImagesArguments) -> Result<Outcome> {
    let mut out = io::stdout().lock();
    let root = paths::store(&arguments.store);
    if !root.exists() {
        if arguments.json {
            writeln!(out, "[]")?;
        }
        return Ok(Outcome::Done);
    }
    let store = open_store(&root)?;
    let images = store.images()?;
    let mut rows = vec![
        ["NAME", "IMAGE ID", "PLATFORM", "LAYERS", "SIZE"]
            .map(str::to_owned)
            .to_vec(),
    ];
    let mut objects = Vec::new();
    for stored in &images {
        let found = read(&store, &stored.descriptor, &images).ok();
        if arguments.json {
            objects.push(match &found {
                Some(found) => json!({
                    "name": stored.name, "id": found.image.id.to_string(), "digest": stored.descriptor.digest.to_string(),
                    "platform": platform(found), "layers": found.image.layers.len(), "size": size(found),
                    "created": found.image.config.created,
                }),
                None => json!({"name": stored.name, "digest": stored.descriptor.digest.to_string(), "is_damaged": true}),
            });
        } else if let Some(found) = &found {
            rows.push(vec![
                stored.name.clone(),
                short(&found.image.id),
                platform(found),
                found.image.layers.len().to_string(),
                bytes(size(found)),
            ]);
        } else {
            rows.push(vec![
                stored.name.clone(),
                "damaged: see `dfbuild store check`".to_owned(),
            ]);
        }
        if arguments.quiet
            && let Some(found) = &found
        {
            writeln!(out, "{}", found.image.id)?;
        }
    }
    match (arguments.json, arguments.quiet) {
        (true, _) => writeln!(out, "{}", serde_json::to_string_pretty(&objects)?)?,
        (false, true) => {}
        (false, false) => table::write(&mut out, &rows)?,
    }
    Ok(Outcome::Done)
}

fn platform(found: &Found) -> String {
    let config = &found.image.config;
    match config.variant.as_str() {
        "" => format!("{}/{}", config.os, config.architecture),
        variant => format!("{}/{}/{variant}", config.os, config.architecture),
    }
}

/// Returns the bytes of all layers as they lie in the store.
fn size(found: &Found) -> u64 {
    found.image.layers.iter().map(|layer| layer.size).sum()
}
