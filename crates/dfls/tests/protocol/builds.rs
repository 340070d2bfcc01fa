//! Builds from the editor, with a builder that says what it is told to say; forecasts and layers with the real library.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use dockerfile_build::{ContextSource, Request, Silent};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::{Client, PATIENCE};

const TEXT: &str = "FROM scratch\nRUN true && \\\n    false\n";

/// A folder with a Dockerfile, and a builder that is a script.
fn scene(text: &str, script: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("Dockerfile");
    fs::write(&path, text).expect("a file");
    let builder = folder.path().join("builder");
    fs::write(&builder, format!("#!/bin/sh\n{script}\n")).expect("a file");
    fs::set_permissions(&builder, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let uri = format!("file://{}", path.display());
    (folder, uri)
}

fn start(folder: &Path) -> Client {
    Client::start_with(json!({
        "processId": null,
        "capabilities": {
            "window": {"workDoneProgress": true},
            "workspace": {"inlayHint": {"refreshSupport": true}},
        },
        "initializationOptions": {
            "builder": folder.join("builder"), "store": folder.join("store"), "instructionLenses": true,
        },
    }))
}

fn say(event: &Value) -> String {
    // The echo of some shells takes the backslashes.
    format!("printf '%s\\n' '{event}' >&2")
}

/// What the builder says when the second command of the RUN fails.
fn failing() -> String {
    let start = TEXT.find("RUN").expect("it is there");
    let command = TEXT.find("false").expect("it is there");
    let range = |start: usize, end: usize| json!({"start": start, "end": end});
    let run = range(start, TEXT.len() - 1);
    [
        say(&json!({"type": "planned", "steps": [{"step": 1, "title": "[1/1] RUN", "range": run}]})),
        say(&json!({"type": "started", "step": 1, "title": "RUN", "range": run})),
        say(&json!({"type": "output", "step": 1, "stream": "stderr", "text": "no such thing\n"})),
        say(&json!({
            "type": "error", "kind": "command", "message": "the command failed with exit code 1", "range": run,
            "labels": [{"range": range(command, command + 5), "message": "this command"}], "help": null,
            "output": ["no such thing"], "exit_code": 1,
        })),
        "exit 1".to_owned(),
    ]
    .join("\n")
}

fn failures(found: &[Value]) -> Vec<&Value> {
    let failures = found.iter().filter(|each| each["source"] == "dfbuild");
    failures.collect()
}

#[test]
fn a_command_that_fails_is_a_finding_at_its_line_until_the_text_changes() {
    let (folder, uri) = scene(TEXT, &failing());
    let mut client = start(folder.path());
    client.open(&uri, TEXT);
    assert!(failures(&client.findings(&uri, 1)).is_empty());
    let result = client.request("dfls/build", json!({"uri": uri}));
    assert_eq!(result["success"], false);
    let output = client.wait(|message| message["method"] == "dfls/buildOutput");
    assert_eq!(output["params"]["text"], "no such thing\n");
    let progress = client.wait(|message| {
        message["method"] == "$/progress" && message["params"]["value"]["kind"] == "report"
    });
    assert_eq!(progress["params"]["value"]["message"], "[1/1] RUN");
    let found = client.findings(&uri, 1);
    let failure = failures(&found)[0];
    let place = json!({"start": {"line": 2, "character": 4}, "end": {"line": 2, "character": 9}});
    assert_eq!(failure["range"], place);
    assert_eq!(failure["relatedInformation"][0]["message"], "no such thing");
    client.insert(&uri, 2, 2, 9, "x");
    assert!(failures(&client.findings(&uri, 2)).is_empty());
}

#[test]
fn builds_the_text_that_is_not_saved_up_to_a_line() {
    let script = "cat > \"$(dirname \"$0\")/seen\"";
    let (folder, uri) = scene("FROM old\n", script);
    let mut client = start(folder.path());
    client.open(&uri, TEXT);
    client.insert(&uri, 2, 3, 0, "RUN later\n");
    client.request("dfls/build", json!({"uri": uri, "line": 2}));
    let seen = fs::read_to_string(folder.path().join("seen")).expect("it was run");
    assert_eq!(seen, TEXT.trim_end());
    let lenses = client.request(
        "textDocument/codeLens",
        json!({"textDocument": {"uri": uri}}),
    );
    let lenses = lenses.as_array().expect("a list");
    let here = lenses
        .iter()
        .find(|lens| lens["command"]["title"] == "Build to here");
    let command = &here.expect("it is offered")["command"];
    assert_eq!(command["command"], "dfls.build");
    assert_eq!(command["arguments"][0]["line"], 1);
}

#[test]
fn a_build_ends_when_its_progress_is_cancelled() {
    let script = format!(
        "trap 'exit 130' TERM\n{}\nwhile :; do sleep 0.05; done",
        say(&json!({"type": "started", "step": 1, "title": "RUN"}))
    );
    let (folder, uri) = scene(TEXT, &script);
    let mut client = start(folder.path());
    client.open(&uri, TEXT);
    let id = client.ask("dfls/build", json!({"uri": uri, "workDoneToken": "mine"}));
    client.wait(|message| {
        message["method"] == "$/progress" && message["params"]["value"]["kind"] == "report"
    });
    client.notify("window/workDoneProgress/cancel", json!({"token": "mine"}));
    assert_eq!(client.answer(id)["result"]["success"], false);
    client.wait(|message| message["params"]["value"]["kind"] == "end");
}

/// Builds in this process: a build of copies needs no rights.
fn build(folder: &Path, text: &str) {
    let mut request = Request::new("Dockerfile", text);
    request.context = ContextSource::Directory(folder.canonicalize().expect("it is there"));
    request.store = folder.join("store");
    dockerfile_build::build(&request, &[], &Silent, &|| false).expect("it builds");
}

fn hints(client: &mut Client, uri: &str) -> String {
    let range = json!({"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}});
    let hints = client.request(
        "textDocument/inlayHint",
        json!({"textDocument": {"uri": uri}, "range": range}),
    );
    hints.to_string()
}

/// Waits until the hints hold a text.
fn wait_for_hint(client: &mut Client, uri: &str, text: &str) -> String {
    let end = Instant::now() + PATIENCE;
    loop {
        let found = hints(client, uri);
        if found.contains(text) {
            return found;
        }
        assert!(Instant::now() < end, "{text} is not in {found}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn foresees_what_a_build_of_the_unsaved_text_would_run() {
    let text = "FROM scratch\nCOPY a /a\nCOPY b /b\n";
    let (folder, uri) = scene(text, "");
    fs::write(folder.path().join("a"), "one").expect("a file");
    fs::write(folder.path().join("b"), "two").expect("a file");
    build(folder.path(), text);
    let mut client = start(folder.path());
    client.open(&uri, text);
    let found = wait_for_hint(&mut client, &uri, "cached");
    assert!(
        found.contains("3 B") && !found.contains("would run"),
        "{found}"
    );
    client.insert(&uri, 2, 1, 9, "x");
    let found = wait_for_hint(&mut client, &uri, "would run: the destination changed");
    // A step before it would run, so the second one would.
    assert_eq!(found.matches("would run\"").count(), 1, "{found}");
}

#[test]
fn shows_the_layers_and_their_files() {
    let text = "FROM scratch\nCOPY a /x/a\nCOPY b /x/a\n";
    let (folder, uri) = scene(text, "");
    fs::write(folder.path().join("a"), "one").expect("a file");
    fs::write(folder.path().join("b"), "other").expect("a file");
    build(folder.path(), text);
    let mut client = start(folder.path());
    client.open(&uri, text);
    let layers = client.request("dfls/layers", json!({"uri": uri}));
    assert_eq!((&layers["size"], &layers["wasted"]), (&json!(8), &json!(8)));
    assert_eq!(layers["steps"][1]["changed"], 1);
    let preview = &layers["preview"];
    let files = client.request("dfls/layerFiles", json!({"preview": preview, "step": 1}));
    let file = &files["files"][0];
    assert_eq!(
        (&file["path"], &file["change"], &file["mode"]),
        (&json!("/x/a"), &json!("changed"), &json!("0644"))
    );
    for (step, content) in [(0, "one"), (1, "other")] {
        let params = json!({"preview": preview, "step": step, "path": "/x/a"});
        assert_eq!(client.request("dfls/layerFile", params)["text"], content);
    }
    let params = json!({"preview": preview, "step": 1, "path": "/none"});
    assert_eq!(client.request("dfls/layerFile", params)["exists"], false);
    let layers = client.request("dfls/layers", json!({"uri": uri, "line": 1}));
    assert_eq!(layers["steps"].as_array().map(Vec::len), Some(1));
}
