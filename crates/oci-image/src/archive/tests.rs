use std::fs;
use std::path::Path;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::config::ImageConfig;
use crate::digest::Digest;
use crate::error::Error;
use crate::manifest::{Index, Manifest, media_type};
use crate::store::Store;

fn store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(&folder.path().join("store")).unwrap();
    (folder, store)
}

fn write_image(store: &Store, layer: &[u8], names: &[&str]) -> NamedImage {
    let mut config = ImageConfig {
        architecture: "amd64".to_owned(),
        os: "linux".to_owned(),
        ..ImageConfig::default()
    };
    config
        .rootfs
        .diff_ids
        .push(store.write_blob(layer).unwrap());
    let config = config.to_bytes();
    store.write_blob(&config).unwrap();
    let manifest = Manifest::new(
        Descriptor::of(media_type::OCI_CONFIG, &config),
        vec![Descriptor::of(media_type::OCI_LAYER, layer)],
    );
    let manifest = manifest.to_bytes();
    store.write_blob(&manifest).unwrap();
    NamedImage {
        descriptor: Descriptor::of(media_type::OCI_MANIFEST, &manifest),
        names: names.iter().map(|&name| name.to_owned()).collect(),
    }
}

/// Returns a tar with these entries: name, type, contents or link target.
fn tar_of(entries: &[(&str, tar::EntryType, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, kind, contents) in entries {
        let mut header = tar::Header::new_ustar();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_mode(0o644);
        let is_link = kind.is_symlink() || kind.is_hard_link();
        if is_link {
            header.set_link_name_literal(contents).unwrap();
        }
        let contents = if is_link { b"" } else { *contents };
        header.set_size(contents.len() as u64);
        header.set_cksum();
        archive.append(&header, contents).unwrap();
    }
    archive.into_inner().unwrap()
}

const FILE: tar::EntryType = tar::EntryType::Regular;

#[test]
fn an_oci_archive_is_read_as_it_was_written() {
    let (_from_folder, from) = store();
    let images = [
        write_image(
            &from,
            b"1",
            &["docker.io/library/app:1", "docker.io/library/app:latest"],
        ),
        write_image(&from, b"2", &["localhost:5000/other:2"]),
    ];
    let mut bytes = Vec::new();
    write_oci_archive(&from, &images, &mut bytes).unwrap();
    let (_to_folder, to) = store();
    assert_eq!(
        read_archive(&to, bytes.as_slice(), 1 << 20).unwrap(),
        images
    );
    let mut again = Vec::new();
    write_oci_archive(&to, &images, &mut again).unwrap();
    assert_eq!(again, bytes);
}

#[test]
fn a_docker_archive_names_files_as_docker_load_expects() {
    let (_folder, store) = store();
    let image = write_image(&store, b"layer", &["docker.io/library/app:1"]);
    let mut bytes = Vec::new();
    write_docker_archive(&store, &[image], &mut bytes).unwrap();
    let mut archive = tar::Archive::new(bytes.as_slice());
    let mut manifest = String::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        if entry.path().unwrap() == Path::new("manifest.json") {
            std::io::Read::read_to_string(&mut entry, &mut manifest).unwrap();
        }
    }
    let layer = format!("blobs/sha256/{}", Digest::of(b"layer").hex());
    assert!(manifest.contains(r#""RepoTags":["app:1"]"#), "{manifest}");
    assert!(manifest.contains(&layer), "{manifest}");
}

#[test]
fn a_legacy_docker_archive_is_read_with_its_links() {
    let (_folder, store) = store();
    let diff_id = Digest::of(b"layer");
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","rootfs":{{"type":"layers","diff_ids":["{diff_id}","{diff_id}"]}}}}"#
    );
    let manifest =
        br#"[{"Config":"c.json","RepoTags":["app:1"],"Layers":["a/layer.tar","b/layer.tar"]}]"#;
    let bytes = tar_of(&[
        ("b/layer.tar", tar::EntryType::Symlink, b"../a/layer.tar"),
        ("a/layer.tar", FILE, b"layer"),
        ("c.json", FILE, config.as_bytes()),
        ("manifest.json", FILE, manifest),
    ]);
    let images = read_archive(&store, bytes.as_slice(), 1 << 20).unwrap();
    assert_eq!(images.len(), 1);
    store.tag("app:1", &images[0].descriptor).unwrap();
}

#[test]
fn hostile_archives_are_refused() {
    let (folder, store) = store();
    let blob = format!("blobs/sha256/{}", Digest::of(b"other").hex());
    let index = Index::new(vec![Descriptor::of(media_type::OCI_MANIFEST, b"missing")]).to_bytes();
    let climb = br#"[{"Config":"../../etc/passwd","Layers":["../../etc/x"]}]"#;
    let symlink = tar::EntryType::Symlink;
    let cases: &[(&str, Vec<u8>)] = &[
        ("leads elsewhere", tar_of(&[("../../etc/x", FILE, b"")])),
        ("leads elsewhere", tar_of(&[("/etc/x", FILE, b"")])),
        (
            "leads elsewhere",
            tar_of(&[("a/layer.tar", symlink, b"../../../etc/passwd")]),
        ),
        ("is not a file", tar_of(&[(&blob, symlink, b"/etc/passwd")])),
        (
            "is not a file",
            tar_of(&[("x", tar::EntryType::Link, b"/etc/passwd")]),
        ),
        ("is not a file", tar_of(&[("x", tar::EntryType::Char, b"")])),
        ("expected sha256:", tar_of(&[(&blob, FILE, b"evil")])),
        ("not a digest", tar_of(&[("blobs/sha256/zz", FILE, b"")])),
        ("twice", tar_of(&[("a", FILE, b""), ("./a", FILE, b"")])),
        (
            "twice",
            tar_of(&[("index.json", FILE, b"{}"), ("index.json", FILE, b"{}")]),
        ),
        ("no blob", tar_of(&[("index.json", FILE, &index)])),
        ("does not hold", tar_of(&[("manifest.json", FILE, climb)])),
        ("neither", tar_of(&[])),
    ];
    for (expected, bytes) in cases {
        let error = read_archive(&store, bytes.as_slice(), 1 << 20).unwrap_err();
        assert!(error.to_string().contains(expected), "{expected}: {error}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(store.check().unwrap(), []);
}

#[test]
fn an_archive_that_ends_too_early_is_refused() {
    let (_folder, from) = store();
    let image = write_image(&from, &[7; 3000], &["app"]);
    let mut bytes = Vec::new();
    write_oci_archive(&from, &[image], &mut bytes).unwrap();
    for length in [600, 1600, 3000, bytes.len() - 2000] {
        let (_folder, to) = store();
        assert!(
            read_archive(&to, &bytes[..length], 1 << 20).is_err(),
            "{length}"
        );
        assert_eq!(to.check().unwrap(), []);
    }
}

#[test]
fn a_folder_is_read_as_it_was_written() {
    let (folder, from) = store();
    let images = [write_image(&from, b"1", &["docker.io/library/app:1"])];
    let layout = folder.path().join("layout");
    write_folder(&from, &images, &layout).unwrap();
    write_folder(&from, &images, &layout).unwrap();
    let (_to_folder, to) = store();
    assert_eq!(read_folder(&to, &layout).unwrap(), images);
    to.tag("app", &images[0].descriptor).unwrap();
}

#[test]
fn links_in_a_folder_are_not_followed() {
    let (folder, from) = store();
    let images = [write_image(&from, b"1", &["app"])];
    let layout = folder.path().join("layout");
    write_folder(&from, &images, &layout).unwrap();
    let blob = layout.join("blobs/sha256").join(Digest::of(b"1").hex());
    let elsewhere = folder.path().join("elsewhere");
    fs::rename(&blob, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &blob).unwrap();
    let (_to_folder, to) = store();
    let error = read_folder(&to, &layout).unwrap_err();
    assert!(matches!(error, Error::Io { action: "open", .. }), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn no_archive_makes_it_panic(at in 0..6000_usize, value in any::<u8>()) {
        let (_folder, from) = store();
        let image = write_image(&from, b"1", &["app"]);
        let mut bytes = Vec::new();
        write_docker_archive(&from, &[image], &mut bytes).unwrap();
        let at = at % bytes.len();
        bytes[at] = value;
        let (_to_folder, to) = store();
        let _ = read_archive(&to, bytes.as_slice(), 1 << 20);
        prop_assert_eq!(to.check().unwrap(), []);
    }
}
