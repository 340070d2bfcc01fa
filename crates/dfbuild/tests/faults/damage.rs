//! Files of the store that are not what they were.

use std::fs;
use std::path::PathBuf;

use crate::app::{app, assert_fails, assert_sound};
use crate::scratch::Scratch;

fn files(scratch: &Scratch, below: &str) -> Vec<PathBuf> {
    let (mut open, mut found) = (vec![scratch.path(below)], Vec::new());
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).expect("listed").flatten() {
            if entry.file_type().expect("known").is_dir() {
                open.push(entry.path());
            } else {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

/// Damages files one after the other; each time the check tells, the repair heals, and the build works.
fn assert_heals(below: &str, is_meant: &dyn Fn(&str) -> bool, damage: &dyn Fn(&[u8]) -> Vec<u8>) {
    let scratch = app();
    let expected = scratch.build(&["-t", "app"]);
    let mut count = 0;
    for path in files(&scratch, below) {
        let name = path
            .strip_prefix(scratch.path("store"))
            .expect("inside")
            .display()
            .to_string();
        if !is_meant(&name) || !path.is_file() {
            continue;
        }
        let bytes = fs::read(&path).expect("read");
        if bytes.is_empty() {
            continue;
        }
        fs::write(&path, damage(&bytes)).expect("written");
        count += 1;
        let output = scratch.run(&["store", "check"]);
        assert_eq!(output.code, 1, "{name}: {output:?}");
        let output = scratch.run(&["store", "check", "--repair"]);
        assert_eq!(output.code, 0, "{name}: {output:?}");
        assert_sound(&scratch);
        assert_eq!(scratch.build(&["-t", "app"]), expected, "{name}");
        assert_sound(&scratch);
    }
    assert!(count > 2, "{count} files were damaged");
}

fn with_another_byte(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    bytes
}

#[test]
fn a_blob_with_another_byte_is_found_and_made_again() {
    assert_heals("store/blobs", &|_| true, &with_another_byte);
}

#[test]
fn a_blob_that_is_cut_off_is_found_and_made_again() {
    assert_heals("store/blobs", &|_| true, &|bytes| {
        bytes[..bytes.len() / 2].to_vec()
    });
}

#[test]
fn a_listing_with_another_byte_is_found_and_made_again() {
    assert_heals(
        "store/layers",
        &|name| name.ends_with("/listing"),
        &with_another_byte,
    );
}

#[test]
fn answers_of_the_cache_that_are_rubbish_are_not_believed() {
    let scratch = app();
    let expected = scratch.build(&["-t", "app"]);
    for path in files(&scratch, "store/cache") {
        fs::write(&path, b"\xff\xff\xff\xffrubbish").expect("written");
    }
    assert_eq!(scratch.build(&["-t", "app"]), expected);
    assert_sound(&scratch);
}

#[test]
fn files_that_lost_their_bytes_with_the_power_are_made_again() {
    let scratch = app();
    let expected = scratch.build(&[]);
    let all = files(&scratch, "store/cache")
        .into_iter()
        .chain(files(&scratch, "store/layers"));
    for path in all {
        let name = path.to_string_lossy();
        if !name.contains("/snapshot/") {
            fs::write(&path, b"").expect("written");
        }
    }
    assert_eq!(scratch.build(&[]), expected);
}

#[test]
fn an_export_of_a_damaged_image_fails_and_leaves_no_file() {
    let scratch = app();
    scratch.build(&["-t", "app"]);
    for path in files(&scratch, "store/blobs") {
        let bytes = fs::read(&path).expect("read");
        if !bytes.starts_with(b"{") {
            fs::write(&path, with_another_byte(&bytes)).expect("written");
        }
    }
    let output = scratch.run(&["build", "-q", "app", "-o", "type=oci,dest=image.tar"]);
    assert_fails(&output, "sha256:");
    assert!(!scratch.path("image.tar").exists());
}

#[test]
fn a_copy_from_a_damaged_layer_is_told_and_heals() {
    let text = |name: &str| {
        format!(
            "FROM scratch AS one\nCOPY a.txt b.txt /\nFROM scratch\nCOPY --from=one /a.txt /{name}\n"
        )
    };
    let scratch = Scratch::new(&[
        ("app/Dockerfile", &text("first")),
        ("app/a.txt", "the file that is copied"),
        ("app/b.txt", "another one"),
    ]);
    scratch.build(&[]);
    let mut count = 0;
    for path in files(&scratch, "store/blobs") {
        let bytes = fs::read(&path).expect("read");
        let text = String::from_utf8_lossy(&bytes);
        if let (false, Some(at)) = (bytes.starts_with(b"{"), text.find("another one")) {
            // Not in the file that is copied: nobody could tell from that one alone.
            let mut bytes = bytes.clone();
            bytes[at] ^= 1;
            fs::write(&path, bytes).expect("written");
            count += 1;
        }
    }
    assert_eq!(count, 1);
    scratch.write("app/Dockerfile", text("second"));
    let output = scratch.run(&["build", "--progress", "plain", "app"]);
    assert_fails(&output, "in the store is damaged");
    assert_fails(&output, "sha256:");
    let output = scratch.run(&["store", "check", "--repair"]);
    assert_eq!(output.code, 0, "{output:?}");
    scratch.build(&[]);
    assert_sound(&scratch);
}
