//! `dfbuild layers`.

use std::io::{self, Write};

use anyhow::Result;
use serde_json::json;

use crate::arguments::LayersArguments;
use crate::layer_report::{LayerReport, Report, analyse};
use crate::outcome::Outcome;
use crate::paths;
use crate::progress::bytes;
use crate::stored_image::{find, open_store};
use crate::table::{self, shortened};

/// Columns that an instruction gets.
const WIDTH: usize = 70;

pub(crate) fn run(arguments: &LayersArguments) -> Result<Outcome> {
    let options = &arguments.image;
    let store = open_store(&paths::store(&options.image.store))?;
    let found = find(&store, &options.image.image)?;
    let report = analyse(&store, &found.image)?;
    let mut out = io::stdout().lock();
    if options.json {
        write_json(&report, arguments.top, &mut out)?;
    } else {
        write_text(&report, arguments.top, options.no_trunc, &mut out)?;
    }
    Ok(Outcome::Done)
}

fn write_text(report: &Report, top: usize, is_whole: bool, out: &mut impl Write) -> Result<()> {
    let heads = [
        "LAYER",
        "SIZE",
        "ADDED",
        "CHANGED",
        "REMOVED",
        "WASTED",
        "CREATED BY",
    ];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    for (number, layer) in report.layers.iter().enumerate() {
        rows.push(vec![
            (number + 1).to_string(),
            bytes(layer.bytes),
            layer.added.to_string(),
            layer.changed.to_string(),
            layer.removed.to_string(),
            bytes(layer.wasted),
            if is_whole {
                layer.created_by.clone()
            } else {
                shortened(&layer.created_by, WIDTH)
            },
        ]);
    }
    table::write(out, &rows)?;
    writeln!(
        out,
        "\n{} in all, {} wasted, efficiency {:.1} %",
        bytes(report.waste.total),
        bytes(report.waste.wasted),
        report.waste.efficiency() * 100.0
    )?;
    if !report.waste.files.is_empty() && top > 0 {
        let heads = ["WASTED", "LAYERS", "FILE"];
        let mut rows = vec![heads.map(str::to_owned).to_vec()];
        for file in report.waste.files.iter().take(top) {
            let layers: Vec<String> = file.layers.iter().map(|at| (at + 1).to_string()).collect();
            rows.push(vec![bytes(file.bytes), layers.join(" "), file.path.clone()]);
        }
        writeln!(out)?;
        table::write(out, &rows)?;
    }
    Ok(())
}

fn write_json(report: &Report, top: usize, out: &mut impl Write) -> Result<()> {
    let layer = |layer: &LayerReport| {
        json!({
            "digest": layer.digest, "diff_id": layer.diff_id, "created_by": layer.created_by,
            "size": layer.bytes, "stored_size": layer.stored,
            "added": layer.added, "changed": layer.changed, "removed": layer.removed, "wasted": layer.wasted,
        })
    };
    let wasteful: Vec<_> = report
        .waste
        .files
        .iter()
        .take(top)
        .map(|file| json!({"path": file.path, "wasted": file.bytes, "layers": file.layers.iter().map(|at| at + 1).collect::<Vec<_>>()}))
        .collect();
    let text = serde_json::to_string_pretty(&json!({
        "layers": report.layers.iter().map(layer).collect::<Vec<_>>(),
        "size": report.waste.total, "wasted": report.waste.wasted, "efficiency": report.waste.efficiency(), "wasteful_files": wasteful,
    }))?;
    writeln!(out, "{text}")?;
    Ok(())
}
