//! How the server begins and ends.

use std::process::Command;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::client::Client;

#[test]
fn ends_at_exit_with_the_input_still_open() {
    let mut client = Client::start(json!({}));
    client.request("shutdown", Value::Null);
    client.notify("exit", Value::Null);
    assert_eq!(client.exit_code(), Some(0));
}

#[test]
fn exit_without_shutdown_is_a_failure() {
    let mut client = Client::start(json!({}));
    client.notify("exit", Value::Null);
    assert_eq!(client.exit_code(), Some(1));
}

#[test]
fn ends_with_its_input() {
    let mut client = Client::start(json!({}));
    client.close_input();
    assert_eq!(client.exit_code(), Some(1));
}

#[test]
fn ends_with_the_process_of_its_client() {
    let mut editor = Command::new("sleep").arg("60").spawn().expect("it starts");
    let mut client = Client::start_with(json!({"capabilities": {}, "processId": editor.id()}));
    editor.kill().expect("it can be ended");
    editor.wait().expect("it ends");
    assert_eq!(client.exit_code(), Some(1));
}

#[test]
fn answers_requests_before_initialize_with_an_error() {
    let mut client = Client::spawn();
    let id = client.ask(
        "textDocument/hover",
        crate::client::place("file:///a", 0, 0),
    );
    assert_eq!(client.answer(id)["error"]["code"], -32002);
    thread::sleep(Duration::from_millis(10));
    client.request("initialize", json!({"capabilities": {}}));
}

#[test]
fn agrees_on_the_units_of_columns() {
    for (offered, agreed, width) in [
        (json!(["utf-16", "utf-8"]), "utf-8", 4),
        (json!(["utf-32"]), "utf-32", 1),
        (Value::Null, "utf-16", 2),
    ] {
        let mut client = Client::spawn();
        let capabilities = json!({"general": {"positionEncodings": offered}});
        let result = client.request("initialize", json!({"capabilities": capabilities}));
        assert_eq!(result["capabilities"]["positionEncoding"], agreed);
        client.notify("initialized", json!({}));
        client.open("untitled:a", "FROM a\nENV A=😀 B=1\nRUN echo $B\n");
        let found = client.request(
            "textDocument/definition",
            crate::client::place("untitled:a", 2, 10),
        );
        // `ENV A=` and a blank are 7 columns in all units; `😀` is 4 bytes, 2 UTF-16 code units, 1 code point.
        let character = found[0]["range"]["start"]["character"].as_i64();
        assert_eq!(character, Some(7 + width), "{agreed}: {found}");
    }
}
