//! What `dfbuild prune` keeps, and in which order it deletes.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::app::assert_sound;
use crate::scratch::{Scratch, app};

/// Makes everything in a folder look as if it was last used so long ago.
fn age(folder: &Path, hours: u64) {
    for entry in fs::read_dir(folder).expect("listed").flatten() {
        let path = entry.path();
        if path.is_dir() {
            age(&path, hours);
        }
        let time = SystemTime::now() - Duration::from_secs(hours * 3600);
        File::open(path)
            .expect("opened")
            .set_modified(time)
            .expect("set");
    }
}

fn steps_that_run(scratch: &Scratch) -> usize {
    let plan = scratch.run(&["plan", "--json", "app"]);
    plan.stdout.matches("\"runs\"").count()
}

fn layers(scratch: &Scratch) -> usize {
    fs::read_dir(scratch.path("store/layers")).map_or(0, Iterator::count)
}

#[test]
fn what_was_used_lately_stays() {
    let scratch = app();
    scratch.build(&[]);
    assert_eq!(layers(&scratch), 2);
    age(&scratch.path("store"), 48);
    scratch.write("app/c.txt", "three");
    scratch.write("app/Dockerfile", "FROM scratch\nCOPY c.txt /\n");
    scratch.build(&[]);
    let output = scratch.run(&["prune", "--older-than", "24h"]);
    assert_eq!(output.code, 0, "{output:?}");
    assert_eq!(layers(&scratch), 1, "{output:?}");
    assert_eq!(steps_that_run(&scratch), 0);
    assert_sound(&scratch);
}

#[test]
fn the_use_of_a_layer_counts_and_not_its_making() {
    let scratch = app();
    scratch.build(&[]);
    age(&scratch.path("store"), 48);
    scratch.build(&[]);
    let output = scratch.run(&["prune", "--older-than", "24h"]);
    assert_eq!(output.code, 0, "{output:?}");
    assert_eq!(layers(&scratch), 2, "{output:?}");
}

#[test]
fn no_more_is_deleted_than_has_to_be() {
    let scratch = app();
    for (number, hours) in [(1, 30), (2, 20), (3, 10)] {
        scratch.write("app/a.txt", number.to_string().repeat(100_000));
        scratch.write("app/Dockerfile", "FROM scratch\nCOPY a.txt /\n");
        scratch.build(&[]);
        for entry in fs::read_dir(scratch.path("store/layers"))
            .expect("listed")
            .flatten()
        {
            let listing = File::open(entry.path().join("listing")).expect("opened");
            let modified = listing
                .metadata()
                .and_then(|found| found.modified())
                .expect("known");
            if modified
                .elapsed()
                .is_ok_and(|age| age < Duration::from_secs(3600))
            {
                let time = SystemTime::now() - Duration::from_secs(hours * 3600);
                listing.set_modified(time).expect("set");
            }
        }
    }
    let output = scratch.run(&["prune", "--keep-storage", "220kB"]);
    assert_eq!(output.code, 0, "{output:?}");
    assert_eq!(layers(&scratch), 2, "{output:?}");
    assert_eq!(steps_that_run(&scratch), 0);
    let output = scratch.run(&["prune", "--keep-storage", "0"]);
    assert_eq!(layers(&scratch), 0, "{output:?}");
    assert_sound(&scratch);
}

#[test]
fn an_image_with_a_name_stays_whole() {
    let scratch = app();
    let id = scratch.build(&["-t", "app"]);
    let output = scratch.run(&["prune", "--older-than", "0s"]);
    assert_eq!(output.code, 0, "{output:?}");
    assert_eq!(layers(&scratch), 0);
    let saved = scratch.run(&["save", "app", "-o", "app.tar"]);
    assert_eq!(saved.code, 0, "{saved:?}");
    assert_sound(&scratch);
    assert_eq!(scratch.build(&["-t", "app"]), id);
    let output = scratch.run(&["prune", "--all"]);
    assert_eq!(output.code, 0, "{output:?}");
    assert!(!scratch.run(&["images"]).stdout.contains("app"));
    assert_eq!(scratch.build(&[]), id);
}

#[test]
fn cache_mounts_count_and_have_an_age() {
    let scratch = app();
    scratch.build(&[]);
    scratch.write("store/mounts/old/data/file", vec![0; 50_000]);
    scratch.write("store/mounts/new/data/file", vec![0; 50_000]);
    age(&scratch.path("store/mounts/old"), 48);
    age(&scratch.path("store/mounts/old/.."), 48);
    age(&scratch.path("store/mounts/new"), 0);
    File::open(scratch.path("store/mounts/new"))
        .and_then(|folder| folder.set_modified(SystemTime::now()))
        .expect("set");
    let output = scratch.run(&["prune", "--older-than", "1d"]);
    assert!(output.stdout.starts_with("50000 bytes freed"), "{output:?}");
    assert!(!scratch.path("store/mounts/old").exists());
    assert!(scratch.path("store/mounts/new").exists());
}

#[test]
fn times_and_sizes_that_are_none_are_refused() {
    let scratch = app();
    for arguments in [["--older-than", "soon"], ["--keep-storage", "much"]] {
        let output = scratch.run(&["prune", arguments[0], arguments[1]]);
        assert_eq!(output.code, 2, "{output:?}");
        assert!(output.stderr.contains("is not a"), "{output:?}");
    }
}
