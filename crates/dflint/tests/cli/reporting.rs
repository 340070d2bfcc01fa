//! What a run prints.

use crate::scratch::{CASING, CLEAN, Scratch, findings};

#[test]
fn a_clean_run_says_so_and_exits_0() {
    let scratch = Scratch::new(&[("Dockerfile", CLEAN), ("a/Dockerfile", CLEAN)]);
    let output = scratch.check(&[]);
    assert_eq!(output.code, 0);
    assert_eq!(output.stdout, "No findings in 2 files\n");
    assert_eq!(scratch.check(&["--quiet"]).stdout, "");
    assert_eq!(scratch.check(&["--output-format", "json"]).stdout, "[]\n");
}

#[test]
fn a_full_report_shows_the_words_without_colour() {
    let scratch = Scratch::new(&[("Dockerfile", CASING), ("a/Dockerfile", CLEAN)]);
    let output = scratch.check(&[]);
    assert_eq!(output.code, 1);
    assert!(
        output.stdout.contains(
            "
  ┌─ Dockerfile:1:13
  │
1 │ EXPOSE 8080/TCP
  │             ^^^
  │
"
        ),
        "{output:?}"
    );
    assert!(
        output
            .stdout
            .ends_with(" in 1 of 2 files; 1 can be fixed with --fix\n")
    );
    assert!(!output.stdout.contains('\u{1b}'));
    assert!(
        scratch
            .check(&["--color", "always"])
            .stdout
            .contains('\u{1b}')
    );
}

#[test]
fn a_concise_report_is_one_line_a_finding() {
    let scratch = Scratch::new(&[("Dockerfile", CASING), ("a/Dockerfile", CASING)]);
    let output = scratch.check(&["--output-format", "concise", "--quiet"]);
    let lines: Vec<&str> = output.stdout.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].starts_with("Dockerfile:1:13: "), "{output:?}");
    assert!(lines[1].starts_with("a/Dockerfile:1:13: "), "{output:?}");
}

#[test]
fn a_json_report_has_the_promised_members() {
    let scratch = Scratch::new(&[("Dockerfile", &format!("ARG é\n{CASING}"))]);
    let output = scratch.check(&["--output-format", "json"]);
    assert_eq!(output.code, 1);
    let findings = findings(&output);
    let [finding] = findings.as_slice() else {
        panic!("{output:?}");
    };
    assert_eq!(finding["file"], "Dockerfile");
    assert!(finding["rule"].is_string() && finding["code"].is_string());
    let aliases = finding["aliases"].as_array().expect("an array");
    assert!(aliases.contains(&"ExposeProtoCasing".into()));
    assert!(finding["severity"].is_string() && finding["message"].is_string());
    assert_eq!(
        finding["range"],
        serde_json::json!({
            "start": {"offset": 19, "line": 2, "column": 13},
            "end": {"offset": 22, "line": 2, "column": 16},
        })
    );
    assert!(finding["labels"].is_array());
    assert_eq!(finding["fix"]["applicability"], "safe");
    assert_eq!(finding["fix"]["edits"][0]["insert"], "tcp");
}

#[test]
fn statistics_count_in_place_of_findings() {
    let scratch = Scratch::new(&[("Dockerfile", CASING), ("a/Dockerfile", CASING)]);
    let output = scratch.check(&["--statistics"]);
    assert_eq!(output.code, 1);
    assert!(output.stdout.starts_with("2  "), "{output:?}");
    assert!(output.stdout.contains("(2 fixable)"), "{output:?}");
    assert!(!output.stdout.contains('│'), "{output:?}");
    let output = scratch.check(&["--statistics", "--output-format", "json"]);
    assert_eq!(findings(&output)[0]["findings"], 2);
}

#[test]
fn the_report_is_the_same_with_any_number_of_threads() {
    let scratch = Scratch::new(&[]);
    for number in 0..300 {
        scratch.write(&format!("{number}/Dockerfile"), CASING.repeat(number % 7));
    }
    for format in ["full", "concise", "json"] {
        let report = |jobs| {
            scratch
                .check(&["--output-format", format, "--jobs", jobs])
                .stdout
        };
        assert_eq!(report("1"), report("5"));
    }
}
