//! What is mounted, and what is left of the mount points.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use build_sandbox::{MountSource, SandboxError, Writes};

use super::{Case, has_other_ids, mount, tree};
use crate::place::Place;

pub(super) const CASES: &[Case] = cases![
    hosts_and_resolv_conf_are_ours_and_in_no_layer,
    read_only_bind_cannot_be_written,
    kept_bind_is_written,
    discarded_bind_leaves_its_source_alone,
    bind_of_a_file_works,
    bind_of_layers_shows_the_upper_one,
    memory_mount_has_its_size,
    secret_has_content_owner_and_mode,
    stubs_of_mounts_are_removed,
    text_with_execute_permission_runs,
    stub_directory_with_something_in_it_stays,
    stub_removal_does_not_follow_links,
    changed_parent_of_a_stub_stays,
    proc_that_is_a_link_is_refused,
    mount_through_link_stays_inside,
    mount_source_cannot_leave_its_tree,
];

fn hosts_and_resolv_conf_are_ours_and_in_no_layer(place: &Place) {
    fs::write(place.lower.join("etc/hosts"), "of the image\n").unwrap();
    let mut job =
        place.shell("cat /etc/hosts /etc/resolv.conf; echo x 2> /dev/null >> /etc/hosts || true");
    job.extra_hosts
        .push(("10.0.0.1".to_owned(), "example".to_owned()));
    job.resolv_conf = Some("nameserver 10.0.0.2\n".to_owned());
    let out = place.output_of(&job);
    assert!(
        out.contains("10.0.0.1\texample\nnameserver 10.0.0.2\n"),
        "{out}"
    );
    assert_eq!(place.changes(), [""; 0]);
}

fn read_only_bind_cannot_be_written(place: &Place) {
    let source = place.make("source");
    fs::write(source.join("a"), "x").unwrap();
    let mut job = place.shell("cat /m/a; touch /m/b");
    job.mounts.push(mount("/m", tree(&source, Writes::Denied)));
    let said = place.run(&job);
    assert_eq!(said.out, "x");
    assert!(said.code() != 0 && !source.join("b").exists());
}

fn kept_bind_is_written(place: &Place) {
    let source = place.make("source");
    let mut job = place.shell("echo y > /m/b");
    job.mounts.push(mount("/m", tree(&source, Writes::Kept)));
    place.output_of(&job);
    assert_eq!(fs::read_to_string(source.join("b")).unwrap(), "y\n");
    assert_eq!(place.changes(), [""; 0]);
}

/// CVE-2025-4953.
fn discarded_bind_leaves_its_source_alone(place: &Place) {
    let source = place.make("source");
    fs::write(source.join("a"), "x").unwrap();
    let scratch = place.make("scratch");
    let mut job = place.shell("cat /m/a && echo y > /m/b && rm /m/a && ls /m");
    job.mounts.push(mount(
        "/m",
        tree(
            &source,
            Writes::Discarded {
                scratch: scratch.clone(),
            },
        ),
    ));
    let scratch2 = place.make("scratch2");
    fs::write(place.path("file"), "f").unwrap();
    job.mounts.push(mount(
        "/f",
        MountSource::Host {
            path: place.path("file"),
            writes: Writes::Discarded { scratch: scratch2 },
        },
    ));
    assert_eq!(place.output_of(&job), "xb\n");
    assert_eq!(fs::read_dir(&source).unwrap().count(), 1);
    assert_eq!(place.changes(), [""; 0]);
}

fn bind_of_a_file_works(place: &Place) {
    fs::write(place.path("file"), "content").unwrap();
    let mut job = place.shell("cat /deep/er/file");
    job.mounts.push(mount(
        "/deep/er/file",
        MountSource::Host {
            path: place.path("file"),
            writes: Writes::Denied,
        },
    ));
    assert_eq!(place.output_of(&job), "content");
    assert_eq!(place.changes(), [""; 0]);
}

fn bind_of_layers_shows_the_upper_one(place: &Place) {
    let (top, bottom) = (place.make("top/d"), place.make("bottom/d"));
    fs::write(top.join("a"), "new").unwrap();
    fs::write(bottom.join("a"), "old").unwrap();
    fs::write(bottom.join("b"), "below").unwrap();
    let mut job = place.shell("cat /m/a /m/b");
    job.mounts.push(mount(
        "/m",
        MountSource::Tree {
            lowers: vec![place.path("top"), place.path("bottom")],
            path: PathBuf::from("/d"),
            writes: Writes::Denied,
        },
    ));
    assert_eq!(place.output_of(&job), "newbelow");
}

fn memory_mount_has_its_size(place: &Place) {
    let mut job = place.shell("stat -c %a /m; dd if=/dev/zero of=/m/x bs=1024 count=200 2>&1");
    job.mounts.push(mount(
        "/m",
        MountSource::Memory {
            size: Some(65536),
            mode: 0o1777,
        },
    ));
    let said = place.run(&job);
    assert!(
        said.code() != 0 && said.out.starts_with("1777\n") && said.out.contains("No space"),
        "{}",
        said.out
    );
}

fn secret_has_content_owner_and_mode(place: &Place) {
    let user = if has_other_ids() { 1000 } else { 0 };
    let mut job = place
        .shell("cat /run/secrets/s; stat -c ' %a %u %g' /run/secrets/s; echo x > /run/secrets/s");
    job.mounts.push(mount(
        "/run/secrets/s",
        MountSource::Text {
            content: b"hush".to_vec(),
            mode: 0o400,
            user,
            group: user,
        },
    ));
    let said = place.run(&job);
    assert_eq!(said.out, format!("hush 400 {user} {user}\n"));
    assert_ne!(said.code(), 0);
    assert_eq!(place.changes(), [""; 0]);
}

fn stubs_of_mounts_are_removed(place: &Place) {
    let source = place.make("source");
    let mut job = place.shell("true");
    job.mounts
        .push(mount("/deep/er/est", tree(&source, Writes::Denied)));
    job.mounts
        .push(mount("/deep/er/other", tree(&source, Writes::Denied)));
    job.mounts
        .push(mount("/root/x", tree(&source, Writes::Denied)));
    let said = place.run(&job);
    assert!(
        said.outcome
            .unwrap()
            .stubs
            .contains(&PathBuf::from("deep/er/est"))
    );
    assert_eq!(place.changes(), [""; 0]);
}

fn stub_directory_with_something_in_it_stays(place: &Place) {
    let source = place.make("source");
    let mut job = place.shell("mkdir -p /keep && echo > /keep/u");
    job.mounts
        .push(mount("/keep/t", tree(&source, Writes::Denied)));
    place.output_of(&job);
    assert_eq!(place.changes(), ["keep", "keep/u"]);
}

/// CVE-2024-23652.
fn stub_removal_does_not_follow_links(place: &Place) {
    let outside = place.make("outside");
    fs::create_dir(outside.join("b")).unwrap();
    let source = place.make("source");
    // The mount keeps the directory busy, so the link is put there as the host would see it: by a writer of the upper directory.
    let upper = place.upper.clone();
    let mut job = place.shell("echo ready; sleep 0.3");
    job.mounts
        .push(mount("/a/b", tree(&source, Writes::Denied)));
    let said = place.run_until(&job, &|| {
        if upper.join("a/b").is_dir()
            && fs::symlink_metadata(upper.join("a")).is_ok_and(|about| about.is_dir())
        {
            let _ = fs::rename(upper.join("a"), upper.join("moved"));
            let _ = symlink(&outside, upper.join("a"));
        }
        false
    });
    assert_eq!(said.code(), 0);
    assert!(outside.join("b").is_dir());
}

/// `RUN <<EOF` with a `#!` is a program that is mounted.
fn text_with_execute_permission_runs(place: &Place) {
    let mut job = place.job(&["/dev/pipes/EOF"]);
    job.mounts.push(mount(
        "/dev/pipes/EOF",
        MountSource::Text {
            content: b"#!/bin/sh\necho ran\n".to_vec(),
            mode: 0o755,
            user: 0,
            group: 0,
        },
    ));
    assert_eq!(place.output_of(&job), "ran\n");
}

fn changed_parent_of_a_stub_stays(place: &Place) {
    let source = place.make("source");
    let mut job = place.shell("chmod 700 /root");
    job.mounts
        .push(mount("/root/x", tree(&source, Writes::Denied)));
    place.output_of(&job);
    assert_eq!(place.changes(), ["root"]);
}

/// CVE-2019-16884, CVE-2019-19921, CVE-2023-27561.
fn proc_that_is_a_link_is_refused(place: &Place) {
    for name in ["proc", "sys", "dev"] {
        let path = place.lower.join(name);
        fs::remove_dir(&path).unwrap();
        symlink("/tmp", &path).unwrap();
        let error = place.run(&place.shell("true")).error();
        assert_eq!(
            error,
            SandboxError::SystemDirectoryIsLink {
                path: Path::new("/").join(name)
            }
        );
        fs::remove_file(path).unwrap();
    }
}

fn mount_through_link_stays_inside(place: &Place) {
    let outside = place.make("outside");
    symlink(&outside, place.lower.join("absolute")).unwrap();
    symlink(
        "../../../../../../../../../../etc/escape",
        place.lower.join("relative"),
    )
    .unwrap();
    let source = place.make("source");
    fs::write(source.join("a"), "x").unwrap();
    let mut job = place.shell("cat /absolute/new/a /etc/escape/a");
    job.mounts
        .push(mount("/absolute/new", tree(&source, Writes::Denied)));
    job.mounts
        .push(mount("/relative", tree(&source, Writes::Denied)));
    assert_eq!(place.output_of(&job), "xx");
    assert_eq!(fs::read_dir(outside).unwrap().count(), 0);
    assert!(!Path::new("/etc/escape").exists());
    assert_eq!(place.changes(), [""; 0]);
}

/// CVE-2024-1753, CVE-2024-23651.
fn mount_source_cannot_leave_its_tree(place: &Place) {
    let source = place.make("source");
    symlink("/", source.join("link")).unwrap();
    fs::write(source.join("here"), "").unwrap();
    let mut job = place.shell("ls /m");
    job.mounts.push(mount(
        "/m",
        MountSource::Tree {
            lowers: vec![source],
            path: PathBuf::from("link/../../.."),
            writes: Writes::Kept,
        },
    ));
    assert_eq!(place.output_of(&job), "here\nlink\n");
    let mut mounts = std::mem::take(&mut job.mounts);
    if let Some(MountSource::Tree { path, .. }) = mounts.first_mut().map(|mount| &mut mount.source)
    {
        *path = PathBuf::from("none");
    }
    job = place.shell("true");
    job.mounts = mounts;
    let source_path = PathBuf::from("none");
    assert_eq!(
        place.run(&job).error(),
        SandboxError::MountSourceMissing { source_path }
    );
}
