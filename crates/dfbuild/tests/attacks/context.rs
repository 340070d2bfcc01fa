//! Contexts that want out.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::scratch::Scratch;

const SECRET: &str = "text of the host";

/// A context beside a file that is not in it.
fn context(dockerfile: &str) -> Scratch {
    let scratch = Scratch::new(&[("secret", SECRET), ("app/own.txt", "own")]);
    scratch.write("app/Dockerfile", dockerfile);
    scratch
}

/// Returns whether the text of the host is anywhere in a folder.
fn has_secret(scratch: &Scratch, folder: &str) -> bool {
    let found = Command::new("grep")
        .args(["-rq", SECRET])
        .arg(scratch.path(folder))
        .status()
        .expect("grep");
    found.success()
}

#[test]
fn links_and_dots_do_not_lead_out() {
    for copy in [
        "COPY file-link /to/",
        "COPY folder-link/secret /to/",
        "COPY ../secret /to/",
        "COPY folder-link /to/",
        "COPY folder-link/* /to/",
        "COPY --parents folder-link/./secret /to/",
        "ADD file-link /to/",
        "COPY chain/secret /to/",
        "COPY . /to/",
    ] {
        let scratch = context(&format!("FROM scratch\n{copy}\n"));
        let outside = scratch.path("");
        symlink(scratch.path("secret"), scratch.path("app/file-link")).expect("linked");
        symlink(outside, scratch.path("app/folder-link")).expect("linked");
        symlink("..", scratch.path("app/chain")).expect("linked");
        let output = scratch.run(&["build", "-q", "-o", "out", "app"]);
        assert!(output.code < 2, "{copy}: {output:?}");
        assert!(!output.stderr.contains(SECRET), "{copy}: {output:?}");
        let copied = scratch.path("out/to");
        if let Ok(entries) = fs::read_dir(&copied) {
            for entry in entries.flatten() {
                let found = entry.path().symlink_metadata().expect("there");
                let text = found
                    .is_file()
                    .then(|| fs::read(entry.path()).expect("read"));
                assert_ne!(text.as_deref(), Some(SECRET.as_bytes()), "{copy}");
            }
        }
        assert!(!has_secret(&scratch, "store"), "{copy}");
    }
}

fn header(kind: tar::EntryType, name: &str, size: u64) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}

#[test]
fn an_archive_stays_in_its_destination() {
    let scratch = context("FROM scratch\nADD evil.tar /to/\nCOPY own.txt /last\n");
    let host = scratch.path("secret").display().to_string();
    let mut archive = tar::Builder::new(Vec::new());
    let mut add = |kind: tar::EntryType, name: &str, target: &str, body: &str| {
        let mut header = header(kind, name, body.len() as u64);
        if !target.is_empty() {
            header.set_link_name_literal(target).expect("short");
        }
        header.set_cksum();
        archive.append(&header, body.as_bytes()).expect("added");
    };
    add(tar::EntryType::Regular, "../../up.txt", "", "evil");
    add(tar::EntryType::Regular, "/absolute.txt", "", "evil");
    add(tar::EntryType::Symlink, "way", "/../../..", "");
    add(tar::EntryType::Regular, "way/through.txt", "", "evil");
    add(tar::EntryType::Symlink, "direct", &host, "");
    add(tar::EntryType::Regular, "direct", "", "evil");
    scratch.write("app/evil.tar", archive.into_inner().expect("finished"));
    let output = scratch.run(&["build", "-q", "-o", "out", "app"]);
    assert!(output.code < 2, "{output:?}");
    assert_eq!(scratch.read("secret"), SECRET);
    for path in ["up.txt", "absolute.txt", "through.txt", "app/up.txt"] {
        assert!(!scratch.path(path).exists(), "{path}");
    }
    if output.code == 0 {
        assert_eq!(scratch.read("out/to/direct"), "evil");
        assert_eq!(scratch.read("out/last"), "own");
    }
}

#[test]
fn a_hard_link_of_an_archive_does_not_lead_out() {
    for target in ["../../secret", "/secret", "nosuch", "way/secret"] {
        let scratch = context("FROM scratch\nADD evil.tar /to/\n");
        let mut archive = tar::Builder::new(Vec::new());
        let mut way = header(tar::EntryType::Symlink, "way", 0);
        way.set_link_name_literal(scratch.path("").display().to_string())
            .expect("short");
        way.set_cksum();
        archive.append(&way, &b""[..]).expect("added");
        let mut link = header(tar::EntryType::Link, "link", 0);
        link.set_link_name_literal(target).expect("short");
        link.set_cksum();
        archive.append(&link, &b""[..]).expect("added");
        scratch.write("app/evil.tar", archive.into_inner().expect("finished"));
        let output = scratch.run(&["build", "-q", "-o", "out", "app"]);
        assert_eq!(output.code, 1, "{target}: {output:?}");
        assert!(!has_secret(&scratch, "store"), "{target}");
    }
}

#[test]
fn a_destination_stays_in_the_image() {
    let scratch = context(
        "FROM scratch AS links\nCOPY links /\nFROM links\nCOPY own.txt /up/a.txt\nCOPY own.txt /host/b.txt\nCOPY own.txt /loop/c.txt\n",
    );
    fs::create_dir(scratch.path("app/links")).expect("made");
    symlink("../../../../..", scratch.path("app/links/up")).expect("linked");
    symlink(scratch.path("out-of-it"), scratch.path("app/links/host")).expect("linked");
    fs::create_dir(scratch.path("out-of-it")).expect("made");
    let build =
        |scratch: &Scratch| scratch.run(&["build", "-q", "-o", "type=tar,dest=out.tar", "app"]);
    let output = build(&scratch);
    assert_eq!(output.code, 0, "{output:?}");
    assert!(!scratch.path("out-of-it/b.txt").exists());
    assert!(!scratch.path("a.txt").exists());
    symlink("loop", scratch.path("app/links/loop")).expect("linked");
    let output = build(&scratch);
    assert_eq!(output.code, 1, "{output:?}");
    assert!(
        output.stderr.contains("too many symbolic links"),
        "{output:?}"
    );
}

#[test]
fn what_is_no_file_never_blocks() {
    for copy in ["COPY pipe /", "COPY . /", "COPY socket /", "ADD pipe /"] {
        let scratch = context(&format!("FROM scratch\n{copy}\n"));
        let made = Command::new("mkfifo")
            .arg(scratch.path("app/pipe"))
            .status();
        assert!(made.is_ok_and(|status| status.success()));
        let _socket = UnixListener::bind(scratch.path("app/socket")).expect("bound");
        let start = Instant::now();
        let output = scratch.run(&["build", "-q", "app"]);
        assert!(output.code < 2, "{copy}: {output:?}");
        assert!(start.elapsed() < Duration::from_secs(10), "{copy}");
    }
}

#[test]
fn a_dockerfile_that_never_ends_is_refused() {
    let scratch = context("");
    for path in ["/dev/zero", "pipe"] {
        if path == "pipe" {
            let made = Command::new("mkfifo").arg(scratch.path("pipe")).status();
            assert!(made.is_ok_and(|status| status.success()));
        }
        let output = scratch.run(&["build", "-q", "-f", path, "app"]);
        assert_eq!(output.code, 2, "{output:?}");
        assert!(output.stderr.contains("is not a file"), "{output:?}");
    }
}

#[test]
fn patterns_take_no_more_than_a_moment() {
    let long = "*".repeat(10_000);
    let nested = "**/a".repeat(2_000);
    let classes = "[a-".repeat(2_000);
    let many = "x*y\n!z*\n".repeat(5_000);
    for patterns in [
        "[", "a\\", "!", "[]a]", "\0", &long, &nested, &classes, &many,
    ] {
        let scratch = context("FROM scratch\nCOPY . /to/\n");
        for number in 0..50 {
            scratch.write(&format!("app/aaaa/aaaa{number}"), "a");
        }
        scratch.write("app/.dockerignore", patterns);
        let start = Instant::now();
        let output = scratch.run(&["build", "-q", "app"]);
        let shown: String = patterns.chars().take(20).collect();
        assert!(output.code < 3, "{shown}: {output:?}");
        assert!(!output.stderr.contains("panicked"), "{shown}: {output:?}");
        assert!(start.elapsed() < Duration::from_secs(15), "{shown}");
    }
}
