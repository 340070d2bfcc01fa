//! Docker's BuildKit as the builder, to test the test and to record expectations.
//!
//! The daemon is the one that `DOCKER_HOST` names, with a mirror that has the bases. What it writes is brought into the form
//! of the newest BuildKit: times lowered to the epoch, empty fields left out.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Map, Value};

use crate::bases::Base;
use crate::builder::{EPOCH, Outcome, Place, add_common_flags, run};
use crate::case::Case;
use crate::image::Image;
use crate::layer;
use crate::run::OWN_CASES;
use crate::tree::Tree;

const CLIENT: &str = "/usr/bin/docker";
const TIME: &str = "2026-01-01T00:00:00Z";
/// The order in which Go's `image-spec` and BuildKit write them.
const CONFIG_KEYS: &[&str] = &[
    "User",
    "ExposedPorts",
    "Env",
    "Entrypoint",
    "Cmd",
    "Volumes",
    "WorkingDir",
    "Labels",
    "StopSignal",
    "ArgsEscaped",
    "Healthcheck",
    "OnBuild",
    "StopTimeout",
    "Shell",
];
const HISTORY_KEYS: &[&str] = &["created", "created_by", "author", "comment", "empty_layer"];

pub(crate) fn build(case: &Case, place: &Place<'_>, output: &Path) -> Outcome {
    let tag = format!("case:{}", case.name.to_ascii_lowercase());
    let mut command = Command::new(CLIENT);
    command
        .env("DOCKER_BUILDKIT", "1")
        .env("DOCKER_CONFIG", place.folder)
        .args(["build", "--progress=plain", "--no-cache", "--network=none"])
        .args(["--tag", &tag]);
    add_common_flags(&mut command, case, place);
    command.arg(place.folder.join("context"));
    let (exit_code, stderr) = run(&mut command, place.folder);
    if exit_code != Some(0) {
        return Outcome {
            exit_code,
            stderr,
            image: None,
        };
    }
    let mut save = Command::new(CLIENT);
    save.env("DOCKER_CONFIG", place.folder)
        .args(["save", "--output"])
        .arg(output)
        .arg(&tag);
    let (saved, text) = run(&mut save, place.folder);
    let image = if saved == Some(0) {
        Image::from_tar(output).map(modern)
    } else {
        Err(text)
    };
    Outcome {
        exit_code,
        stderr,
        image: Some(image),
    }
}

/// Brings an image of an old BuildKit into the form of a new one.
fn modern(mut image: Image) -> Image {
    for entry in image.layers.iter_mut().flat_map(|l| &mut l.entries) {
        entry.mtime = entry.mtime.min(EPOCH);
    }
    let mut config: Value = serde_json::from_str(&image.config).unwrap_or_default();
    let mut root = Map::new();
    let mut take = |key: &str| config.get_mut(key).map(Value::take).unwrap_or_default();
    let inner = ordered(take("config"), CONFIG_KEYS);
    let history: Vec<String> = take("history")
        .as_array()
        .into_iter()
        .flatten()
        .map(|entry| {
            let mut entry = entry.clone();
            entry["created"] = TIME.into();
            ordered(entry, HISTORY_KEYS)
        })
        .collect();
    root.insert("diff_ids".to_owned(), take("rootfs")["diff_ids"].take());
    image.config = format!(
        "{{\"architecture\":{},\"config\":{inner},\"created\":\"{TIME}\",\"history\":[{}],\"os\":{},\
         \"rootfs\":{{\"type\":\"layers\",\"diff_ids\":{}}}}}",
        take("architecture"),
        history.join(","),
        take("os"),
        root["diff_ids"]
    );
    image
}

/// Returns an object in the order of `keys`, without what is empty, escaped as Go does.
fn ordered(object: Value, keys: &[&str]) -> String {
    let fields: Vec<String> = keys
        .iter()
        .filter_map(|key| {
            let value = object.get(*key)?;
            let empty = value.is_null()
                || *value == Value::Bool(false)
                || value.as_str() == Some("")
                || value.as_array().is_some_and(Vec::is_empty)
                || value.as_object().is_some_and(Map::is_empty);
            (!empty).then(|| format!("\"{key}\":{}", go_text(value)))
        })
        .collect();
    format!("{{{}}}", fields.join(","))
}

fn go_text(value: &Value) -> String {
    value
        .to_string()
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
}

/// Writes what was built as the expectation of `case`. Only the project's own cases are ours to write: the shared ones are
/// the reference's answers, and never change, whoever runs this.
pub(crate) fn record(case: &Case, image: &Image, base: &Base) -> Result<(), String> {
    let own = test_support::workspace_root().join(OWN_CASES);
    if case.folder.parent() != Some(own.as_path()) {
        return Err(format!("{} is no case of {OWN_CASES}", case.name));
    }
    let write = |name: &str, mut text: String, ends_with_line: bool| {
        if ends_with_line && !text.is_empty() {
            text.push('\n');
        }
        fs::write(case.folder.join(name), text).map_err(|e| e.to_string())
    };
    let tree = Tree::of(&image.layers)?;
    let own_layers = image.layers.get(base.layers..).unwrap_or_default();
    write("expected.config.json", image.config.clone(), false)?;
    write(
        "expected.files.tsv",
        tree.changes_since(&base.tree).join("\n"),
        true,
    )?;
    write(
        "expected.layers.tsv",
        layer::rows(own_layers).join("\n"),
        true,
    )
}
