//! How long the server needs to say what a build would run.

use std::fs;
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use super::client::Client;
use super::servers::{Server, program};
use crate::bench::stopwatch::median;
use crate::command;
use crate::workspace::Workspace;

const PATIENCE: Duration = Duration::from_secs(60);
const EDITS: i64 = 20;

/// Builds a file over a large context once, edits it, and returns a sentence of what that took.
pub(super) fn forecast(
    workspace: &Workspace,
    server: &Server,
    files: usize,
) -> anyhow::Result<String> {
    let folder = tempfile::tempdir()?;
    for number in 0..files {
        let place = folder.path().join(format!("src/{:03}", number / 250));
        if number % 250 == 0 {
            fs::create_dir_all(&place)?;
        }
        fs::write(place.join(format!("{number}.txt")), number.to_string())?;
    }
    let text = "FROM scratch\nCOPY src /src\nCOPY src/000 /again\n";
    let path = folder.path().join("Dockerfile");
    fs::write(&path, text)?;
    let store = folder.path().join("store");
    command::run(
        Command::new(program(workspace, "dfbuild"))
            .args(["build", "--quiet", "--store"])
            .arg(&store)
            .arg(folder.path()),
    )?;
    let uri = format!("file://{}", path.display());
    let mut client = Client::spawn(&server.command)?;
    client.initialize(
        json!({"store": store, "builder": program(workspace, "dfbuild")}),
        None,
    )?;
    client.open(&uri, text)?;
    let is_forecast = |message: &serde_json::Value| message["method"] == "$/dfls/forecast";
    let milliseconds = |message: &serde_json::Value| {
        message["params"]["microseconds"]
            .as_f64()
            .unwrap_or(f64::NAN)
            / 1000.0
    };
    let first = milliseconds(&client.wait(PATIENCE, is_forecast)?);
    let mut times = Vec::new();
    let place = json!({"line": 2, "character": 19});
    for version in 2..2 + EDITS {
        let change = json!({"range": {"start": place, "end": place}, "text": "x"});
        client.change(&uri, version, &change)?;
        times.push(milliseconds(&client.wait(PATIENCE, is_forecast)?));
    }
    Ok(format!(
        "Forecast with {files} files in the context: {first:.1} ms for the first, then {:.2} ms (median of {EDITS} edits). RSS {:.0} MiB.",
        median(&times),
        client.memory()
    ))
}
