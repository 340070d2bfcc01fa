//! Findings and completion that know what is in an image: from a store that the test makes.

use std::fs;
use std::path::Path;
use std::time::Duration;

use dockerfile_build::{ContextSource, Request, Silent};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::{Client, place};

/// A folder with a Dockerfile and a store that has `tiny:1`.
fn scene(text: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("Dockerfile");
    fs::write(&path, text).expect("a file");
    write_image(folder.path(), "docker.io/library/tiny:1");
    let uri = format!("file://{}", path.display());
    (folder, uri)
}

fn write_image(folder: &Path, name: &str) {
    let files = [
        ("bin/", ""),
        ("bin/busybox*", "program"),
        ("bin/sh", "-> busybox"),
        ("etc/", ""),
        (
            "etc/passwd",
            "root:x:0:0::/:/bin/sh\nserver:x:5:5::/:/bin/sh\n",
        ),
        ("etc/motd", "hello"),
    ];
    let variables = ["PATH=/bin", "LANG=C.UTF-8"];
    let store = folder.join("store");
    test_support::write_small_image(&store, name, &files, &variables).expect("written");
}

fn start(folder: &Path, more: &Value) -> Client {
    // Any program will do: nothing is built by it.
    let mut options = json!({"builder": "/bin/sh", "store": folder.join("store")});
    let all = options.as_object_mut().expect("an object");
    all.extend(more.as_object().expect("an object").clone());
    Client::start_with(json!({
        "processId": null,
        "capabilities": {},
        "initializationOptions": options,
    }))
}

/// Waits for a publication with a finding of a rule, and returns its messages.
fn wait_for(client: &mut Client, rule: &str) -> Vec<String> {
    let of_rule = |message: &Value| -> Vec<String> {
        let found = message["params"]["diagnostics"].as_array();
        let found = found.into_iter().flatten();
        found
            .filter(|each| each["code"].as_str() == Some(rule))
            .map(|each| each["message"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    let message = client.wait(|message| {
        message["method"] == "textDocument/publishDiagnostics" && !of_rule(message).is_empty()
    });
    of_rule(&message)
}

fn labels(client: &mut Client, uri: &str, line: u32, character: u32) -> Vec<String> {
    let items = client.request("textDocument/completion", place(uri, line, character));
    let items = items["items"].as_array().or(items.as_array()).cloned();
    let label = |item: &Value| item["label"].as_str().unwrap_or_default().to_owned();
    items.unwrap_or_default().iter().map(label).collect()
}

#[test]
fn findings_know_the_image_of_the_store() {
    let text = "FROM tiny:1\nRUN curl x\nENV LANG=C.UTF-8\nUSER app\n";
    let (folder, uri) = scene(text);
    let mut client = start(folder.path(), &json!({}));
    client.open(&uri, text);
    let found = wait_for(&mut client, "command-not-in-image");
    assert!(found[0].starts_with("`tiny:1` has no `curl`"), "{found:?}");
    // What is known stays known: the first answer to an edit has it.
    client.insert(&uri, 2, 3, 8, "2");
    let found = client.findings(&uri, 2);
    let user = found.iter().find(|each| each["code"] == "unknown-user");
    let message = user.map(|each| each["message"].to_string());
    assert!(message.is_some_and(|message| message.contains("`app2`")));
}

#[test]
fn completion_knows_paths_and_users_of_the_image() {
    let text = "FROM tiny:1 AS a\nFROM scratch\nCOPY --from=a /etc/\nCOPY --from=tiny:1 /b\nFROM a\nUSER \nRUN curl\n";
    let (folder, uri) = scene(text);
    let mut client = start(folder.path(), &json!({}));
    client.open(&uri, text);
    wait_for(&mut client, "command-not-in-image");
    let found = labels(&mut client, &uri, 2, 19);
    assert!(found.contains(&"/etc/motd".to_owned()), "{found:?}");
    let found = labels(&mut client, &uri, 3, 21);
    assert!(found.contains(&"/bin/".to_owned()), "{found:?}");
    let found = labels(&mut client, &uri, 5, 5);
    assert!(found.contains(&"server".to_owned()), "{found:?}");
}

#[test]
fn an_image_that_comes_later_counts_with_the_next_edit() {
    let text = "FROM late:1\nRUN curl x\n";
    let (folder, uri) = scene(text);
    let mut client = start(folder.path(), &json!({}));
    client.open(&uri, text);
    assert!(
        client
            .findings(&uri, 1)
            .iter()
            .all(|each| each["code"] != "command-not-in-image")
    );
    write_image(folder.path(), "docker.io/library/late:1");
    client.insert(&uri, 2, 1, 10, "y");
    wait_for(&mut client, "command-not-in-image");
}

#[test]
fn nobody_looks_where_the_user_does_not_want_it() {
    let text = "FROM tiny:1\nRUN curl x\n";
    let (folder, uri) = scene(text);
    let mut client = start(folder.path(), &json!({"imageFacts": false}));
    client.open(&uri, text);
    let all = client.publications(Duration::from_millis(600));
    assert!(!all.is_empty());
    let has_finding = |publication: &Value| publication.to_string().contains("command-not-in");
    assert!(!all.iter().any(has_finding), "{all:?}");
}

#[test]
fn what_was_built_is_known_at_each_line() {
    let text = "FROM scratch\nCOPY app /app\nCMD [\"/app/b\"]\n";
    let (folder, uri) = scene(text);
    fs::create_dir(folder.path().join("app")).expect("a folder");
    fs::write(folder.path().join("app/a"), "program").expect("a file");
    let mut client = start(folder.path(), &json!({}));
    client.open(&uri, text);
    let found = client.findings(&uri, 1);
    assert!(
        found
            .iter()
            .all(|each| each["code"] != "missing-start-file")
    );
    let mut request = Request::new("Dockerfile", text);
    request.context = ContextSource::Directory(folder.path().canonicalize().expect("it is there"));
    request.store = folder.path().join("store");
    dockerfile_build::build(&request, &[], &Silent, &|| false).expect("it builds");
    client.insert(&uri, 2, 2, 12, "b");
    let found = wait_for(&mut client, "missing-start-file");
    assert!(
        found[0].starts_with("`/app/bb` is not in the image"),
        "{found:?}"
    );
    // What stands before the next edit stays known, so that the finding comes at once.
    client.insert(&uri, 3, 2, 12, "c");
    let found = wait_for(&mut client, "missing-start-file");
    assert!(found[0].starts_with("`/app/bcb` is not"), "{found:?}");
}
