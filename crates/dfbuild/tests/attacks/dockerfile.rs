//! Dockerfiles that ask for too much.

use std::time::{Duration, Instant};

use crate::scratch::{Output, Scratch};

fn build(dockerfile: &str, arguments: &[&str]) -> Output {
    let scratch = Scratch::new(&[("app/Dockerfile", dockerfile), ("app/a.txt", "a")]);
    let mut all = vec!["build", "-q", "app"];
    all.extend(arguments);
    scratch.run(&all)
}

fn assert_refused(dockerfile: &str, text: &str) {
    let output = build(dockerfile, &[]);
    let shown: String = dockerfile.chars().take(80).collect();
    assert_eq!(output.code, 1, "{shown}: {output:?}");
    assert!(output.stderr.contains(text), "{shown}: {output:?}");
    assert!(output.stderr.contains("Dockerfile:"), "{shown}: {output:?}");
}

#[test]
fn ten_thousand_stages_are_no_deep_recursion() {
    let mut chain = "FROM scratch AS s0\nCOPY a.txt /\n".to_owned();
    let mut copies = "FROM scratch AS s0\nCOPY a.txt /\n".to_owned();
    for number in 1..10_000 {
        let below = number - 1;
        chain.push_str(&format!("FROM s{below} AS s{number}\n"));
        if number < 1_000 {
            copies.push_str(&format!(
                "FROM scratch AS s{number}\nCOPY --from=s{below} /a.txt /\n"
            ));
        }
    }
    let start = Instant::now();
    for dockerfile in [&chain, &copies] {
        let output = build(dockerfile, &[]);
        assert_eq!(output.code, 0, "{:.300}", output.stderr);
    }
    assert!(
        start.elapsed() < Duration::from_secs(60),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn stages_that_need_each_other_are_refused() {
    assert_refused("FROM scratch AS a\nCOPY --from=a /x /\n", "");
    let cycle = "FROM scratch AS a\nCOPY --from=b /x /\nFROM a AS b\n";
    let output = build(cycle, &["--registry-mirror", "docker.io=127.0.0.1:1"]);
    assert_eq!(output.code, 1, "{output:?}");
    let named = build(
        "FROM scratch AS a\nCOPY --from=x /x /\nFROM a AS b\n",
        &["--build-context", "x=target:b"],
    );
    assert_eq!(named.code, 1, "{named:?}");
}

#[test]
fn a_line_of_a_megabyte_is_a_line() {
    let value = "a".repeat(1 << 20);
    let words = "a.txt ".repeat(100_000);
    let start = Instant::now();
    for dockerfile in [
        format!("FROM scratch\nLABEL a={value}\n"),
        format!("FROM scratch\nCOPY {value} /\n"),
        format!("FROM {value}\n"),
        format!("FROM scratch\n{value} x\n"),
        format!("FROM scratch\nCOPY {words} /to/\n"),
    ] {
        // BuildKit takes no more than 65,535 bytes.
        let output = build(&dockerfile, &[]);
        let shown: String = dockerfile.chars().take(40).collect();
        assert_eq!(output.code, 1, "{shown}");
        let is_exact = output.stderr.contains("the builder takes at most")
            || output.stderr.contains("unknown instruction");
        assert!(is_exact, "{shown}: {:.300}", output.stderr);
    }
    let folded = "    a.txt \\\n".repeat(20_000);
    let output = build(&format!("FROM scratch\nCOPY \\\n{folded}    /to/\n"), &[]);
    assert_eq!(output.code, 0, "{:.300}", output.stderr);
    assert!(
        start.elapsed() < Duration::from_secs(60),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn variables_that_double_end_with_an_error() {
    let mut dockerfile = "FROM scratch\nENV A=0123456789\n".to_owned();
    dockerfile.push_str(&"ENV A=$A$A\n".repeat(60));
    let start = Instant::now();
    let output = build(&dockerfile, &[]);
    assert_eq!(output.code, 1, "{:.300}", output.stderr);
    assert!(
        start.elapsed() < Duration::from_secs(30),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn numbers_of_users_do_not_overflow() {
    for user in ["4294967296", "2147483648:99999999999", "4294967296:0"] {
        assert_refused(&format!("FROM scratch\nUSER {user}\nWORKDIR /x\n"), "");
        assert_refused(
            &format!("FROM scratch\nCOPY --chown={user} a.txt /\n"),
            "out of range",
        );
    }
}

#[test]
fn rights_are_given_by_the_user_only() {
    let output = build("FROM scratch\nRUN --security=insecure [\"/x\"]\n", &[]);
    assert_eq!(output.code, 1, "{output:?}");
    assert!(output.stderr.contains("insecure"), "{output:?}");
}

#[test]
fn unknown_options_of_mounts_are_refused() {
    for option in [
        "bind-propagation=shared",
        "propagation=rshared",
        "foo",
        "src-x=/",
    ] {
        let dockerfile =
            format!("FROM scratch\nRUN --mount=type=bind,target=/x,{option} [\"/x\"]\n");
        assert_refused(&dockerfile, "");
    }
}

#[test]
fn the_id_of_a_cache_is_no_path() {
    let scratch = Scratch::new(&[]);
    scratch.write(
        "app/Dockerfile",
        "FROM scratch\nRUN --mount=type=cache,target=/c,id=../../../../escaped [\"/x\"]\n",
    );
    let output = scratch.run(&["build", "-q", "app"]);
    assert_eq!(output.code, 1, "{output:?}");
    assert!(!scratch.path("escaped").exists());
    assert!(!scratch.path("../escaped").exists());
}
