//! Which files are checked.

use crate::scratch::{CASING, Scratch};

#[test]
fn finds_dockerfiles_by_name_in_sorted_order() {
    let scratch = Scratch::new(&[
        ("Dockerfile", CASING),
        ("b/web.Dockerfile", CASING),
        ("b/Containerfile", CASING),
        ("a/Dockerfile.dev", CASING),
        ("a/Dockerfile.dev.dockerignore", CASING),
        ("a/Dockerfile.j2", CASING),
        ("a/dockerfile.go", CASING),
        ("a/README.md", CASING),
        (".devcontainer/Dockerfile", CASING),
        (".git/Dockerfile", CASING),
        ("node_modules/x/Dockerfile", CASING),
    ]);
    let expected = [
        ".devcontainer/Dockerfile",
        "Dockerfile",
        "a/Dockerfile.dev",
        "b/Containerfile",
        "b/web.Dockerfile",
    ];
    assert_eq!(scratch.files_with_findings(&[]), expected);
    assert_eq!(scratch.files_with_findings(&["."]), expected);
    assert_eq!(scratch.files_with_findings(&["--jobs", "7"]), expected);
}

#[test]
fn checks_a_given_file_whatever_its_name() {
    let scratch = Scratch::new(&[("README.md", CASING), ("x/Dockerfile.j2", CASING)]);
    assert_eq!(
        scratch.files_with_findings(&["x/Dockerfile.j2", "README.md"]),
        ["README.md", "x/Dockerfile.j2"]
    );
}

#[test]
fn respects_gitignore_with_and_without_a_repository() {
    let scratch = Scratch::new(&[
        (".gitignore", "out/\n"),
        ("out/Dockerfile", CASING),
        ("Dockerfile", CASING),
    ]);
    assert_eq!(scratch.files_with_findings(&[]), ["Dockerfile"]);
    assert_eq!(
        scratch.files_with_findings(&["--no-gitignore"]),
        ["Dockerfile", "out/Dockerfile"]
    );
    assert_eq!(
        scratch.files_with_findings(&["out/Dockerfile"]),
        ["out/Dockerfile"]
    );
}

#[test]
fn checks_a_file_that_is_named_twice_once() {
    let scratch = Scratch::new(&[("a/Dockerfile", CASING)]);
    assert_eq!(
        scratch
            .files_with_findings(&["a", ".", "a/Dockerfile", "a/../a/Dockerfile"])
            .len(),
        1
    );
}

#[test]
fn says_when_there_is_nothing_to_check() {
    let scratch = Scratch::new(&[("README.md", CASING)]);
    let output = scratch.check(&[]);
    assert_eq!(output.code, 0);
    assert_eq!(output.stdout, "");
    assert_eq!(
        output.stderr,
        "warning: no Dockerfile found in the given paths\n"
    );
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::symlink;

    use crate::scratch::{CASING, Scratch};

    #[test]
    fn a_folder_loop_ends() {
        let scratch = Scratch::new(&[("a/Dockerfile", CASING)]);
        symlink(scratch.path("."), scratch.path("a/loop")).expect("linked");
        symlink(scratch.path("self"), scratch.path("self")).expect("linked");
        assert_eq!(scratch.files_with_findings(&[]), ["a/Dockerfile"]);
        let output = scratch.check(&["self", "a"]);
        assert_eq!(output.code, 2);
        assert!(output.stderr.starts_with("error: cannot read self: "));
        assert!(output.stdout.contains("a/Dockerfile:1:13"), "{output:?}");
    }

    #[test]
    fn a_link_to_a_file_is_checked_unless_the_file_is() {
        let scratch = Scratch::new(&[("images/prod", CASING), ("images/Dockerfile", CASING)]);
        symlink(scratch.path("images/prod"), scratch.path("Dockerfile")).expect("linked");
        symlink(
            scratch.path("images/Dockerfile"),
            scratch.path("Dockerfile.same"),
        )
        .expect("linked");
        symlink(scratch.path("nowhere"), scratch.path("Dockerfile.broken")).expect("linked");
        assert_eq!(
            scratch.files_with_findings(&[]),
            ["Dockerfile", "images/Dockerfile"]
        );
    }

    #[test]
    fn a_given_link_to_a_folder_is_walked() {
        let scratch = Scratch::new(&[("a/Dockerfile", CASING)]);
        symlink(scratch.path("a"), scratch.path("b")).expect("linked");
        assert_eq!(scratch.files_with_findings(&["b"]), ["b/Dockerfile"]);
    }
}
