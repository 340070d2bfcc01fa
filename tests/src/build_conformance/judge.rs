//! Compares what was built with what is expected.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use serde_json::Value;

use crate::case::Case;
use crate::image::{Image, diff_ids};
use crate::layer;
use crate::tree::Tree;

/// How many differing rows are shown.
const SHOWN: usize = 4;
/// How a digest starts that the reference gave us no value for.
const UNKNOWN: &str = "sha256:0000000000000000";

/// What a difference is about. A skip list names these.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Aspect {
    /// It failed where it should build, or the other way around, or the archive is bad.
    Build,
    /// The line of the error.
    Error,
    Config,
    Files,
    Layers,
    /// A second build, from the cache, made another image.
    Again,
}

impl Aspect {
    pub(crate) const ALL: [Aspect; 6] = [
        Aspect::Build,
        Aspect::Error,
        Aspect::Config,
        Aspect::Files,
        Aspect::Layers,
        Aspect::Again,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Aspect::Build => "build",
            Aspect::Error => "error",
            Aspect::Config => "config",
            Aspect::Files => "files",
            Aspect::Layers => "layers",
            Aspect::Again => "again",
        }
    }
}

impl fmt::Display for Aspect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

pub(crate) struct Difference {
    pub(crate) aspect: Aspect,
    pub(crate) text: String,
}

/// How many layers have the very bytes of the reference.
#[derive(Default, Clone, Copy)]
pub(crate) struct DiffIds {
    pub(crate) equal: usize,
    pub(crate) all: usize,
}

/// Compares an image that was built. `base_layers` are those of its base, `base` what they make.
pub(crate) fn image(
    case: &Case,
    image: &Image,
    base_layers: usize,
    base: &Tree,
) -> (Vec<Difference>, DiffIds) {
    let mut differences = Vec::new();
    let mut differ = |aspect, text| differences.push(Difference { aspect, text });

    let expected = case.expected("expected.config.json");
    if let Some(text) = config_difference(&expected, &image.config) {
        differ(Aspect::Config, text);
    }
    match Tree::of(&image.layers) {
        Ok(tree) => {
            let rows = tree.changes_since(base);
            if let Some(text) = row_difference(&case.expected("expected.files.tsv"), &rows) {
                differ(Aspect::Files, text);
            }
        }
        Err(text) => differ(Aspect::Files, text),
    }
    let own_layers = image.layers.get(base_layers..).unwrap_or_default();
    let rows = layer::rows(own_layers);
    if let Some(text) = row_difference(&case.expected("expected.layers.tsv"), &rows) {
        differ(Aspect::Layers, text);
    }
    let ids = diff_id_count(&expected, image, base_layers);
    (differences, ids)
}

fn diff_id_count(expected: &str, image: &Image, base_layers: usize) -> DiffIds {
    let expected = diff_ids(expected);
    let ours = image.diff_ids();
    let pairs = expected.iter().zip(&ours).skip(base_layers);
    DiffIds {
        equal: pairs.filter(|(left, right)| left == right).count(),
        all: expected
            .iter()
            .skip(base_layers)
            .filter(|id| !id.starts_with(UNKNOWN))
            .count(),
    }
}

/// Compares two configurations byte for byte, but for the digests of the layers.
fn config_difference(expected: &str, actual: &str) -> Option<String> {
    let (expected, actual) = (expected.trim_end(), actual.trim_end());
    let expected_layers = diff_ids(expected).len();
    let actual_layers = diff_ids(actual).len();
    if expected_layers != actual_layers {
        return Some(format!("{actual_layers} layers, not {expected_layers}"));
    }
    if without_diff_ids(expected) == without_diff_ids(actual) {
        return None;
    }
    let value = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    let mut found = Vec::new();
    value_differences("", &value(expected), &value(actual), &mut found);
    found.retain(|text| !text.starts_with(".rootfs.diff_ids"));
    if found.is_empty() {
        found.push(byte_difference(
            &without_diff_ids(expected),
            &without_diff_ids(actual),
        ));
    }
    Some(shortened(found))
}

fn without_diff_ids(config: &str) -> String {
    let mut text = config.to_owned();
    for id in diff_ids(config) {
        text = text.replace(&id, "");
    }
    text
}

fn byte_difference(expected: &str, actual: &str) -> String {
    let at = expected
        .bytes()
        .zip(actual.bytes())
        .position(|(left, right)| left != right)
        .unwrap_or_else(|| expected.len().min(actual.len()));
    let around = |text: &str| {
        let bytes = text.as_bytes();
        let window = &bytes[at.saturating_sub(30)..bytes.len().min(at + 30)];
        String::from_utf8_lossy(window).into_owned()
    };
    format!(
        "same values, other bytes at {at}: `{}` for `{}`",
        around(actual),
        around(expected)
    )
}

fn value_differences(path: &str, expected: &Value, actual: &Value, found: &mut Vec<String>) {
    match (expected, actual) {
        (Value::Object(left), Value::Object(right)) => {
            let keys: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
            for key in keys {
                let value = |side: &serde_json::Map<String, Value>| {
                    side.get(key).cloned().unwrap_or(Value::Null)
                };
                value_differences(&format!("{path}.{key}"), &value(left), &value(right), found);
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (idx, (left, right)) in left.iter().zip(right).enumerate() {
                value_differences(&format!("{path}[{idx}]"), left, right, found);
            }
        }
        _ if expected == actual => {}
        _ => found.push(format!("{path} is {actual}, not {expected}")),
    }
}

/// Compares rows, which are sorted alike on both sides.
fn row_difference(expected: &str, actual: &[String]) -> Option<String> {
    let expected: Vec<&str> = expected.lines().collect();
    if expected == actual {
        return None;
    }
    let left: BTreeSet<&str> = expected.iter().copied().collect();
    let right: BTreeSet<&str> = actual.iter().map(String::as_str).collect();
    let mut found: Vec<String> = left
        .difference(&right)
        .map(|row| format!("missing {}", shown(row)))
        .chain(
            right
                .difference(&left)
                .map(|row| format!("unwanted {}", shown(row))),
        )
        .collect();
    // A path and its two rows stand together.
    found.sort_by_key(|text| {
        text.split_once(' ')
            .map(|(_, row)| row.split('\t').next().unwrap_or_default().to_owned())
    });
    if found.is_empty() {
        let at = expected.iter().zip(actual).position(|(l, r)| l != r);
        let at = at.unwrap_or_else(|| expected.len().min(actual.len()));
        let row = actual.get(at).map_or("nothing", String::as_str);
        let wanted = expected.get(at).copied().unwrap_or("nothing");
        found.push(format!(
            "another order at row {}: {} for {}",
            at + 1,
            shown(row),
            shown(wanted)
        ));
    }
    Some(shortened(found))
}

fn shown(row: &str) -> String {
    row.replace('\t', " ")
}

fn shortened(found: Vec<String>) -> String {
    let more = found.len().saturating_sub(SHOWN);
    let mut text = found
        .into_iter()
        .take(SHOWN)
        .collect::<Vec<_>>()
        .join("\n      ");
    if more > 0 {
        // Writing to a string does not fail.
        let _ = write!(text, "\n      ({more} more)");
    }
    text
}

/// Compares a build that had to fail.
pub(crate) fn failure(case: &Case, exit_code: Option<i32>, stderr: &str) -> Vec<Difference> {
    let mut differences = Vec::new();
    if exit_code != Some(1) {
        differences.push(Difference {
            aspect: Aspect::Build,
            text: match exit_code {
                Some(0) => "it builds, but must fail".to_owned(),
                Some(code) => format!("exit code {code}, not 1"),
                None => "it was killed".to_owned(),
            },
        });
        return differences;
    }
    if let Some(expected) = case.description.error_line {
        let line = error_line(stderr);
        if line != Some(expected) {
            let line = line.map_or_else(|| "no line".to_owned(), |line| format!("line {line}"));
            let message = stderr
                .lines()
                .find(|line| !line.trim().is_empty())
                .unwrap_or_default();
            differences.push(Difference {
                aspect: Aspect::Error,
                text: format!("fails at {line}, not line {expected}: {message}"),
            });
        }
    }
    differences
}

/// Returns the line that the last error points at: `--> FILE:LINE:COLUMN`, or with `┌─` for the arrow.
fn error_line(stderr: &str) -> Option<usize> {
    let mut lines: Vec<usize> = Vec::new();
    for line in stderr.lines() {
        let place = line
            .split_once("--> ")
            .or_else(|| line.split_once("┌─ "))
            .map(|(_, place)| place.trim());
        if let Some(place) = place {
            let mut parts = place.rsplitn(3, ':');
            let _column = parts.next();
            lines.extend(parts.next().and_then(|line| line.parse::<usize>().ok()));
        }
    }
    lines.last().copied()
}
