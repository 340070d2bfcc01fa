//! What is seen while a build runs.

use crate::scratch::{app, assert_snapshot, normal};

#[test]
fn plain_is_a_line_an_event() {
    let scratch = app();
    let first = scratch.run(&["build", "--progress", "plain", "-t", "app", "app"]);
    let second = scratch.run(&["build", "--progress", "plain", "--explain-cache", "app"]);
    scratch.write("app/b.txt", "changed");
    let third = scratch.run(&["build", "--progress", "plain", "--explain-cache", "app"]);
    let text = [first, second, third].map(|output| {
        assert_eq!((output.code, output.stdout.as_str()), (0, ""), "{output:?}");
        output.stderr
    });
    assert_snapshot("plain.txt", &normal(&text.join("----\n")));
}

#[test]
fn rawjson_is_an_object_a_line() {
    let scratch = app();
    let output = scratch.run(&["build", "--progress", "rawjson", "-t", "app", "app"]);
    assert_eq!((output.code, output.stdout.as_str()), (0, ""), "{output:?}");
    for line in output.stderr.lines() {
        let object: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert!(
            object["type"].is_string() && object["time"].is_number(),
            "{line}"
        );
    }
    scratch.write("app/Dockerfile", "FROM scratch\nCOPY nosuch /\n");
    let failed = scratch.run(&["build", "--progress", "rawjson", "app"]);
    assert_eq!(failed.code, 1);
    let text = format!("{}----\n{}", output.stderr, failed.stderr);
    assert_snapshot("rawjson.txt", &normal(&text));
}

#[test]
fn quiet_is_the_image_id() {
    let scratch = app();
    for option in [&["-q"][..], &["--progress", "quiet"]] {
        let mut arguments = vec!["build", "app"];
        arguments.extend(option);
        let output = scratch.run(&arguments);
        assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{output:?}");
        assert_eq!(output.stdout.lines().count(), 1, "{output:?}");
    }
}

#[test]
fn tty_ends_with_a_summary_also_where_there_is_no_terminal() {
    let scratch = app();
    let output = scratch.run(&["build", "--progress", "tty", "app"]);
    assert_eq!(output.code, 0, "{output:?}");
    assert!(output.stderr.contains("(2 steps)"), "{output:?}");
}
