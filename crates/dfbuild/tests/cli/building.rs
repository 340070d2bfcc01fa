//! `dfbuild build`: what comes out, and where.

use std::fs;

use crate::scratch::{Scratch, app};

#[test]
fn the_same_input_gives_the_same_image() {
    let (one, two) = (app(), app());
    let id = one.build(&[]);
    assert!(id.starts_with("sha256:"), "{id}");
    assert_eq!(id, two.build(&[]));
    assert_eq!(id, one.build(&["--no-cache"]));
    two.write("app/b.txt", "changed");
    assert_ne!(id, two.build(&[]));
}

#[test]
fn the_image_id_and_the_metadata_are_written() {
    let scratch = app();
    let id = scratch.build(&[
        "-t",
        "app",
        "--iidfile",
        "id",
        "--metadata-file",
        "meta.json",
    ]);
    assert_eq!(scratch.read("id"), id);
    let metadata: serde_json::Value =
        serde_json::from_str(&scratch.read("meta.json")).expect("JSON");
    assert_eq!(metadata["containerimage.config.digest"], id.as_str());
    assert_eq!(metadata["image.name"], "docker.io/library/app:latest");
}

#[test]
fn outputs_have_the_files_of_the_image() {
    let scratch = app();
    scratch.build(&[
        "-o",
        "out",
        "-o",
        "type=oci,dest=image.tar",
        "-o",
        "type=tar,dest=files.tar",
    ]);
    assert_eq!(scratch.read("out/a.txt"), "one");
    assert_eq!(scratch.read("out/b.txt"), "two");
    let names = |path: &str| -> Vec<String> {
        let file = fs::File::open(scratch.path(path)).expect("opened");
        let mut archive = tar::Archive::new(file);
        let entries = archive.entries().expect("a tar");
        entries
            .map(|entry| {
                entry
                    .expect("an entry")
                    .path()
                    .expect("a path")
                    .display()
                    .to_string()
            })
            .collect()
    };
    assert_eq!(names("files.tar"), ["a.txt", "b.txt"]);
    assert!(names("image.tar").contains(&"oci-layout".to_owned()));
}

#[test]
fn a_dash_writes_a_tar_to_standard_output() {
    let scratch = app();
    let output = scratch
        .command(&["build", "--progress", "plain", "-o", "-", "app"])
        .output()
        .expect("run");
    assert!(output.status.success());
    let mut archive = tar::Archive::new(output.stdout.as_slice());
    assert_eq!(archive.entries().expect("a tar").count(), 2);
}

#[test]
fn findings_come_first_and_errors_end_it() {
    let scratch = Scratch::new(&[("app/Dockerfile", "FROM scratch\nEXPOSE 80/TCP\n")]);
    let output = scratch.run(&["build", "--check", "-q", "app"]);
    assert_eq!(output.code, 0, "{output:?}");
    assert!(output.stderr.contains("80/TCP"), "{output:?}");
    assert!(output.stdout.starts_with("sha256:"), "{output:?}");
    scratch.write("app/Dockerfile", "FROM scratch\nCOPPY a b\n");
    let output = scratch.run(&["build", "--check", "-q", "app"]);
    assert_eq!((output.code, output.stdout.as_str()), (1, ""), "{output:?}");
}

#[test]
fn the_plan_says_what_would_run_and_why() {
    let scratch = app();
    let plan = |arguments: &[&str]| {
        let mut all = vec!["plan", "--json", "app"];
        all.extend(arguments);
        let output = scratch.run(&all);
        assert_eq!(output.code, 0, "{output:?}");
        let steps: serde_json::Value = serde_json::from_str(&output.stdout).expect("JSON");
        let steps = steps.as_array().expect("an array").clone();
        steps
            .iter()
            .map(|step| step["outlook"]["fate"].as_str().expect("a fate").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(plan(&[]), ["runs", "runs"]);
    scratch.build(&[]);
    assert_eq!(plan(&[]), ["cached", "cached"]);
    scratch.write("app/b.txt", "changed");
    assert_eq!(plan(&[]), ["cached", "runs"]);
    let output = scratch.run(&["plan", "app"]);
    assert!(output.stdout.contains("runs: "), "{output:?}");
}

#[test]
fn the_plan_names_the_files_that_changed() {
    let scratch = app();
    scratch.write("app/src/one/a.c", "a");
    scratch.write("app/src/two/b.c", "b");
    scratch.write("app/run.sh", "#!/bin/sh\n");
    scratch.write(
        "app/Dockerfile",
        "FROM scratch\nCOPY src /work/\nCOPY --link --chown=7:8 run.sh src /bin/\nADD --link src /added\n",
    );
    scratch.build(&[]);
    scratch.write("app/src/two/b.c", "B");
    scratch.write("app/src/new.c", "new");
    fs::remove_file(scratch.path("app/src/one/a.c")).expect("removed");
    let plan = scratch.run(&["plan", "app"]);
    let names = "`src` changed: `src/new.c`, `src/two/b.c`, `src/one/a.c (gone)`";
    let lines: Vec<&str> = plan.stdout.lines().collect();
    assert!(lines[0].contains(names), "{plan:?}");
    assert!(lines[1].contains("`new.c`, `two/b.c`"), "{plan:?}");
    // The build says the same.
    let built = scratch.run(&["build", "--progress", "plain", "--explain-cache", "app"]);
    assert!(built.stderr.contains(names), "{built:?}");
    let plan = scratch.run(&["plan", "app"]);
    assert!(!plan.stdout.contains("runs"), "{plan:?}");
}

#[test]
fn a_folder_of_files_has_the_times_of_the_image() {
    use std::os::unix::fs::MetadataExt as _;
    let scratch = app();
    scratch.write("app/src/deep/a.c", "a");
    std::os::unix::fs::symlink("a.c", scratch.path("app/src/deep/link")).expect("a link");
    scratch.write("app/Dockerfile", "FROM scratch\nCOPY src /app/src\n");
    scratch.build(&["-o", "out", "--timestamp", "1000000000"]);
    for path in [
        "app",
        "app/src",
        "app/src/deep",
        "app/src/deep/a.c",
        "app/src/deep/link",
    ] {
        let found = scratch
            .path("out")
            .join(path)
            .symlink_metadata()
            .expect("there");
        assert_eq!(
            (found.mtime(), found.mtime_nsec()),
            (1_000_000_000, 0),
            "{path}"
        );
    }
}

#[test]
fn the_files_that_changed_are_named() {
    let scratch = app();
    scratch.write("app/src/one/a.c", "a");
    scratch.write("app/src/two/b.c", "b");
    scratch.write(
        "app/Dockerfile",
        "FROM scratch\nCOPY src /work/\nFROM scratch\nCOPY . /all\nCOPY --from=0 /work /w\nCOPY --link a.txt b.txt /\n",
    );
    scratch.build(&[]);
    let explain = ["build", "--progress", "plain", "--explain-cache", "app"];
    // As long as before, and the times in the image are all the same.
    scratch.write("app/src/two/b.c", "B");
    let output = scratch.run(&explain);
    assert!(
        output
            .stderr
            .contains("because `src` changed: `src/two/b.c`\n"),
        "{output:?}"
    );
    assert!(
        output
            .stderr
            .contains("because `.` changed: `src/two/b.c`\n"),
        "{output:?}"
    );
    scratch.write("app/src/new.c", "new");
    fs::remove_file(scratch.path("app/src/one/a.c")).expect("removed");
    let output = scratch.run(&explain);
    let names = "`src` changed: `src/new.c`, `src/one/a.c (gone)`";
    assert!(output.stderr.contains(names), "{output:?}");
    scratch.write("app/b.txt", "2");
    let output = scratch.run(&explain);
    assert!(output.stderr.contains("changed: `b.txt`"), "{output:?}");
}

#[test]
fn a_from_is_a_step_that_begins_and_ends() {
    let scratch = app();
    scratch.build(&["-o", "type=oci,tar=false,dest=layout"]);
    scratch.write("other/file", "x");
    scratch.write(
        "app/Dockerfile",
        "FROM other AS files\nFROM base\nCOPY --from=files /file /\n",
    );
    fs::remove_dir_all(scratch.path("store")).expect("removed");
    let arguments = [
        "build",
        "--progress",
        "rawjson",
        "app",
        "--build-context",
        "base=oci-layout://layout",
        "--build-context",
        "other=other",
    ];
    let first = scratch.run(&arguments);
    assert_eq!(first.code, 0, "{first:?}");
    let second = scratch.run(&arguments);
    for (output, state) in [(&first, "done"), (&second, "cached")] {
        let events: Vec<serde_json::Value> = output
            .stderr
            .lines()
            .chain(output.stdout.lines())
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        let ids = |kind: &str| -> Vec<String> {
            let mut ids: Vec<String> = events
                .iter()
                .filter(|event| event["type"] == kind)
                .map(|event| event["step"].to_string())
                .collect();
            ids.sort();
            ids
        };
        assert_eq!(ids("started"), ids("finished"), "{output:?}");
        let from = events
            .iter()
            .find(|event| event["type"] == "finished" && event["step"] == 2);
        assert_eq!(
            from.map(|event| &event["state"]),
            Some(&state.into()),
            "{output:?}"
        );
    }
}
