//! What README shows is what a reader gets.

use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn the_terminal_picture_is_the_real_output() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let readme = fs::read_to_string(root.join("README.md")).expect("README.md is there");
    let (_, block) = readme
        .split_once("$ dflint check examples\n[...]\n")
        .expect("the picture is there");
    let (picture, _) = block.split_once("```").expect("the picture ends");
    let output = Command::new(env!("CARGO_BIN_EXE_dflint"))
        .args(["check", "examples"])
        .current_dir(&root)
        .output()
        .expect("dflint runs");
    let output = String::from_utf8(output.stdout)
        .expect("UTF-8")
        .replace('\\', "/");
    assert!(
        output.contains(picture.trim_end()),
        "README shows\n{picture}\nand this comes out:\n{output}"
    );
}
