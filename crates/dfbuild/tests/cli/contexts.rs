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
