//! Messages count in the order in which they come. These are the probes on which servers of this kind fail.

use std::time::Duration;

use serde_json::json;

use crate::client::{Client, place};

const URI: &str = "untitled:Dockerfile";

#[test]
fn a_request_sees_all_edits_before_it() {
    let mut client = Client::start(json!({}));
    client.open(URI, "FROM a\nENV V=\nRUN echo $V\n");
    let mut asked = Vec::new();
    for number in 0..200_u32 {
        client.insert(URI, i64::from(number) + 2, 1, 6 + number, "x");
        if number % 20 == 0 {
            asked.push((number, client.ask("textDocument/hover", place(URI, 1, 4))));
        }
    }
    for (number, id) in asked {
        let hover = client.answer(id)["result"].to_string();
        let value = "x".repeat(number as usize + 1);
        assert!(
            hover.contains(&format!("V={value}\\n")),
            "{number}: {hover}"
        );
    }
}

#[test]
fn a_burst_of_edits_ends_with_one_right_publication() {
    let mut client = Client::start(json!({}));
    client.open(URI, "FROM debian:12\n");
    client.findings(URI, 1);
    client.publications(Duration::from_millis(200));
    let before = client.publications(Duration::from_millis(1)).len();
    for number in 0..30_u32 {
        client.insert(URI, i64::from(number) + 2, number, 0, "\n");
    }
    let all = client.publications(Duration::from_millis(600));
    let found = all.get(before..).unwrap_or_default();
    let versions: Vec<i64> = found
        .iter()
        .filter_map(|each| each["version"].as_i64())
        .collect();
    assert_eq!(versions.last(), Some(&31));
    assert!(versions.is_sorted(), "{versions:?}");
    // The first edit may be answered before the second comes.
    assert!(versions.len() <= 2, "{versions:?}");
    let last = found.last().expect("there is one");
    assert!(
        last["diagnostics"]
            .as_array()
            .is_some_and(|all| all.iter().all(|each| each["range"]["start"]["line"] == 30)),
        "{last}"
    );
}

#[test]
fn edits_with_questions_between_them_are_published_at_once() {
    let mut client = Client::start(json!({}));
    client.open(URI, "FROM debian\n");
    client.findings(URI, 1);
    for version in 2..12 {
        client.insert(URI, version, 0, 0, " ");
        client.findings(URI, version);
        client.request("textDocument/hover", place(URI, 0, 20));
    }
}

#[test]
fn a_client_that_does_not_answer_holds_nothing_up() {
    // Registering watchers is a request to the client: it is never answered here.
    let mut client = Client::start(json!({
        "workspace": {
            "didChangeWatchedFiles": {"dynamicRegistration": true},
            "diagnostics": {"refreshSupport": true},
        },
    }));
    client.open(URI, "FROM a\n");
    for _ in 0..160 {
        client.notify("workspace/didChangeConfiguration", json!({"settings": {}}));
    }
    let hover = client.request("textDocument/hover", place(URI, 0, 1));
    assert!(hover.to_string().contains("FROM"), "{hover}");
}

#[test]
fn a_request_can_be_cancelled() {
    let mut client = Client::start(json!({}));
    // Formatting this takes a while.
    client.open(URI, &"RUN a && b   && c\n".repeat(30_000));
    let id = client.ask(
        "textDocument/formatting",
        json!({"textDocument": {"uri": URI}, "options": {"tabSize": 4, "insertSpaces": true}}),
    );
    client.notify("$/cancelRequest", json!({"id": id}));
    let answer = client.answer(id);
    assert_eq!(answer["error"]["code"], -32800, "{}", answer["error"]);
}
