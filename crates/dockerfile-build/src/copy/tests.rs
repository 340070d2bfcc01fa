//! COPY and ADD from a context into an image in memory.

mod conformance;

use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;

use oci_image::layer::{Entry, Kind, LayerPath, LayerWriter, Limits, Listing, Merged, Timestamp};

use super::*;
use crate::context::Context;

pub(super) const MOMENT: i64 = 1_767_225_600;

/// An image in memory.
#[derive(Default)]
pub(super) struct TarImage {
    pub(super) merged: Merged,
    tars: Vec<Vec<u8>>,
}

impl TarImage {
    pub(super) fn with(&self, tar: Vec<u8>, listing: Listing) -> TarImage {
        let mut listings = self.merged.listings().to_vec();
        listings.push(Arc::new(listing));
        let mut tars = self.tars.clone();
        tars.push(tar);
        TarImage {
            merged: Merged::new(listings),
            tars,
        }
    }

    pub(super) fn read(&self, path: &LayerPath) -> Vec<u8> {
        let file = self.lookup(path).unwrap().unwrap();
        let mut bytes = Vec::new();
        self.open(&file).unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    }
}

impl FileSource for TarImage {
    fn lookup(&self, path: &LayerPath) -> Result<Option<SourceEntry>, CopyError> {
        if path.is_root() {
            let entry = Entry::directory(path.clone(), Timestamp::seconds(MOMENT));
            return Ok(Some(SourceEntry {
                entry,
                identity: None,
            }));
        }
        let Some(found) = self.merged.get(path) else {
            return Ok(None);
        };
        let file = self.merged.file_of(found).unwrap();
        let mut entry = found.entry.clone();
        let identity = matches!(found.entry.kind, Kind::HardLink { .. } | Kind::File { .. });
        let listing = &self.merged.listings()[found.layer];
        let identity = identity.then(|| {
            (
                found.layer as u64,
                listing.position(&file.entry.path).unwrap() as u64,
            )
        });
        entry.kind = file.entry.kind.clone();
        Ok(Some(SourceEntry { entry, identity }))
    }

    fn children(&self, directory: &LayerPath) -> Result<Vec<SourceEntry>, CopyError> {
        let children = self.merged.children(directory);
        Ok(children
            .iter()
            .map(|found| self.lookup(&found.entry.path).unwrap().unwrap())
            .collect())
    }

    fn open(&self, file: &SourceEntry) -> Result<Box<dyn Read + Send>, CopyError> {
        let Kind::File { size } = file.entry.kind else {
            panic!("no file")
        };
        let found = self.merged.get(&file.entry.path).unwrap();
        let offset = self.merged.listings()[found.layer]
            .data_offset(&file.entry.path)
            .unwrap_or(0) as usize;
        let bytes = self.tars[found.layer][offset..offset + size as usize].to_vec();
        Ok(Box::new(std::io::Cursor::new(bytes)))
    }

    fn place(&self) -> &'static str {
        "the image"
    }
}

pub(super) fn path(text: &str) -> LayerPath {
    LayerPath::parse(text.as_bytes()).unwrap()
}

pub(super) fn request<'a>(sources: Vec<CopySource<'a>>, destination: &str) -> CopyRequest<'a> {
    CopyRequest {
        sources,
        destination: destination.as_bytes().to_vec(),
        chown: None,
        chmod: None,
        options: SelectOptions::default(),
        temporary: std::env::temp_dir(),
        limits: Limits::default(),
    }
}

pub(super) fn files<'a>(
    source: &'a dyn FileSource,
    paths: &[&str],
    unpacks: bool,
) -> Vec<CopySource<'a>> {
    paths
        .iter()
        .map(|path| CopySource::Files {
            source,
            path: (*path).to_owned(),
            unpacks,
        })
        .collect()
}

/// Runs a request on an image and returns the image with the new layer.
pub(super) fn run(
    image: &TarImage,
    request: &CopyRequest<'_>,
    latest: Option<i64>,
) -> Result<TarImage, CopyError> {
    let mut upper = Upper::new(&image.merged, Some(image), Timestamp::seconds(MOMENT));
    copy(&mut upper, request)?;
    let changes = upper.changes(latest)?;
    let (tar, listing) = changes.write(LayerWriter::new(Vec::new()))?;
    Ok(image.with(tar, listing))
}

pub(super) fn last_layer(image: &TarImage) -> Vec<String> {
    let listing = image.merged.listings().last().unwrap();
    listing.entries().iter().map(shown).collect()
}

fn shown(entry: &Entry) -> String {
    let (kind, target) = match &entry.kind {
        Kind::File { size } => ('f', format!(" {size}")),
        Kind::Directory { is_opaque } => (
            'd',
            if *is_opaque {
                " opaque".to_owned()
            } else {
                String::new()
            },
        ),
        Kind::Symlink { target } => ('l', format!(" {}", target.escape_ascii())),
        Kind::HardLink { target } => ('h', format!(" {target}")),
        Kind::Fifo => ('p', String::new()),
        Kind::CharDevice { .. } => ('c', String::new()),
        Kind::BlockDevice { .. } => ('b', String::new()),
        Kind::Whiteout => ('w', String::new()),
    };
    format!(
        "{kind} {} {:o} {}:{}{target}",
        entry.path, entry.mode, entry.uid, entry.gid
    )
}

/// Makes a context: a name that ends in a slash is a directory, `name -> target` a link.
fn context(names: &[&str]) -> (tempfile::TempDir, Context) {
    let directory = tempfile::tempdir().unwrap();
    for name in names {
        put(directory.path(), name);
    }
    let cache = directory.path().join("../no-cache");
    let context = Context::open(directory.path(), None, &cache).unwrap();
    (directory, context)
}

fn put(directory: &Path, name: &str) {
    let (name, target) = name
        .split_once(" -> ")
        .map_or((name, None), |(name, target)| (name, Some(target)));
    let path = directory.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    match target {
        Some(target) => symlink(target, path).unwrap(),
        None if name.ends_with('/') => fs::create_dir_all(&path).unwrap(),
        None => {
            fs::write(&path, name).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        }
    }
}

fn copied(context: &Context, paths: &[&str], destination: &str) -> Result<Vec<String>, CopyError> {
    let image = TarImage::default();
    run(
        &image,
        &request(files(context, paths, false), destination),
        Some(0),
    )
    .map(|image| last_layer(&image))
}

#[test]
fn copies_the_content_of_a_directory() {
    let (_directory, context) = context(&["d/a", "d/e/b", "c"]);
    let layer = copied(&context, &["d"], "/x").unwrap();
    assert_eq!(
        layer,
        [
            "d /x 755 0:0",
            "f /x/a 644 0:0 3",
            "d /x/e 755 0:0",
            "f /x/e/b 644 0:0 5"
        ]
    );
}

#[test]
fn wildcard_without_a_match_is_an_empty_layer() {
    let (_directory, context) = context(&["a"]);
    assert_eq!(copied(&context, &["z*"], "/x/").unwrap(), [] as [&str; 0]);
}

#[test]
fn missing_file_names_what_is_near() {
    let (_directory, context) = context(&["src/main.rs"]);
    let error = copied(&context, &["src/mian.rs"], "/").unwrap_err();
    let CopyError::NotFound { path, near, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(
        (path.as_str(), near.as_deref()),
        ("src/mian.rs", Some("src/main.rs"))
    );
    let error = copied(&context, &["scr/main.rs"], "/").unwrap_err();
    assert!(matches!(error, CopyError::NotFound { near: Some(near), .. } if near == "src"));
}

#[test]
fn links_of_the_source_stay_inside() {
    let (_directory, context) = context(&[
        "l -> /../../../etc",
        "etc/passwd",
        "here -> l/passwd",
        "loop -> loop",
    ]);
    assert_eq!(
        copied(&context, &["l"], "/x").unwrap(),
        ["d /x 755 0:0", "f /x/passwd 644 0:0 10"]
    );
    assert_eq!(
        copied(&context, &["here"], "/").unwrap(),
        ["f /here 644 0:0 10"]
    );
    assert!(matches!(
        copied(&context, &["loop"], "/"),
        Err(CopyError::TooManyLinks { .. })
    ));
}

#[test]
fn links_in_a_directory_are_copied_as_they_are() {
    let (_directory, context) = context(&["d/l -> /etc/passwd"]);
    assert_eq!(
        copied(&context, &["d"], "/x").unwrap(),
        ["d /x 755 0:0", "l /x/l 777 0:0 /etc/passwd"]
    );
}

#[test]
fn destination_follows_links_inside_of_the_image() {
    let (_directory, context) = context(&["link/out -> ../../../up", "a", "f/up/"]);
    let image = run(
        &TarImage::default(),
        &request(files(&context, &["link", "f"], false), "/"),
        Some(0),
    )
    .unwrap();
    let image = run(
        &image,
        &request(files(&context, &["a"], false), "/out/"),
        Some(0),
    )
    .unwrap();
    assert_eq!(last_layer(&image), ["d /up 755 0:0", "f /up/a 644 0:0 1"]);
}

#[test]
fn file_that_is_as_it_was_makes_no_layer() {
    let (_directory, context) = context(&["d/a"]);
    let image = run(
        &TarImage::default(),
        &request(files(&context, &["d"], false), "/x"),
        Some(0),
    )
    .unwrap();
    let image = run(
        &image,
        &request(files(&context, &["d"], false), "/x"),
        Some(0),
    )
    .unwrap();
    assert_eq!(last_layer(&image), [] as [&str; 0]);
}

#[test]
fn file_with_other_bytes_of_the_same_length_is_listed() {
    let (_directory, context) = context(&["one/a", "two/a"]);
    let image = run(
        &TarImage::default(),
        &request(files(&context, &["one/a"], false), "/a"),
        Some(0),
    )
    .unwrap();
    let image = run(
        &image,
        &request(files(&context, &["two/a"], false), "/a"),
        Some(0),
    )
    .unwrap();
    assert_eq!(last_layer(&image), ["f /a 644 0:0 5"]);
    assert_eq!(image.read(&path("a")), b"two/a");
}

#[test]
fn refuses_to_mix_files_and_directories() {
    let (_directory, context) = context(&["d/x/f", "e/x"]);
    let image = run(
        &TarImage::default(),
        &request(files(&context, &["d"], false), "/"),
        None,
    )
    .unwrap();
    let error = run(&image, &request(files(&context, &["e"], false), "/"), None)
        .err()
        .unwrap();
    assert!(matches!(error, CopyError::IsDirectory { .. }), "{error}");
    let image = run(
        &TarImage::default(),
        &request(files(&context, &["e"], false), "/"),
        None,
    )
    .unwrap();
    let error = run(&image, &request(files(&context, &["d"], false), "/"), None)
        .err()
        .unwrap();
    assert!(matches!(error, CopyError::NotDirectory { .. }), "{error}");
    let error = run(&image, &request(files(&context, &["d"], false), "/x"), None)
        .err()
        .unwrap();
    assert!(matches!(error, CopyError::NotDirectory { .. }), "{error}");
}

#[test]
fn parents_come_along_for_what_matches() {
    let (_directory, context) = context(&["a/b/f.txt", "a/c/g.rs", "h.txt"]);
    let mut request = request(files(&context, &["a/**/*.txt"], false), "/x/");
    request.options.keeps_parents = true;
    let image = run(&TarImage::default(), &request, Some(0)).unwrap();
    assert_eq!(
        last_layer(&image),
        [
            "d /x 755 0:0",
            "d /x/a 755 0:0",
            "d /x/a/b 755 0:0",
            "f /x/a/b/f.txt 644 0:0 9"
        ]
    );
}

#[test]
fn excluded_files_stay_away_and_exceptions_come_back() {
    let (_directory, context) = context(&["d/a", "d/b", "d/e/c", "d/e/d"]);
    let mut request = request(files(&context, &["d"], false), "/x");
    request.options.exclude = vec!["e".to_owned(), "b".to_owned(), "!e/d".to_owned()];
    let image = run(&TarImage::default(), &request, Some(0)).unwrap();
    assert_eq!(
        last_layer(&image),
        [
            "d /x 755 0:0",
            "f /x/a 644 0:0 3",
            "d /x/e 755 0:0",
            "f /x/e/d 644 0:0 5"
        ]
    );
}

fn archive(make: impl FnOnce(&mut tar::Builder<Vec<u8>>)) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    make(&mut builder);
    builder.into_inner().unwrap()
}

fn header(name: &[u8], kind: tar::EntryType, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    // The crate's own setter refuses what an attacker writes.
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(size);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(1);
    header.set_cksum();
    header
}

fn unpacked(bytes: &[u8]) -> Result<TarImage, CopyError> {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("t"), bytes).unwrap();
    let context = Context::open(directory.path(), None, &directory.path().join("none")).unwrap();
    run(
        &TarImage::default(),
        &request(files(&context, &["t"], true), "/x/"),
        Some(0),
    )
}

#[test]
fn archive_entries_are_clamped_inside_of_the_destination() {
    let bytes = archive(|builder| {
        builder
            .append(&header(b"../../up", tar::EntryType::Regular, 2), &b"up"[..])
            .unwrap();
        builder
            .append(&header(b"/abs", tar::EntryType::Regular, 0), &b""[..])
            .unwrap();
        let mut link = header(b"link", tar::EntryType::Symlink, 0);
        link.set_link_name("/../../etc").unwrap();
        link.set_cksum();
        builder.append(&link, &b""[..]).unwrap();
        builder
            .append(
                &header(b"link/passwd", tar::EntryType::Regular, 0),
                &b""[..],
            )
            .unwrap();
        builder
            .append(&header(b".wh.gone", tar::EntryType::Regular, 0), &b""[..])
            .unwrap();
    });
    let image = unpacked(&bytes).unwrap();
    assert_eq!(
        last_layer(&image),
        [
            "d /x 755 0:0",
            "f /x/.wh.gone 644 0:0 0",
            "f /x/abs 644 0:0 0",
            "d /x/etc 755 0:0",
            "f /x/etc/passwd 644 0:0 0",
            "l /x/link 777 0:0 /../../etc",
            "f /x/up 644 0:0 2",
        ]
    );
    assert_eq!(image.read(&path("x/up")), b"up");
}

#[test]
fn archive_cannot_link_to_files_outside_of_the_destination() {
    let bytes = archive(|builder| {
        let mut link = header(b"h", tar::EntryType::Link, 0);
        link.set_link_name("../../etc/passwd").unwrap();
        link.set_cksum();
        builder.append(&link, &b""[..]).unwrap();
    });
    assert!(matches!(unpacked(&bytes), Err(CopyError::Archive { .. })));
}

#[test]
fn archive_that_ends_too_early_is_an_error() {
    let bytes = archive(|builder| {
        builder
            .append(&header(b"f", tar::EntryType::Regular, 5000), &[1; 5000][..])
            .unwrap();
    });
    assert!(matches!(
        unpacked(&bytes[..3000]),
        Err(CopyError::Archive { .. })
    ));
}

#[test]
fn archive_that_grows_without_end_is_an_error() {
    let bytes = archive(|builder| {
        builder
            .append(
                &header(b"f", tar::EntryType::Regular, 1 << 20),
                std::io::repeat(0).take(1 << 20),
            )
            .unwrap();
    });
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("t"), bytes).unwrap();
    let context = Context::open(directory.path(), None, &directory.path().join("none")).unwrap();
    let mut request = request(files(&context, &["t"], true), "/x/");
    request.limits.bytes = 4096;
    assert!(matches!(
        run(&TarImage::default(), &request, None),
        Err(CopyError::Archive { .. })
    ));
}

#[test]
fn device_that_would_be_a_whiteout_is_refused() {
    let bytes = archive(|builder| {
        let mut device = header(b"c", tar::EntryType::Char, 0);
        device.set_device_major(0).unwrap();
        device.set_device_minor(0).unwrap();
        device.set_cksum();
        builder.append(&device, &b""[..]).unwrap();
    });
    assert!(matches!(unpacked(&bytes), Err(CopyError::Archive { .. })));
}

#[test]
fn directory_that_replaces_a_directory_hides_the_old_one() {
    let (_directory, context) = context(&["x/d/old"]);
    let lower = run(
        &TarImage::default(),
        &request(files(&context, &["."], false), "/"),
        Some(0),
    )
    .unwrap();
    let mut upper = Upper::new(&lower.merged, Some(&lower), Timestamp::seconds(1));
    upper.remove(&path("x/d")).unwrap();
    assert!(upper.get(&path("x/d/old")).is_none());
    upper.mkdir_all(&path("x/d/e"), (0, 0), 0o755).unwrap();
    assert!(upper.get(&path("x/d/old")).is_none());
    let (tar, listing) = upper
        .changes(None)
        .unwrap()
        .write(LayerWriter::new(Vec::new()))
        .unwrap();
    let image = lower.with(tar, listing);
    assert!(image.merged.get(&path("x/d/e")).is_some());
    assert!(image.merged.get(&path("x/d/old")).is_none());
}

#[test]
fn removing_a_file_leaves_a_whiteout() {
    let (_directory, context) = context(&["x/f"]);
    let lower = run(
        &TarImage::default(),
        &request(files(&context, &["."], false), "/"),
        Some(0),
    )
    .unwrap();
    let mut upper = Upper::new(&lower.merged, Some(&lower), Timestamp::seconds(1));
    upper.remove(&path("x/f")).unwrap();
    let changes = upper.changes(None).unwrap();
    let names: Vec<_> = changes
        .entries
        .iter()
        .map(|(entry, _)| shown(entry))
        .collect();
    assert_eq!(names, ["d /x 755 0:0", "w /x/f 0 0:0"]);
}

#[test]
fn digest_ignores_times_and_the_name_that_is_asked_for() {
    let (directory, context) = context(&["a", "d/x", "d/y"]);
    let digest = |context: &Context, paths: &[&str]| {
        let paths: Vec<_> = paths.iter().map(|path| (*path).to_owned()).collect();
        content_digest(context, &paths, &SelectOptions::default()).unwrap()
    };
    let old = (
        digest(&context, &["a"]),
        digest(&context, &["d"]),
        digest(&context, &["*"]),
    );
    let open = || Context::open(directory.path(), None, &directory.path().join("none")).unwrap();
    let file = fs::File::options()
        .write(true)
        .open(directory.path().join("a"))
        .unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH)
        .unwrap();
    assert_eq!(digest(&open(), &["a"]), old.0);
    fs::rename(directory.path().join("a"), directory.path().join("b")).unwrap();
    assert_eq!(digest(&open(), &["b"]), old.0);
    assert_ne!(digest(&open(), &["*"]), old.2);
    fs::rename(directory.path().join("d/x"), directory.path().join("d/z")).unwrap();
    assert_ne!(digest(&open(), &["d"]), old.1);
}

#[test]
fn directories_below_keep_their_times() {
    let (directory, _) = context(&["d/e/f"]);
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_111_111_111);
    let below = fs::File::open(directory.path().join("d/e")).unwrap();
    below.set_modified(time).unwrap();
    let context = Context::open(directory.path(), None, &directory.path().join("none")).unwrap();
    let image = run(
        &TarImage::default(),
        &request(files(&context, &["d"], false), "/x"),
        None,
    )
    .unwrap();
    let modified = |at: &str| image.merged.get(&path(at)).unwrap().entry.modified.seconds;
    assert_eq!((modified("x"), modified("x/e")), (MOMENT, 1_111_111_111));
}

#[test]
fn special_bits_are_set_on_what_is_copied_but_not_on_the_way() {
    let (_directory, context) = context(&["d/f"]);
    let mut request = request(files(&context, &["d"], false), "/d");
    request.chmod = Some(FileMode::parse("1777").unwrap());
    let image = run(&TarImage::default(), &request, Some(0)).unwrap();
    assert_eq!(last_layer(&image), ["d /d 777 0:0", "f /d/f 1777 0:0 3"]);
}

#[test]
fn link_in_an_archive_gives_its_metadata_to_the_file() {
    let bytes = archive(|builder| {
        let mut file = header(b"f", tar::EntryType::Regular, 1);
        file.set_uid(7);
        file.set_mode(0o640);
        file.set_cksum();
        builder.append(&file, &b"x"[..]).unwrap();
        let mut link = header(b"h", tar::EntryType::Link, 0);
        link.set_link_name("f").unwrap();
        link.set_cksum();
        builder.append(&link, &b""[..]).unwrap();
    });
    assert_eq!(
        last_layer(&unpacked(&bytes).unwrap()),
        ["d /x 755 0:0", "f /x/f 644 0:0 1", "h /x/h 644 0:0 /x/f"]
    );
}

proptest::proptest! {
    #[test]
    fn no_archive_breaks_the_reader(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..2048), at in 0_usize..1024) {
        let mut archive = archive(|builder| {
            builder.append(&header(b"d/f", tar::EntryType::Regular, 5), &b"hello"[..]).unwrap();
        });
        for (place, byte) in bytes.iter().enumerate().take(8) {
            let length = archive.len();
            archive[(at + place * 37) % length] = *byte;
        }
        let _ = unpacked(&archive);
        let _ = unpacked(&bytes);
    }

    #[test]
    fn modes_never_panic(text in "[-augorwxXst+=,0-9]{0,12}", old in 0_u32..0o10000) {
        if let Ok(mode) = FileMode::parse(&text) {
            proptest::prop_assert!(mode.apply(old, false) <= 0o7777);
        }
    }

    #[test]
    fn users_never_panic(spec in ".{0,12}", passwd in ".{0,64}") {
        let _ = chown_ids(&spec, passwd.as_bytes(), passwd.as_bytes());
        let _ = run_user(&spec, passwd.as_bytes(), passwd.as_bytes());
    }
}
