//! `dfbuild history`.

use std::io::{self, Write as _};

use anyhow::Result;
use serde_json::json;

use crate::arguments::ImageArguments;
use crate::outcome::Outcome;
use crate::paths;
use crate::progress::bytes;
use crate::stored_image::{find, open_store};
use crate::table::{self, shortened};

/// Columns that an instruction gets.
const WIDTH: usize = 100;

pub(crate) fn run(arguments: &ImageArguments) -> Result<Outcome> {
    let store = open_store(&paths::store(&arguments.image.store))?;
    let found = find(&store, &arguments.image.image)?;
    let mut layers = found.image.layers.iter();
    // Oldest first in the configuration; people want to see the last instruction first.
    let mut entries: Vec<_> = found
        .image
        .config
        .history
        .iter()
        .map(|entry| {
            let layer = if entry.empty_layer {
                None
            } else {
                layers.next()
            };
            (entry, layer)
        })
        .collect();
    let mut out = io::stdout().lock();
    if arguments.json {
        let objects: Vec<_> = entries
            .iter()
            .map(|(entry, layer)| {
                json!({
                    "created_by": entry.created_by, "created": entry.created, "comment": entry.comment,
                    "empty_layer": entry.empty_layer, "size": layer.map(|layer| layer.size),
                    "digest": layer.map(|layer| layer.digest.to_string()),
                })
            })
            .collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&objects)?)?;
        return Ok(Outcome::Done);
    }
    entries.reverse();
    let mut rows = vec![
        ["CREATED", "SIZE", "CREATED BY"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for (entry, layer) in entries {
        let created_by = if arguments.no_trunc {
            entry.created_by.clone()
        } else {
            shortened(&entry.created_by, WIDTH)
        };
        let created = entry.created.as_deref().unwrap_or("").replace('T', " ");
        rows.push(vec![
            created.chars().take(19).collect(),
            bytes(layer.map_or(0, |layer| layer.size)),
            created_by,
        ]);
    }
    table::write(&mut out, &rows)?;
    Ok(Outcome::Done)
}
