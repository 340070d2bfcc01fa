use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::manifest::{Manifest, media_type};

fn store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(&folder.path().join("store")).unwrap();
    (folder, store)
}

/// Writes an image with one layer and returns its descriptor and that of the layer.
fn write_image(store: &Store, layer: &[u8]) -> (Descriptor, Descriptor) {
    let config = br#"{"architecture":"amd64","os":"linux"}"#;
    store.write_blob(config).unwrap();
    store.write_blob(layer).unwrap();
    let layer = Descriptor::of(media_type::OCI_LAYER, layer);
    let manifest = Manifest::new(
        Descriptor::of(media_type::OCI_CONFIG, config),
        vec![layer.clone()],
    );
    let manifest = manifest.to_bytes();
    store.write_blob(&manifest).unwrap();
    (Descriptor::of(media_type::OCI_MANIFEST, &manifest), layer)
}

#[test]
fn a_new_store_is_an_image_layout_of_its_owner_only() {
    let (_folder, store) = store();
    let mode = fs::metadata(store.root()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    assert_eq!(fs::read(store.root().join("oci-layout")).unwrap(), LAYOUT);
    assert_eq!(store.check().unwrap(), []);
    assert_eq!(store.images().unwrap(), []);
}

#[test]
fn opening_what_is_no_store_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let error = Store::open(folder.path()).unwrap_err();
    assert!(matches!(error, Error::NotAStore { .. }), "{error}");
}

#[test]
fn a_blob_can_be_read_under_its_digest() {
    let (_folder, store) = store();
    let mut writer = store.begin_blob().unwrap();
    writer.write_all(b"one ").unwrap();
    writer.write_all(b"two").unwrap();
    let (digest, size) = writer.commit(None).unwrap();
    assert_eq!((digest, size), (Digest::of(b"one two"), 7));
    let mut text = String::new();
    store
        .open_blob(&digest)
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(text, "one two");
    assert_eq!(
        list_folder(&store.temporary_folder()).unwrap(),
        Vec::<PathBuf>::new()
    );
}

#[test]
fn a_blob_of_another_digest_is_refused_and_leaves_nothing() {
    let (_folder, store) = store();
    let mut writer = store.begin_blob().unwrap();
    writer.write_all(b"bad").unwrap();
    let error = writer.commit(Some(&Digest::of(b"good"))).unwrap_err();
    assert!(matches!(error, Error::DigestMismatch { .. }), "{error}");
    assert_eq!(
        list_folder(&store.temporary_folder()).unwrap(),
        Vec::<PathBuf>::new()
    );
    assert_eq!(store.blob_size(&Digest::of(b"bad")), None);
}

#[test]
fn a_corrupt_blob_fails_when_it_is_read() {
    let (_folder, store) = store();
    let digest = store.write_blob(b"good").unwrap();
    fs::write(store.blob_path(&digest), b"evil").unwrap();
    let mut bytes = Vec::new();
    let error = store
        .open_blob(&digest)
        .unwrap()
        .read_to_end(&mut bytes)
        .unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    let error = store.read_document(&digest).unwrap_err();
    assert!(matches!(error, Error::CorruptBlob { .. }), "{error}");
}

#[test]
fn a_link_in_place_of_a_blob_is_no_blob() {
    let (folder, store) = store();
    let secret = folder.path().join("secret");
    fs::write(&secret, b"x").unwrap();
    let digest = Digest::of(b"x");
    std::os::unix::fs::symlink(&secret, store.blob_path(&digest)).unwrap();
    assert!(matches!(
        store.open_blob(&digest),
        Err(Error::MissingBlob { .. })
    ));
}

#[test]
fn tags_move_and_go() {
    let (_folder, store) = store();
    let (first, _) = write_image(&store, b"1");
    let (second, _) = write_image(&store, b"2");
    store.tag("app:1", &first).unwrap();
    store.tag("app:latest", &first).unwrap();
    store.tag("app:latest", &second).unwrap();
    assert_eq!(store.resolve("app:1").unwrap(), Some(first));
    assert_eq!(store.resolve("app:latest").unwrap(), Some(second));
    assert_eq!(store.images().unwrap().len(), 2);
    assert!(store.untag("app:1").unwrap());
    assert!(!store.untag("app:1").unwrap());
    assert_eq!(store.resolve("app:1").unwrap(), None);
}

#[test]
fn an_incomplete_image_gets_no_name() {
    let (_folder, store) = store();
    let (image, layer) = write_image(&store, b"layer");
    fs::remove_file(store.blob_path(&layer.digest)).unwrap();
    let error = store.tag("app", &image).unwrap_err();
    assert!(matches!(error, Error::MissingBlob { .. }), "{error}");
    assert_eq!(store.images().unwrap(), []);
}

#[test]
fn check_finds_and_repair_removes_what_is_broken() {
    let (_folder, mut store) = store();
    let (good, _) = write_image(&store, b"good");
    let (bad, layer) = write_image(&store, b"bad");
    store.tag("good", &good).unwrap();
    store.tag("bad", &bad).unwrap();
    fs::write(store.blob_path(&layer.digest), b"ba").unwrap();
    fs::write(store.root().join("blobs/sha256/readme"), b"").unwrap();
    fs::write(store.root().join("tmp/blob-killed"), b"half").unwrap();
    let faults = store.check().unwrap();
    assert_eq!(faults.len(), 4, "{faults:?}");
    let repair = store.repair().unwrap();
    assert_eq!(
        (repair.faults, repair.untagged),
        (faults, vec!["bad".to_owned()])
    );
    assert_eq!(store.check().unwrap(), []);
    assert_eq!(store.resolve("good").unwrap(), Some(good));
}

#[test]
fn repair_writes_a_broken_index_anew() {
    let (_folder, mut store) = store();
    fs::write(store.root().join("index.json"), b"{").unwrap();
    assert!(store.images().is_err());
    assert_eq!(store.repair().unwrap().faults.len(), 1);
    assert_eq!(store.images().unwrap(), []);
}

#[test]
fn the_next_user_cleans_up_behind_a_killed_one() {
    let (_folder, store) = store();
    let root = store.root().to_path_buf();
    let killed = root.join("tmp/blob-killed");
    fs::write(&killed, b"half").unwrap();
    let second = Store::open(&root).unwrap();
    assert!(killed.exists(), "somebody else is at work");
    drop((store, second));
    let _store = Store::open(&root).unwrap();
    assert!(!killed.exists());
}

#[test]
fn prune_keeps_what_tags_and_roots_need() {
    let (_folder, mut store) = store();
    let (image, _) = write_image(&store, b"layer");
    store.tag("app", &image).unwrap();
    let root = store.write_blob(b"root").unwrap();
    let lost = store.write_blob(b"lost").unwrap();
    let roots = BTreeSet::from([root]);
    let pruned = store.prune(&PruneOptions::default(), &roots).unwrap();
    assert_eq!(pruned.removed, [lost]);
    assert_eq!(pruned.removed_bytes, 4);
    let all = PruneOptions {
        all: true,
        ..PruneOptions::default()
    };
    assert_eq!(store.prune(&all, &roots).unwrap().removed.len(), 3);
    assert_eq!(store.images().unwrap(), []);
    assert_eq!(store.check().unwrap(), []);
}

#[test]
fn prune_stops_at_the_size_and_age_to_keep() {
    let (_folder, mut store) = store();
    for text in ["a", "b", "c"] {
        store.write_blob(text.as_bytes()).unwrap();
    }
    let roots = BTreeSet::new();
    let young = PruneOptions {
        older_than: Some(std::time::Duration::from_secs(3600)),
        ..PruneOptions::default()
    };
    assert_eq!(store.prune(&young, &roots).unwrap().removed, []);
    let small = PruneOptions {
        keep_bytes: Some(2),
        ..PruneOptions::default()
    };
    assert_eq!(store.prune(&small, &roots).unwrap().kept_bytes, 2);
}

#[test]
fn prune_waits_for_nobody() {
    let (_folder, mut store) = store();
    let _other = Store::open(store.root()).unwrap();
    let pruned = store.prune(&PruneOptions::default(), &BTreeSet::new());
    assert!(matches!(pruned, Err(Error::InUse { .. })));
}

#[test]
fn a_compressed_form_is_known_until_its_blob_is_gone() {
    let (_folder, mut store) = store();
    let diff_id = Digest::of(b"layer");
    let compressed = store.write_blob(b"smaller").unwrap();
    let form = CompressedForm {
        form: "gzip-6".to_owned(),
        descriptor: Descriptor::new(media_type::OCI_LAYER_GZIP, compressed, 7),
    };
    store.add_compressed(&diff_id, &form).unwrap();
    assert_eq!(store.compressed(&diff_id).unwrap(), [form]);
    store
        .prune(&PruneOptions::default(), &BTreeSet::new())
        .unwrap();
    assert_eq!(store.compressed(&diff_id).unwrap(), []);
    assert_eq!(
        list_folder(&store.root().join("compressed")).unwrap(),
        Vec::<PathBuf>::new()
    );
}

#[test]
fn names_from_several_threads_are_all_kept() {
    let (_folder, store) = store();
    let (image, _) = write_image(&store, b"layer");
    std::thread::scope(|scope| {
        for number in 0..8 {
            let (root, image) = (store.root(), &image);
            scope.spawn(move || {
                let store = Store::open(root).unwrap();
                store.tag(&format!("app:{number}"), image).unwrap();
            });
        }
    });
    assert_eq!(store.images().unwrap().len(), 8);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn what_is_written_is_read(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..6)) {
        let (_folder, store) = store();
        let mut writer = store.begin_blob().unwrap();
        for piece in &pieces {
            writer.append(piece).unwrap();
        }
        let (digest, _) = writer.commit(None).unwrap();
        let mut bytes = Vec::new();
        store.open_blob(&digest).unwrap().read_to_end(&mut bytes).unwrap();
        prop_assert_eq!(bytes, pieces.concat());
    }
}
