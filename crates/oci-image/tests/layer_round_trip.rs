//! A layer goes through the tar stream and the disk and stays what it was.

use std::io::Read;
use std::path::Path;

use oci_image::layer::{
    DiffOptions, Entry, Kind, LayerError, LayerPath, LayerRecord, LayerWriter, Limits, Listing,
    Merged, Timestamp, UnpackOptions, diff, list_layer, pack, read_layer, unpack,
};
use proptest::prelude::*;

fn path(text: &str) -> LayerPath {
    LayerPath::parse(text.as_bytes()).unwrap()
}

fn entry(text: &str, kind: Kind, mode: u32) -> Entry {
    Entry {
        kind,
        mode,
        ..Entry::directory(path(text), Timestamp::seconds(1_700_000_000))
    }
}

fn write(entries: &[(Entry, Vec<u8>)]) -> (Vec<u8>, Listing) {
    let mut writer = LayerWriter::new(Vec::new());
    for (entry, content) in entries {
        writer.append(entry, &mut content.as_slice()).unwrap();
    }
    writer.finish().unwrap()
}

/// What can be made as root and not as another user is left out for the latter.
fn sample(is_root: bool) -> Vec<(Entry, Vec<u8>)> {
    let id = if is_root {
        7
    } else {
        rustix::process::geteuid().as_raw()
    };
    let plain = |entry: Entry| {
        (
            Entry {
                uid: id,
                gid: id,
                ..entry
            },
            Vec::new(),
        )
    };
    let content = b"hello".to_vec();
    let mut entries = vec![
        plain(entry("d", Kind::Directory { is_opaque: false }, 0o1755)),
        (
            Entry {
                uid: id,
                gid: id,
                ..entry("d/f", Kind::File { size: 5 }, 0o4711)
            },
            content,
        ),
        plain(entry(
            "d/h",
            Kind::HardLink {
                target: path("d/f"),
            },
            0o4711,
        )),
        plain(entry(
            "d/s",
            Kind::Symlink {
                target: b"../../etc/passwd".to_vec(),
            },
            0o777,
        )),
        plain(entry("e", Kind::File { size: 0 }, 0o600)),
        plain(entry("p", Kind::Fifo, 0o640)),
    ];
    if is_root {
        let null = entry("null", Kind::CharDevice { major: 1, minor: 3 }, 0o666);
        entries.insert(5, plain(null));
        let capability = b"\x01\0\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec();
        entries[4]
            .0
            .xattrs
            .push((b"security.capability".to_vec(), capability));
    }
    entries
}

#[test]
fn disk_gives_the_same_bytes_back() {
    let is_root = rustix::process::geteuid().is_root();
    let (tar, written) = write(&sample(is_root));
    let directory = tempfile::tempdir().unwrap();
    let unpacked = unpack(tar.as_slice(), directory.path(), &UnpackOptions::default()).unwrap();
    assert_eq!(unpacked, written);
    let found = diff(
        directory.path(),
        &Merged::default(),
        &DiffOptions::default(),
    )
    .unwrap();
    assert_eq!(found.entries(), written.entries());
    assert_eq!(packed(&found, directory.path()), tar);
}

fn packed(listing: &Listing, directory: &Path) -> Vec<u8> {
    let mut writer = LayerWriter::new(Vec::new());
    pack(listing, directory, &mut writer, None).unwrap();
    writer.finish().unwrap().0
}

#[test]
fn offsets_lead_to_the_data() {
    let (tar, written) = write(&sample(false));
    for name in ["d/f", "d/h"] {
        let offset = written.data_offset(&path(name)).unwrap() as usize;
        assert_eq!(&tar[offset..offset + 5], b"hello");
    }
    assert_eq!(
        list_layer(tar.as_slice(), None, Limits::default()).unwrap(),
        written
    );
}

#[test]
fn whiteouts_and_opaque_directories_become_overlay_marks() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let opaque = entry("o", Kind::Directory { is_opaque: true }, 0o755);
    let (tar, _) = write(&[(opaque, vec![]), (Entry::whiteout(path("w")), vec![])]);
    let directory = tempfile::tempdir().unwrap();
    let listing = unpack(tar.as_slice(), directory.path(), &UnpackOptions::default()).unwrap();
    assert_eq!(
        listing.get(&path("o")).unwrap().kind,
        Kind::Directory { is_opaque: true }
    );
    let below = [
        (
            entry("o", Kind::Directory { is_opaque: false }, 0o755),
            vec![],
        ),
        (entry("o/old", Kind::File { size: 0 }, 0o644), vec![]),
        (entry("w", Kind::File { size: 0 }, 0o644), vec![]),
    ];
    let lower = Merged::new(vec![write(&below).1.into()]);
    let changes = diff(directory.path(), &lower, &DiffOptions::default()).unwrap();
    let names: Vec<_> = changes
        .entries()
        .iter()
        .map(|entry| (entry.path.to_string(), entry.kind == Kind::Whiteout))
        .collect();
    let expected = [("/o", false), ("/o/old", true), ("/w", true)];
    assert_eq!(
        names,
        expected.map(|(name, is_whiteout)| (name.to_owned(), is_whiteout))
    );
}

#[test]
fn file_copied_up_without_a_change_is_not_listed() {
    let id = rustix::process::geteuid().as_raw();
    let own = |entry: Entry| Entry {
        uid: id,
        gid: rustix::process::getegid().as_raw(),
        ..entry
    };
    let entries = [
        (
            own(entry("d", Kind::Directory { is_opaque: false }, 0o755)),
            vec![],
        ),
        (own(entry("d/f", Kind::File { size: 0 }, 0o644)), vec![]),
    ];
    let (tar, listing) = write(&entries);
    let directory = tempfile::tempdir().unwrap();
    unpack(tar.as_slice(), directory.path(), &UnpackOptions::default()).unwrap();
    let lower = Merged::new(vec![listing.into()]);
    assert!(
        diff(directory.path(), &lower, &DiffOptions::default())
            .unwrap()
            .is_empty()
    );
    std::fs::write(directory.path().join("d/new"), b"x").unwrap();
    let changes = diff(directory.path(), &lower, &DiffOptions::default()).unwrap();
    let names: Vec<_> = changes
        .entries()
        .iter()
        .map(|entry| entry.path.to_string())
        .collect();
    assert_eq!(names, ["/d", "/d/new"]);
}

#[test]
fn setting_the_time_that_a_file_was_lowered_to_is_a_change() {
    let id = rustix::process::geteuid().as_raw();
    let moment = 1_600_000_000_i64;
    let file = Entry {
        uid: id,
        gid: rustix::process::getegid().as_raw(),
        modified: Timestamp::seconds(moment),
        ..entry("f", Kind::File { size: 0 }, 0o644)
    };
    let (tar, listing) = write(&[(file, vec![])]);
    let listing = listing.with_lowered_times_marked(Some(moment));
    let directory = tempfile::tempdir().unwrap();
    let options = UnpackOptions {
        fractions: Some(&listing),
        ..UnpackOptions::default()
    };
    unpack(tar.as_slice(), directory.path(), &options).unwrap();
    let lower = Merged::new(vec![listing.into()]);
    let changes = || diff(directory.path(), &lower, &DiffOptions::default()).unwrap();
    assert!(changes().is_empty());
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(moment.unsigned_abs());
    let file = std::fs::File::open(directory.path().join("f")).unwrap();
    file.set_modified(time).unwrap();
    assert_eq!(changes().len(), 1);
}

fn refused(entries: &[(Entry, Vec<u8>)]) -> LayerError {
    let (tar, _) = write(entries);
    let outside = tempfile::tempdir().unwrap();
    let inside = outside.path().join("snapshot");
    std::fs::create_dir(&inside).unwrap();
    let error = unpack(tar.as_slice(), &inside, &UnpackOptions::default()).unwrap_err();
    assert_eq!(
        std::fs::read_dir(outside.path()).unwrap().count(),
        1,
        "something was written outside"
    );
    error
}

#[test]
fn cve_2018_15664_file_under_a_link_of_the_layer_is_refused() {
    let link = entry(
        "l",
        Kind::Symlink {
            target: b"..".to_vec(),
        },
        0o777,
    );
    let file = entry("l/f", Kind::File { size: 1 }, 0o644);
    assert!(matches!(
        refused(&[(link, vec![]), (file, b"x".to_vec())]),
        LayerError::NotInDirectory { .. }
    ));
}

#[test]
fn cve_2026_17106_hard_link_to_what_the_layer_does_not_have_is_refused() {
    let link = entry(
        "l",
        Kind::HardLink {
            target: path("etc/passwd"),
        },
        0o644,
    );
    assert!(matches!(
        refused(&[(link, vec![])]),
        LayerError::HardLink { .. }
    ));
}

/// Writes a header of any name; the writer itself cannot be made to.
fn raw(name: &[u8], change: impl Fn(&mut [u8])) -> Vec<u8> {
    let (mut tar, _) = write(&[(entry("x", Kind::File { size: 0 }, 0o644), vec![])]);
    tar[..100].fill(0);
    tar[..name.len()].copy_from_slice(name);
    change(&mut tar);
    tar[148..156].fill(b' ');
    let sum: u32 = tar[..512].iter().map(|&byte| u32::from(byte)).sum();
    tar[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    tar
}

fn first(tar: &[u8]) -> Result<Option<LayerRecord>, LayerError> {
    read_layer(tar, Limits::default()).next_record()
}

#[test]
fn cve_2020_10696_names_that_go_up_are_refused_and_absolute_ones_are_relative() {
    for name in [
        "../x",
        "a/../../x",
        ".wh...",
        ".wh..",
        ".wh.",
        "a/.wh../x",
        "a/.wh.b/c",
    ] {
        let result = first(&raw(name.as_bytes(), |_| {}));
        assert!(
            matches!(result, Err(LayerError::UnsafeName { .. })),
            "{name}: {result:?}"
        );
    }
    let Ok(Some(LayerRecord::Entry(entry))) = first(&raw(b"//etc/x", |_| {})) else {
        panic!("refused")
    };
    assert_eq!(entry.path, path("etc/x"));
}

#[test]
fn cve_2021_29136_root_that_is_a_link_is_refused() {
    let tar = raw(b"./", |tar| tar[156] = b'2');
    let result = list_layer(tar.as_slice(), None, Limits::default());
    assert!(result.is_err());
    let tar = raw(b".", |tar| {
        tar[156] = b'2';
        tar[157] = b'/';
    });
    assert!(matches!(
        list_layer(tar.as_slice(), None, Limits::default()),
        Err(LayerError::NotInDirectory { .. })
    ));
}

#[test]
fn cve_2025_62518_sizes_that_differ_are_refused() {
    let record = b"13 size=1024\n";
    let mut tar = raw(b"pax", |tar| {
        tar[156] = b'x';
        tar[124..136].copy_from_slice(format!("{:011o}\0", record.len()).as_bytes());
    });
    tar.truncate(512);
    tar.extend_from_slice(record);
    tar.resize(1024, 0);
    tar.extend(raw(b"file", |tar| {
        tar[124..136].copy_from_slice(b"00000001000\0");
    }));
    assert!(matches!(first(&tar), Err(LayerError::Malformed { .. })));
}

#[test]
fn cve_2018_20990_negative_and_absurd_sizes_are_refused() {
    let negative = raw(b"f", |tar| tar[124..136].fill(0xff));
    assert!(matches!(
        first(&negative),
        Err(LayerError::Malformed { .. })
    ));
    let absurd = raw(b"f", |tar| {
        tar[124..136].fill(0xff);
        tar[124] = 0x80;
        tar[125..132].fill(0x7f);
    });
    assert!(first(&absurd).is_err());
}

#[test]
fn device_0_0_that_is_no_whiteout_is_refused() {
    assert!(matches!(
        first(&raw(b"w", |tar| tar[156] = b'3')),
        Err(LayerError::UnsafeName { .. })
    ));
}

#[test]
fn ghsa_rp3h_jf77_q9p4_limits_end_a_bomb() {
    let many: Vec<_> = (0..20)
        .map(|number| {
            (
                entry(&format!("f{number}"), Kind::File { size: 0 }, 0o644),
                vec![],
            )
        })
        .collect();
    let (tar, _) = write(&many);
    let limits = Limits {
        entries: 10,
        ..Limits::default()
    };
    assert!(matches!(
        list_layer(tar.as_slice(), None, limits),
        Err(LayerError::TooLarge { .. })
    ));
    let limits = Limits {
        bytes: 2048,
        ..Limits::default()
    };
    assert!(matches!(
        list_layer(tar.as_slice(), None, limits),
        Err(LayerError::TooLarge { .. })
    ));
}

#[test]
fn cve_2021_20291_cut_stream_is_an_error() {
    let (tar, _) = write(&sample(false));
    for end in (1..tar.len() - 1024).filter(|end| end % 512 != 0) {
        assert!(
            list_layer(&tar[..end], None, Limits::default()).is_err(),
            "{end}"
        );
    }
}

fn any_entries() -> impl Strategy<Value = Vec<(Entry, Vec<u8>)>> {
    let name = prop::collection::vec(
        any::<u8>().prop_filter("a letter of a name", |byte| !matches!(byte, 0 | b'/')),
        1..140,
    );
    let file = (
        name,
        prop::collection::vec(any::<u8>(), 0..1200),
        0..0o10000_u32,
        any::<u32>(),
        any::<i32>(),
    );
    prop::collection::vec(file, 0..12).prop_map(|files| {
        let mut entries = Vec::new();
        for (name, content, mode, uid, seconds) in files {
            let Some(path) = LayerPath::parse(&name) else {
                continue;
            };
            if path.is_root() || path.as_bytes().starts_with(b".wh.") {
                continue;
            }
            let time = Timestamp::seconds(i64::from(seconds));
            let entry = Entry {
                uid,
                ..Entry::file(path, content.len() as u64, mode, time)
            };
            entries.push((entry, content));
        }
        entries.sort_by(|(one, _), (other, _)| one.path.cmp(&other.path));
        entries.dedup_by(|(one, _), (other, _)| one.path == other.path);
        entries
    })
}

proptest! {
    #[test]
    fn reader_returns_what_the_writer_wrote(entries in any_entries()) {
        let (tar, listing) = write(&entries);
        let mut reader = read_layer(tar.as_slice(), Limits::default());
        for (expected, content) in &entries {
            let record = reader.next_record().unwrap();
            prop_assert_eq!(record, Some(LayerRecord::Entry(expected.clone())));
            let mut data = Vec::new();
            reader.read_to_end(&mut data).unwrap();
            prop_assert_eq!(&data, content);
        }
        prop_assert_eq!(reader.next_record().unwrap(), None);
        let mut saved = Vec::new();
        listing.save(&mut saved).unwrap();
        prop_assert_eq!(Listing::load(saved.as_slice()).unwrap(), listing);
    }

    #[test]
    fn damaged_stream_does_not_panic(at in 0..4096_usize, byte in any::<u8>()) {
        let (mut tar, _) = write(&sample(false));
        if let Some(place) = tar.get_mut(at) {
            *place = byte;
        }
        let _ = list_layer(tar.as_slice(), None, Limits::default());
    }
}

/// `COPY --exclude=b* *.txt /y/` of two files, as BuildKit built it with SOURCE_DATE_EPOCH=1767225600.
#[test]
fn bytes_are_those_of_buildkit() {
    use sha2::Digest;
    let at = |entry: Entry| Entry {
        modified: Timestamp::seconds(1_767_225_600),
        ..entry
    };
    let (tar, _) = write(&[
        (
            at(entry("y", Kind::Directory { is_opaque: false }, 0o755)),
            vec![],
        ),
        (
            at(entry("y/a.txt", Kind::File { size: 2 }, 0o644)),
            b"a\n".to_vec(),
        ),
        (
            at(entry("y/b.txt", Kind::File { size: 2 }, 0o644)),
            b"b\n".to_vec(),
        ),
    ]);
    let digest = sha2::Sha256::digest(&tar)
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    assert_eq!(
        digest,
        "f50f58fca21bfd8fd76bc7e8efee749f6ae420867f6c59869ec41f4c7330ae91"
    );
}
