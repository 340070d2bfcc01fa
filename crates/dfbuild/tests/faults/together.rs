//! Several processes on one store.

use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use crate::app::{app, assert_sound};

#[test]
fn builds_at_the_same_time_give_the_same() {
    let scratch = app();
    let expected = scratch.build(&[]);
    std::fs::remove_dir_all(scratch.path("store")).expect("removed");
    let builds: Vec<_> = (0..6)
        .map(|number| {
            let tag = format!("app{number}");
            let mut arguments = vec!["build", "-q", "app", "-t", &tag];
            if number % 2 == 1 {
                arguments.push("--no-cache");
            }
            scratch
                .command(&arguments)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("started")
        })
        .collect();
    for build in builds {
        let output = build.wait_with_output().expect("ended");
        assert!(output.status.success(), "{output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), expected);
    }
    assert_sound(&scratch);
    let images = scratch.run(&["images"]);
    for number in 0..6 {
        assert!(
            images.stdout.contains(&format!("app{number}")),
            "{images:?}"
        );
    }
}

#[test]
fn a_prune_during_a_build_takes_nothing_away_from_it() {
    let scratch = app();
    let expected = scratch.build(&["-t", "kept"]);
    let mut refused = 0;
    for round in 0..12 {
        let mut build = scratch
            .command(&["build", "-q", "app", "--no-cache", "-t", "app"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("started");
        sleep(Duration::from_millis(4 * round));
        let prune = scratch.run(&["prune"]);
        if prune.code != 0 {
            assert!(prune.stderr.contains("in use"), "{prune:?}");
            refused += 1;
        }
        let _ = build.try_wait();
        let output = build.wait_with_output().expect("ended");
        assert!(output.status.success(), "{output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), expected);
        assert_sound(&scratch);
    }
    assert!(refused > 0, "no prune came during a build");
    assert_eq!(scratch.build(&["-t", "app"]), expected);
}

#[test]
fn a_check_during_a_build_calls_nothing_damaged() {
    let scratch = app();
    scratch.build(&[]);
    for round in 0..8 {
        let build = scratch
            .command(&["build", "-q", "app", "--no-cache"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("started");
        sleep(Duration::from_millis(5 * round));
        assert_sound(&scratch);
        assert!(build.wait_with_output().expect("ended").status.success());
    }
}
