//! What clients should not send, and more than they send on most days.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::json;

use crate::client::{Client, frame, place};

const URI: &str = "untitled:Dockerfile";

#[test]
fn survives_malformed_messages() {
    let mut client = Client::start(json!({}));
    client.open(URI, "FROM a\n");
    client.send_bytes(&frame("{"));
    client.send_bytes(&frame(""));
    client.send_bytes(&frame("[1, 2]"));
    client.send_bytes(&frame("\"text\""));
    client.send_bytes(&frame(
        "{\"jsonrpc\":\"2.0\",\"id\":77,\"method\":\"textDocument/hover\",\"params\":{\"no\":1}}",
    ));
    client.send_bytes(&frame(
        "{\"jsonrpc\":\"2.0\",\"method\":\"textDocument/didChange\",\"params\":[]}",
    ));
    client.send_bytes(b"garbage without a colon\r\nContent-Length: many\r\n\r\n");
    client.send_bytes(b"Content-Length: 3\r\n\r\n\xff\xfe\xfd");
    client.send_bytes(&frame(
        "{\"jsonrpc\":\"2.0\",\"method\":\"no/suchThing\",\"params\":{}}",
    ));
    let error = client.answer(77);
    assert_eq!(error["error"]["code"], -32602, "{error}");
    let id = client.ask("no/suchRequest", json!({}));
    assert_eq!(client.answer(id)["error"]["code"], -32601);
    let hover = client.request("textDocument/hover", place(URI, 0, 1));
    assert!(hover.to_string().contains("FROM"));
}

#[test]
fn survives_edits_that_do_not_fit() {
    let mut client = Client::start(json!({}));
    client.open(URI, "FROM a\r\nRUN é\n");
    client.insert(URI, 2, 99, 99, "x");
    client.insert(URI, 3, 0, 99, "y");
    client.insert("untitled:unknown", 2, 0, 0, "x");
    client.notify(
        "textDocument/didChange",
        json!({
            "textDocument": {"uri": URI, "version": 4},
            "contentChanges": [{
                "range": {"start": {"line": 1, "character": 5}, "end": {"line": 0, "character": 0}},
                "text": "",
            }],
        }),
    );
    client.findings(URI, 4);
}

#[test]
fn answers_for_a_document_that_is_not_open_with_an_error() {
    let mut client = Client::start(json!({}));
    let id = client.ask("textDocument/hover", place("untitled:unknown", 0, 0));
    assert!(client.answer(id)["error"]["message"].is_string());
}

#[test]
fn takes_ten_megabytes() {
    let mut client = Client::start(json!({}));
    let mut text = String::from("FROM debian:12\n");
    while text.len() < 10_000_000 {
        text.push_str("RUN apt-get update && apt-get install -y curl \\\n    wget git # comment\n");
    }
    client.open(URI, &text);
    for version in 2..7 {
        client.insert(URI, version, 1, 3, " ");
    }
    client.insert(URI, 7, 0, 0, "# top\n");
    let hover = client.request("textDocument/hover", place(URI, 1, 1));
    assert!(hover.to_string().contains("Starts a stage"));
    client.findings(URI, 7);
}

#[test]
fn takes_a_thousand_documents() {
    let mut client = Client::start(json!({}));
    for number in 0..1000 {
        let mut text = String::new();
        writeln!(text, "FROM debian AS stage{number}\nRUN cd /x").expect("a string takes any text");
        client.open(&format!("untitled:{number}"), &text);
    }
    for number in 0..1000 {
        let uri = format!("untitled:{number}");
        assert!(!client.findings(&uri, 1).is_empty());
    }
    let found = client.request("workspace/symbol", json!({"query": "stage999"}));
    assert_eq!(found.as_array().map(Vec::len), Some(1));
    for number in 0..1000 {
        client.notify(
            "textDocument/didClose",
            json!({"textDocument": {"uri": format!("untitled:{number}")}}),
        );
    }
    client.publications(Duration::from_millis(100));
    let found = client.request("workspace/symbol", json!({"query": ""}));
    assert_eq!(found.as_array().map(Vec::len), Some(0));
}
