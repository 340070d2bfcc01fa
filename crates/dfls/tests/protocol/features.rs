//! One question for each thing that the server says it can do.

use std::fs;

use serde_json::{Value, json};

use crate::client::{Client, place};

const URI: &str = "untitled:Dockerfile";
const TEXT: &str = "\
FROM debian AS build
ARG V=1
RUN apt-get install -y b a && echo $V
FROM scratch
COPY --from=build /x /y
";

fn full() -> Value {
    json!({
        "textDocument": {
            "completion": {"completionItem": {"snippetSupport": true}},
            "documentSymbol": {"hierarchicalDocumentSymbolSupport": true},
        },
        "workspace": {"workspaceEdit": {"documentChanges": true}},
    })
}

fn opened(text: &str) -> Client {
    let mut client = Client::start(full());
    client.open(URI, text);
    client
}

fn document() -> Value {
    json!({"textDocument": {"uri": URI}})
}

fn whole() -> Value {
    json!({"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}})
}

#[test]
fn publishes_findings_with_the_version() {
    let mut client = opened(TEXT);
    let found = client.findings(URI, 1);
    assert!(
        found
            .iter()
            .any(|each| each["code"] == "untagged-base-image"),
        "{found:?}"
    );
}

#[test]
fn findings_go_on_behind_a_syntax_error() {
    let mut client = opened("FROM debian\nRUNN x\nRUN cd /x\n");
    let found = client.findings(URI, 1);
    let lines: Vec<i64> = found
        .iter()
        .filter_map(|each| each["range"]["start"]["line"].as_i64())
        .collect();
    assert!(
        lines.contains(&0) && lines.contains(&1) && lines.contains(&2),
        "{found:?}"
    );
}

#[test]
fn a_client_that_pulls_gets_no_publications() {
    let mut client = Client::start(json!({"textDocument": {"diagnostic": {}}}));
    client.open(URI, TEXT);
    let report = client.request("textDocument/diagnostic", document());
    assert_eq!(report["kind"], "full");
    assert!(
        report["items"]
            .as_array()
            .is_some_and(|items| !items.is_empty())
    );
    let again = client.request(
        "textDocument/diagnostic",
        json!({"textDocument": {"uri": URI}, "previousResultId": report["resultId"]}),
    );
    assert_eq!(again["kind"], "unchanged");
    assert!(
        client
            .publications(std::time::Duration::from_millis(50))
            .is_empty()
    );
}

#[test]
fn completes_and_resolves() {
    let mut client = opened("FROM a\nRUN --\n");
    let list = client.request("textDocument/completion", place(URI, 1, 6));
    let item = list["items"]
        .as_array()
        .and_then(|items| items.iter().find(|item| item["label"] == "--mount"))
        .cloned()
        .expect("it is offered");
    assert_eq!(item["textEdit"]["newText"], "--mount=");
    let resolved = client.request("completionItem/resolve", item);
    assert!(resolved["documentation"]["value"].is_string());
}

#[test]
fn answers_where_names_are_declared_and_used() {
    let mut client = opened(TEXT);
    let found = client.request("textDocument/definition", place(URI, 4, 14));
    assert_eq!(
        found[0]["range"]["start"],
        json!({"line": 0, "character": 15})
    );
    let mut params = place(URI, 2, 36);
    params["context"] = json!({"includeDeclaration": true});
    let found = client.request("textDocument/references", params);
    assert_eq!(found.as_array().map(Vec::len), Some(2));
    let found = client.request("textDocument/documentHighlight", place(URI, 0, 16));
    assert_eq!(found.as_array().map(Vec::len), Some(2));
    assert!(
        client.request("textDocument/prepareRename", place(URI, 0, 16))["placeholder"] == "build"
    );
    let mut params = place(URI, 0, 16);
    params["newName"] = json!("tools");
    let edit = client.request("textDocument/rename", params.clone());
    assert_eq!(
        edit["documentChanges"][0]["edits"].as_array().map(Vec::len),
        Some(2)
    );
    assert_eq!(edit["documentChanges"][0]["textDocument"]["version"], 1);
    params["newName"] = json!("1");
    let id = client.ask("textDocument/rename", params);
    assert!(client.answer(id)["error"]["message"].is_string());
}

#[test]
fn shows_the_outline_folds_links_and_lenses() {
    let mut client = opened(TEXT);
    let symbols = client.request("textDocument/documentSymbol", document());
    assert_eq!(symbols[0]["name"], "build");
    assert_eq!(symbols[0]["children"].as_array().map(Vec::len), Some(2));
    let folds = client.request("textDocument/foldingRange", document());
    assert_eq!(folds[0]["endLine"], 2);
    let links = client.request("textDocument/documentLink", document());
    assert_eq!(links.as_array().map(Vec::len), Some(1));
    let lenses = client.request("textDocument/codeLens", document());
    assert!(lenses.to_string().contains("used once"));
    let mut params = document();
    params["range"] = whole();
    client.request("textDocument/inlayHint", params);
}

#[test]
fn colours_in_full_by_difference_and_by_range() {
    let mut client = opened(TEXT);
    let full = client.request("textDocument/semanticTokens/full", document());
    let count = full["data"].as_array().map_or(0, Vec::len);
    assert!(count > 50 && count.is_multiple_of(5));
    client.insert(URI, 2, 2, 3, " ");
    let mut params = document();
    params["previousResultId"] = full["resultId"].clone();
    let delta = client.request("textDocument/semanticTokens/full/delta", params);
    assert_eq!(delta["edits"].as_array().map(Vec::len), Some(1), "{delta}");
    let mut params = document();
    params["range"] =
        json!({"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 9}});
    let part = client.request("textDocument/semanticTokens/range", params);
    assert!(
        part["data"]
            .as_array()
            .is_some_and(|data| data.len() < count)
    );
}

#[test]
fn selects_and_walks_the_graph_of_stages() {
    let mut client = opened(TEXT);
    let mut params = document();
    params["positions"] = json!([{"line": 2, "character": 10}]);
    let ranges = client.request("textDocument/selectionRange", params);
    assert!(ranges[0]["parent"]["parent"].is_object());
    let items = client.request("textDocument/prepareCallHierarchy", place(URI, 4, 1));
    let outgoing = client.request("callHierarchy/outgoingCalls", json!({"item": items[0]}));
    assert_eq!(outgoing[0]["to"]["name"], "build");
    let incoming = client.request(
        "callHierarchy/incomingCalls",
        json!({"item": outgoing[0]["to"]}),
    );
    assert_eq!(incoming[0]["from"]["name"], "stage 1");
    let stages = client.request("dfls/stages", json!({"uri": URI}));
    assert_eq!(stages[1]["needs"], json!([0]));
}

#[test]
fn formats_all_of_it_a_part_of_it_and_while_typing() {
    let mut client = opened("from debian\nrun  a   \\\n&&   b\n");
    let options = json!({"tabSize": 4, "insertSpaces": true});
    let mut params = document();
    params["options"] = options.clone();
    assert!(
        !client
            .request("textDocument/formatting", params.clone())
            .as_array()
            .expect("edits")
            .is_empty()
    );
    params["range"] =
        json!({"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 1}});
    let edits = client.request("textDocument/rangeFormatting", params);
    assert!(
        edits
            .as_array()
            .expect("edits")
            .iter()
            .all(|edit| edit["range"]["start"]["line"] == 0)
    );
    client.open("untitled:b", "FROM a\nRUN a \\\n");
    let mut params = place("untitled:b", 2, 0);
    params["ch"] = json!("\n");
    params["options"] = options;
    let edits = client.request("textDocument/onTypeFormatting", params);
    assert_eq!(edits[0]["newText"], "    ");
}

#[test]
fn offers_fixes_refactorings_and_fix_all() {
    let mut client = opened("FROM debian:12 as build\nMAINTAINER me\nRUN a \\\n    && b\n");
    let ask = |client: &mut Client, line: u32, context: Value| {
        let place = json!({"line": line, "character": 0});
        let params = json!({"textDocument": {"uri": URI}, "range": {"start": place, "end": place}, "context": context});
        client
            .request("textDocument/codeAction", params)
            .as_array()
            .cloned()
            .unwrap_or_default()
    };
    let all = ask(&mut client, 1, json!({"diagnostics": []}));
    assert!(all.iter().any(|action| {
        action["title"]
            .as_str()
            .is_some_and(|title| title.starts_with("Silence"))
    }));
    let all = ask(&mut client, 2, json!({"diagnostics": []}));
    assert!(
        all.iter()
            .any(|action| action["kind"] == "refactor.rewrite"),
        "{all:?}"
    );
    let all = ask(
        &mut client,
        0,
        json!({"diagnostics": [], "only": ["source.fixAll"]}),
    );
    assert_eq!(all.len(), 1, "{all:?}");
}

#[test]
fn completes_files_of_the_context_and_watches_the_configuration() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("Dockerfile");
    fs::write(folder.path().join("main.py"), "").expect("a file");
    let uri = format!("file://{}", path.display());
    let mut client = Client::start(full());
    client.open(&uri, "FROM a\nCOPY \nRUN a && b\n");
    client.findings(&uri, 1);
    let mut labels = String::new();
    for _ in 0..100 {
        labels = client
            .request("textDocument/completion", place(&uri, 1, 5))
            .to_string();
        if labels.contains("main.py") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(labels.contains("main.py"), "{labels}");
    fs::write(folder.path().join("dflint.toml"), "no = \"such thing\"\n").expect("a file");
    client.notify(
        "workspace/didChangeWatchedFiles",
        json!({"changes": [{"uri": format!("file://{}/dflint.toml", folder.path().display()), "type": 1}]}),
    );
    let message = client.wait(|message| message["method"] == "window/showMessage");
    assert!(
        message["params"]["message"]
            .as_str()
            .is_some_and(|text| text.contains("dflint.toml"))
    );
}

#[test]
fn a_compose_file_says_what_the_context_is_and_what_arguments_hold() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("docker")).expect("a folder");
    let path = folder.path().join("docker/Dockerfile");
    let text = "ARG V=1\nFROM debian:$V\nCOPY \n";
    fs::write(&path, text).expect("a file");
    fs::write(folder.path().join("main.py"), "").expect("a file");
    let compose = "services:\n  app:\n    build:\n      context: .\n      dockerfile: docker/Dockerfile\n      args: {V: bookworm}\n";
    fs::write(folder.path().join("compose.yaml"), compose).expect("a file");
    let uri = format!("file://{}", path.display());
    let mut client = Client::start(full());
    client.open(&uri, text);
    client.findings(&uri, 1);
    let hover = client.request("textDocument/hover", place(&uri, 1, 13));
    assert!(hover.to_string().contains("bookworm"), "{hover}");
    let found = (0..100).any(|_| {
        let answer = client.request("textDocument/completion", place(&uri, 2, 5));
        let is_there = answer.to_string().contains("main.py");
        if !is_there {
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        is_there
    });
    assert!(found, "the file of the context is not offered");
}

#[test]
fn rules_can_be_switched_off_by_settings() {
    let mut client = opened("FROM debian\n");
    assert!(
        client
            .findings(URI, 1)
            .iter()
            .any(|each| each["code"] == "untagged-base-image")
    );
    client.notify(
        "workspace/didChangeConfiguration",
        json!({"settings": {"dflint": {"ignore": ["untagged-base-image"]}}}),
    );
    assert!(
        !client
            .findings(URI, 1)
            .iter()
            .any(|each| each["code"] == "untagged-base-image")
    );
}
