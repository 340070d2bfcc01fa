//! Where the files of a build come from.

use std::fs;
use std::os::unix::fs::symlink;

use crate::scratch::{Scratch, app};

fn archive(scratch: &Scratch, folder: &str) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    builder
        .append_dir_all(".", scratch.path(folder))
        .expect("memory");
    builder.into_inner().expect("memory")
}

#[test]
fn a_tar_gives_the_same_image_as_its_folder() {
    let scratch = app();
    let id = scratch.build(&[]);
    let output = scratch.run_with_input(
        &["build", "-q", "--no-cache", "-"],
        &archive(&scratch, "app"),
    );
    assert_eq!(
        (output.code, output.stdout.trim()),
        (0, id.as_str()),
        "{output:?}"
    );
}

#[test]
fn a_dockerfile_may_come_through_a_pipe() {
    let scratch = app();
    let text = scratch.read("app/Dockerfile");
    let id = scratch.build(&[]);
    let output = scratch.run_with_input(&["build", "-q", "-f", "-", "app"], text.as_bytes());
    assert_eq!(output.stdout.trim(), id, "{output:?}");
    let output = scratch.run_with_input(&["build", "-q", "-"], b"FROM scratch\nLABEL a=b\n");
    assert_eq!(output.code, 0, "{output:?}");
    let output = scratch.run_with_input(&["build", "-q", "-f", "-", "-"], b"FROM scratch\n");
    assert_eq!(output.code, 2, "{output:?}");
}

#[test]
fn a_tar_that_leads_out_is_refused() {
    let scratch = app();
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    builder
        .append_link(&mut header, "out", "..")
        .expect("memory");
    let mut header = tar::Header::new_gnu();
    header.set_size(1);
    header.set_mode(0o644);
    builder
        .append_data(&mut header, "out/file", &b"x"[..])
        .expect("memory");
    let bytes = builder.into_inner().expect("memory");
    let output = scratch.run_with_input(&["build", "-q", "-"], &bytes);
    assert_eq!(output.code, 2, "{output:?}");
}

#[test]
fn the_ignore_file_beside_the_dockerfile_comes_first() {
    let scratch = app();
    scratch.write("app/.dockerignore", "b.txt\n");
    assert_eq!(scratch.run(&["build", "-q", "app"]).code, 1);
    scratch.write("app/Dockerfile.dockerignore", "# nothing\n");
    assert_eq!(scratch.run(&["build", "-q", "app"]).code, 0);
}

#[test]
fn links_out_of_the_context_are_refused() {
    for name in ["Dockerfile", ".dockerignore"] {
        let scratch = app();
        scratch.write("secret", "password\n");
        let _ = fs::remove_file(scratch.path("app").join(name));
        symlink("../secret", scratch.path("app").join(name)).expect("linked");
        let output = scratch.run(&["build", "-q", "app"]);
        assert_eq!(output.code, 2, "{output:?}");
        assert!(!output.stderr.contains("password"), "{output:?}");
    }
}

#[test]
fn a_git_url_cannot_smuggle_options() {
    let scratch = app();
    for url in [
        "https://example.invalid/a.git#--upload-pack=touch x",
        "https://example.invalid/a.git#main:../..",
        "ssh://-oProxyCommand=x/a.git",
    ] {
        let output = scratch.run(&["build", "-q", url]);
        assert_eq!(output.code, 2, "{output:?}");
    }
}

#[test]
fn an_ignore_file_that_leads_out_of_its_context_is_refused() {
    let scratch = app();
    scratch.write("secret", "the-text-of-a-host-file[\n");
    scratch.write("other/file", "x");
    for folder in ["app", "other"] {
        symlink("../secret", scratch.path(format!("{folder}/.dockerignore"))).expect("linked");
    }
    let output = scratch.run(&["build", "-q", "app"]);
    assert_eq!(output.code, 2, "{output:?}");
    assert!(
        output.stderr.contains("leads out of the context"),
        "{output:?}"
    );
    assert!(!output.stderr.contains("the-text"), "{output:?}");
    fs::remove_file(scratch.path("app/.dockerignore")).expect("removed");
    scratch.write("app/Dockerfile", "FROM scratch\nCOPY --from=other file /\n");
    let output = scratch.run(&["build", "-q", "--build-context", "other=other", "app"]);
    assert_eq!(output.code, 1, "{output:?}");
    assert!(
        output.stderr.contains("leads out of the context"),
        "{output:?}"
    );
    assert!(!output.stderr.contains("the-text"), "{output:?}");
}

#[test]
fn an_ignore_file_that_never_ends_is_refused() {
    let scratch = app();
    scratch.write("other/file", "x");
    let pipe = scratch.path("other/.dockerignore");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.is_ok_and(|status| status.success()));
    scratch.write("app/Dockerfile", "FROM scratch\nCOPY --from=other file /\n");
    let output = scratch.run(&["build", "-q", "--build-context", "other=other", "app"]);
    assert_eq!(output.code, 1, "{output:?}");
    assert!(output.stderr.contains("is not a file"), "{output:?}");
}
