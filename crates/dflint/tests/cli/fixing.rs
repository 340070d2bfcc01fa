//! `--fix` and `--diff`.

use crate::scratch::{CASING, CLEAN, Scratch};

#[test]
fn fix_writes_the_file_and_exits_0_when_nothing_is_left() {
    let scratch = Scratch::new(&[("Dockerfile", CASING), ("a/Dockerfile", CLEAN)]);
    let output = scratch.check(&["--fix"]);
    assert_eq!(output.code, 0, "{output:?}");
    assert_eq!(scratch.read("Dockerfile"), CLEAN);
    assert_eq!(output.stdout, "No findings in 2 files\n");
    assert_eq!(output.stderr, "Fixed 1 finding in 1 file\n");
    let again = scratch.check(&["--fix"]);
    assert_eq!((again.code, again.stderr.as_str()), (0, ""));
}

#[test]
fn fix_keeps_line_endings_and_byte_order_mark() {
    let scratch = Scratch::new(&[("Dockerfile", "\u{feff}# x\r\nEXPOSE 1/TCP\r\nRUN x")]);
    scratch.check(&["--fix"]);
    assert_eq!(
        scratch.read("Dockerfile"),
        "\u{feff}# x\r\nEXPOSE 1/tcp\r\nRUN x"
    );
}

#[test]
fn diff_shows_the_change_and_writes_nothing() {
    let scratch = Scratch::new(&[("Dockerfile", CASING), ("a/Dockerfile", CLEAN)]);
    for arguments in [&["--diff"][..], &["--diff", "--fix"]] {
        let output = scratch.check(arguments);
        assert_eq!(output.code, 1);
        assert_eq!(
            output.stdout,
            "\
--- Dockerfile
+++ Dockerfile
@@ -1 +1 @@
-EXPOSE 8080/TCP
+EXPOSE 8080/tcp
"
        );
        assert_eq!(output.stderr, "Would fix 1 finding in 1 file\n");
        assert_eq!(scratch.read("Dockerfile"), CASING);
    }
    assert_eq!(scratch.check(&["--diff", "a"]).code, 0);
}

#[test]
fn a_read_only_file_is_left_and_the_others_are_fixed() {
    let scratch = Scratch::new(&[("Dockerfile", CASING), ("a/Dockerfile", CASING)]);
    let path = scratch.path("Dockerfile");
    let mut permissions = std::fs::metadata(&path).expect("read").permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&path, permissions).expect("set");
    let output = scratch.check(&["--fix"]);
    assert_eq!(output.code, 2);
    assert!(
        output
            .stderr
            .starts_with("error: cannot write Dockerfile: it is read-only\n"),
        "{output:?}"
    );
    assert_eq!(scratch.read("Dockerfile"), CASING);
    assert_eq!(scratch.read("a/Dockerfile"), CLEAN);
    assert!(output.stdout.contains("Dockerfile:1:13"), "{output:?}");
}

#[test]
fn no_temporary_file_stays() {
    let scratch = Scratch::new(&[("Dockerfile", CASING)]);
    scratch.check(&["--fix"]);
    let files = std::fs::read_dir(scratch.path(".")).expect("read");
    assert_eq!(files.count(), 1);
}
