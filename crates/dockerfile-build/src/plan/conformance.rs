//! What BuildKit makes of real Dockerfiles, against what the plan says: configuration, history and failures.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use dockerfile_source::{LineIndex, TextRange};
use oci_image::config::{History, ImageConfig};
use serde::Deserialize;

use super::trigger::Dockerfile;
use super::{Bases, ResolvedImage, plan};
use crate::error::{BuildError, Failure};
use crate::request::{Clock, Request};

#[derive(Deserialize)]
struct Case {
    name: String,
    dockerfile: String,
    #[serde(default)]
    build_args: BTreeMap<String, String>,
    #[serde(default)]
    target: String,
    expect: String,
    #[serde(default)]
    error: String,
    error_line: Option<u32>,
}

/// The stand-ins that the cases were recorded with.
struct Recorded;

impl Bases for Recorded {
    fn resolve(
        &self,
        name: &str,
        _platform: &str,
        range: TextRange,
    ) -> Result<ResolvedImage, BuildError> {
        let (full, shell) = match name {
            "busybox" | "busybox:latest" => ("busybox:latest", "sh"),
            "debian:bookworm" => ("debian:bookworm", "bash"),
            _ => {
                return Err(
                    BuildError::new(Failure::Image, format!("no image `{name}`")).at(range, ""),
                );
            }
        };
        let mut config = ImageConfig {
            architecture: "amd64".to_owned(),
            os: "linux".to_owned(),
            ..ImageConfig::default()
        };
        config.config.cmd = vec![shell.to_owned()];
        config.config.env =
            vec!["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned()];
        config.history = vec![History {
            created: Some("2026-01-01T00:00:00Z".to_owned()),
            created_by: format!("mkbase.sh {full}"),
            ..History::default()
        }];
        Ok(ResolvedImage {
            name: name.to_owned(),
            platform: String::new(),
            layers: Vec::new(),
            config,
        })
    }
}

fn request(case: &Case, text: &str) -> Request {
    let mut request = Request::new("Dockerfile", text);
    request.clock = Clock {
        seconds: 1_767_225_600,
        rewrites_layers: true,
    };
    request.build_arguments = case
        .build_args
        .iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    request.target = (!case.target.is_empty()).then(|| case.target.clone());
    request
}

/// Cases in which we point elsewhere on purpose, and why.
const ELSEWHERE: [(&str, &str); 1] = [(
    "own-parse-directive-dup",
    "the second directive is the one too many; BuildKit gives the first line for all of the directives",
)];

/// Returns what differs, if anything does.
fn differences(folder: &Path, case: &Case) -> Option<String> {
    let text = fs::read_to_string(folder.join(&case.dockerfile)).ok()?;
    let planned = plan(&Dockerfile::new(&text), &request(case, &text), &Recorded);
    match (case.expect.as_str(), planned) {
        ("ok", Err(error)) => Some(format!("refused: {error}")),
        ("ok", Ok(plan)) => {
            let bytes = fs::read(folder.join("expected.config.json")).ok()?;
            let mut expected = ImageConfig::parse(&bytes).ok()?;
            expected.rootfs.diff_ids.clear();
            let config = &plan.stages[plan.target].config;
            let (ours, theirs) = (config.to_bytes(), expected.to_bytes());
            (ours != theirs).then(|| {
                let start = ours
                    .iter()
                    .zip(&theirs)
                    .take_while(|(our, their)| our == their)
                    .count();
                let shown = |bytes: &[u8]| {
                    let near = bytes.get(start.saturating_sub(80)..).unwrap_or_default();
                    String::from_utf8_lossy(near)
                        .chars()
                        .take(300)
                        .collect::<String>()
                };
                format!("ours   {}\ntheirs {}", shown(&ours), shown(&theirs))
            })
        }
        (_, Err(error)) => {
            let line = error
                .place
                .as_ref()
                .map(|place| LineIndex::new(&text).line_column(place.range.start()).line + 1);
            let is_right = case.error_line.is_none()
                || line == case.error_line
                || ELSEWHERE.iter().any(|(name, _)| *name == case.name);
            (!is_right).then(|| {
                format!(
                    "line {line:?}, not {:?}: {error}; {}",
                    case.error_line, case.error
                )
            })
        }
        // What goes wrong while it is built is not the plan's to know.
        (_, Ok(_)) => None,
    }
}

#[test]
fn plans_have_the_configuration_that_buildkit_makes() {
    let Some(folder) = test_support::conformance() else {
        return test_support::skipped("plans against BuildKit", "conformance/build");
    };
    let (mut count, mut left_out, mut faults) = (0, 0, Vec::new());
    let mut folders: Vec<_> = fs::read_dir(folder.join("build"))
        .expect("the cases")
        .flatten()
        .map(|entry| entry.path())
        .collect();
    folders.sort();
    for folder in folders {
        let Ok(text) = fs::read_to_string(folder.join("case.json")) else {
            continue;
        };
        let case: Case = serde_json::from_str(&text).expect("a case");
        count += 1;
        if !test_support::is_as_delivered(&folder) {
            left_out += 1;
            continue;
        }
        if let Some(fault) = differences(&folder, &case) {
            faults.push(format!("{}: {fault}", case.name));
        }
    }
    assert!(count > 200, "{count} cases only");
    if left_out > 0 {
        eprintln!("LEFT OUT: {left_out} cases whose expectations were written over");
    }
    assert!(
        faults.is_empty(),
        "{} of {count}:\n{}",
        faults.len(),
        faults.join("\n")
    );
}
