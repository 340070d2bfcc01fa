//! The commands for images in the store.

use crate::scratch::{app, assert_snapshot, normal};

#[test]
fn an_empty_store_has_no_images() {
    let scratch = app();
    let output = scratch.run(&["images"]);
    assert_eq!((output.code, output.stdout.as_str()), (0, ""));
    assert_eq!(scratch.run(&["images", "--json"]).stdout, "[]\n");
}

#[test]
fn images_are_found_by_name_and_by_id() {
    let scratch = app();
    let id = scratch.build(&["-t", "app"]);
    let start = id.get(7..15).expect("digits");
    for name in ["app", "app:latest", "docker.io/library/app", &id, start] {
        let output = scratch.run(&["inspect", name]);
        assert_eq!(output.code, 0, "{name}: {output:?}");
        let image: serde_json::Value = serde_json::from_str(&output.stdout).expect("JSON");
        assert_eq!(image["id"], id.as_str());
        assert_eq!(image["config"]["config"]["Labels"]["kind"], "test");
    }
}

#[test]
fn an_image_without_a_name_is_found_by_its_id() {
    let scratch = app();
    let id = scratch.build(&[]);
    let start = id.get(7..19).expect("digits");
    assert_eq!(scratch.run(&["images", "-q"]).stdout, "");
    for name in [&id, start] {
        let output = scratch.run(&["history", name]);
        assert_eq!(output.code, 0, "{name}: {output:?}");
    }
    assert_eq!(scratch.run(&["tag", start, "late"]).code, 0);
    assert_eq!(scratch.run(&["rmi", "late"]).code, 0);
    assert_eq!(scratch.run(&["history", &id]).code, 0);
    assert_eq!(scratch.run(&["prune"]).code, 0);
    assert_eq!(scratch.run(&["history", &id]).code, 2);
}

#[test]
fn names_come_and_go() {
    let scratch = app();
    let id = scratch.build(&["-t", "app"]);
    assert_eq!(scratch.run(&["tag", "app", "other:1"]).code, 0);
    assert_eq!(
        scratch.run(&["images", "-q"]).stdout,
        format!("{id}\n{id}\n")
    );
    assert_eq!(scratch.run(&["rmi", "app"]).code, 0);
    assert_eq!(scratch.run(&["history", "app"]).code, 2);
    assert_eq!(scratch.run(&["rmi", "other:1"]).code, 0);
    assert_eq!(scratch.run(&["images", "-q"]).stdout, "");
}

#[test]
fn history_and_layers_are_tables() {
    let scratch = app();
    scratch.write(
        "app/Dockerfile",
        "FROM scratch\nCOPY a.txt b.txt /\nCOPY a.txt /b.txt\nLABEL kind=test\n",
    );
    scratch.build(&["-t", "app"]);
    let mut text = scratch.run(&["history", "app"]).stdout;
    text.push('\n');
    text.push_str(&scratch.run(&["layers", "app"]).stdout);
    assert_snapshot("tables.txt", &normal(&text));
    let output = scratch.run(&["layers", "--json", "app"]);
    let report: serde_json::Value = serde_json::from_str(&output.stdout).expect("JSON");
    assert_eq!((&report["size"], &report["wasted"]), (&9.into(), &6.into()));
    assert_eq!(report["wasteful_files"][0]["path"], "/b.txt");
    assert_eq!(report["layers"][1]["changed"], 1);
}

#[test]
fn an_archive_brings_the_image_to_another_store() {
    let (one, two) = (app(), app());
    let id = one.build(&["-t", "app"]);
    for format in ["docker", "oci"] {
        let archive = two.path("image.tar").display().to_string();
        let output = one.run(&["save", "app", "--format", format, "-o", &archive]);
        assert_eq!(output.code, 0, "{output:?}");
        let output = two.run(&["load", "-i", &archive]);
        assert_eq!(output.code, 0, "{output:?}");
        assert_eq!(two.run(&["images", "-q"]).stdout.trim(), id, "{format}");
        assert_eq!(two.run(&["rmi", "app"]).code, 0);
    }
}

#[test]
fn the_room_is_counted_and_freed() {
    let scratch = app();
    scratch.build(&["-t", "app"]);
    let output = scratch.run(&["du"]);
    assert!(output.stdout.contains("blobs of images"), "{output:?}");
    assert_eq!(scratch.run(&["rmi", "app"]).code, 0);
    assert_eq!(scratch.run(&["prune"]).code, 0);
    let output = scratch.run(&["store", "check"]);
    assert_eq!(output.code, 0, "{output:?}");
}
