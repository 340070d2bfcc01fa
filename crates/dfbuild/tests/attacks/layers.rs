//! Base images with hostile layers, as OCI layouts.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use oci_image::Digest;

use crate::scratch::{Output, Scratch};

/// One entry of a tar: type, name, link target, content, extended attributes.
struct Member<'m> {
    kind: u8,
    name: &'m str,
    target: &'m str,
    body: &'m [u8],
    attribute: Option<(&'m str, &'m str)>,
}

fn member<'m>(kind: u8, name: &'m str, target: &'m str, body: &'m [u8]) -> Member<'m> {
    Member {
        kind,
        name,
        target,
        body,
        attribute: None,
    }
}

fn header(kind: u8, name: &str, target: &str, size: u64) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(tar::EntryType::new(kind));
    if !target.is_empty() {
        header.set_link_name_literal(target).expect("short");
    }
    header.set_size(size);
    header.set_mode(0o755);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_device_major(8).expect("ustar");
    header.set_device_minor(0).expect("ustar");
    header.set_cksum();
    header
}

fn tar_of(members: &[Member<'_>]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for member in members {
        if let Some((name, value)) = member.attribute {
            let record = format!(" SCHILY.xattr.{name}={value}\n");
            let length = record.len() + 2;
            let record = format!("{length}{record}");
            assert_eq!(record.len(), length, "two digits");
            let pax = header(b'x', "pax", "", record.len() as u64);
            builder.append(&pax, record.as_bytes()).expect("added");
        }
        let header = header(
            member.kind,
            member.name,
            member.target,
            member.body.len() as u64,
        );
        builder.append(&header, member.body).expect("added");
    }
    builder.into_inner().expect("finished")
}

/// Builds on an image with this layer.
fn build(scratch: &Scratch, layer: &[u8]) -> Output {
    let _ = fs::remove_dir_all(scratch.path("layout"));
    let blob = |bytes: &[u8]| {
        let digest = Digest::of(bytes);
        scratch.write(&format!("layout/blobs/sha256/{}", digest.hex()), bytes);
        digest.to_string()
    };
    let layer_digest = blob(layer);
    let config = format!(
        r#"{{"architecture":"{}","os":"linux","config":{{}},"rootfs":{{"type":"layers","diff_ids":["{layer_digest}"]}}}}"#,
        if cfg!(target_arch = "aarch64") {
            "arm64"
        } else {
            "amd64"
        },
    );
    let config_digest = blob(config.as_bytes());
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{config_digest}","size":{}}},"layers":[{{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"{layer_digest}","size":{}}}]}}"#,
        config.len(),
        layer.len()
    );
    let digest = blob(manifest.as_bytes());
    scratch.write(
        "layout/index.json",
        format!(
            r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{digest}","size":{}}}]}}"#,
            manifest.len()
        ),
    );
    scratch.write("layout/oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);
    scratch.write("app/a.txt", "a");
    scratch.write("app/Dockerfile", "FROM base\nCOPY a.txt /etc/a.txt\n");
    scratch.run(&[
        "build",
        "-q",
        "--build-context",
        "base=oci-layout://layout",
        "-o",
        "type=tar,dest=out.tar",
        "app",
    ])
}

#[test]
fn an_ordinary_layer_is_built_upon() {
    let scratch = Scratch::new(&[]);
    let output = build(&scratch, &tar_of(&[member(b'0', "etc/x", "", b"x")]));
    assert_eq!(output.code, 0, "{output:?}");
}

#[test]
fn hostile_entries_touch_nothing() {
    let scratch = Scratch::new(&[("secret", "secret")]);
    let host = scratch.path("").display().to_string();
    let through = [
        member(b'2', "way", &host, b""),
        member(b'0', "way/secret", "", b"evil"),
    ];
    let hard = [
        member(b'2', "way", &host, b""),
        member(b'1', "stolen", "way/secret", b""),
    ];
    let mode = [
        member(b'2', "way", &host, b""),
        member(b'5', "way", "", b""),
        member(b'0', "way/x", "", b"x"),
    ];
    let remove = [
        member(b'2', "way", &host, b""),
        member(b'0', "way/.wh.secret", "", b""),
    ];
    let cases: Vec<Vec<Member<'_>>> = vec![
        vec![member(b'0', "../../../../secret", "", b"evil")],
        vec![member(b'0', "/secret", "", b"evil")],
        through.into(),
        hard.into(),
        mode.into(),
        remove.into(),
        vec![member(b'1', "stolen", "../../../secret", b"")],
        vec![member(b'2', ".", &host, b"")],
        vec![member(b'2', "/", &host, b"")],
        vec![member(b'0', ".wh...", "", b"")],
        vec![member(b'0', ".wh..", "", b"")],
        vec![member(b'0', ".wh.", "", b"")],
        vec![member(b'0', "a/.wh../secret", "", b"")],
        vec![member(b'0', ".wh..wh..opq", "", b"")],
        vec![member(b'3', "dev/sda", "", b"")],
        vec![member(b'4', "dev/sda", "", b"")],
        vec![member(b'9', "odd", "", b"")],
        vec![member(b'0', "", "", b"x")],
        vec![
            member(b'5', "etc", "", b""),
            member(b'2', "etc", &host, b""),
        ],
    ];
    for (number, members) in cases.iter().enumerate() {
        let output = build(&scratch, &tar_of(members));
        assert!(output.code < 2, "case {number}: {output:?}");
        assert!(
            !output.stderr.contains("panicked"),
            "case {number}: {output:?}"
        );
        assert_eq!(scratch.read("secret"), "secret", "case {number}");
        assert!(!scratch.path("a.txt").exists(), "case {number}");
        let check = scratch.run(&["store", "check"]);
        assert_eq!(check.code, 0, "case {number}: {check:?}");
    }
}

#[test]
fn absurd_sizes_are_refused() {
    let scratch = Scratch::new(&[]);
    for size in [
        &b"77777777777\0"[..],
        b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    ] {
        let mut header = header(b'0', "big", "", 0);
        header.as_mut_bytes()[124..136].copy_from_slice(size);
        header.set_cksum();
        let mut layer = header.as_bytes().to_vec();
        layer.extend([0; 1024]);
        let output = build(&scratch, &layer);
        assert_eq!(output.code, 1, "{output:?}");
        assert!(output.stderr.contains("Dockerfile:1:"), "{output:?}");
    }
    let deep = "d/".repeat(48);
    let nested: Vec<Member<'_>> = vec![member(b'5', &deep, "", b"")];
    assert_eq!(build(&scratch, &tar_of(&nested)).code, 0);
}

#[test]
fn marks_of_overlayfs_in_a_layer_do_not_count() {
    let scratch = Scratch::new(&[("secret", "secret")]);
    for (name, value) in [
        ("trusted.overlay.redirect", "/etc"),
        ("user.overlay.redirect", "/etc/x"),
        ("user.overlay.opaque", "y"),
        ("trusted.overlay.opaque", "y"),
        ("user.overlay.metacopy", "y"),
    ] {
        let marked = Member {
            attribute: Some((name, value)),
            ..member(b'5', "etc", "", b"")
        };
        let layer = tar_of(&[marked, member(b'0', "etc/x", "", b"x")]);
        let output = build(&scratch, &layer);
        assert!(output.code < 2, "{name}: {output:?}");
        for entry in fs::read_dir(scratch.path("store/layers"))
            .into_iter()
            .flatten()
            .flatten()
        {
            let folder = entry.path().join("snapshot/etc");
            let listed = std::process::Command::new("getfattr")
                .args(["-d", "-m", "-"])
                .arg(&folder)
                .output();
            if let Ok(listed) = listed {
                let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
                assert!(!listed.contains("overlay"), "{name}: {listed}");
            }
        }
        let _ = fs::remove_dir_all(scratch.path("store"));
    }
}

#[test]
fn nobody_else_can_enter_the_store() {
    let scratch = Scratch::new(&[]);
    let setuid = Member {
        name: "bin/su",
        ..member(b'0', "", "", b"#!")
    };
    assert_eq!(build(&scratch, &tar_of(&[setuid])).code, 0);
    let found = fs::metadata(scratch.path("store")).expect("there");
    let mode = found.permissions().mode() & 0o777;
    assert_eq!(mode, 0o700, "the store has the mode {mode:o}");
}
