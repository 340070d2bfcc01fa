//! Contexts, friendly and hostile.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use super::*;

fn path(text: &str) -> LayerPath {
    LayerPath::parse(text.as_bytes()).unwrap()
}

fn open(directory: &Path, rules: &str) -> Context {
    let rules = IgnoreFile::parse(rules).unwrap();
    Context::open(directory, Some(rules), &directory.join("../no-such-cache")).unwrap()
}

fn write(directory: &Path, name: &str) {
    let path = directory.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, name).unwrap();
}

fn names(context: &Context, directory: &str) -> Vec<String> {
    let children = context.children(&path(directory)).unwrap();
    children
        .iter()
        .map(|child| text(child.entry.path.as_bytes()))
        .collect()
}

fn read(context: &Context, file: &str) -> Result<Vec<u8>, CopyError> {
    let file = context.lookup(&path(file))?.unwrap();
    let mut bytes = Vec::new();
    context
        .open(&file)?
        .read_to_end(&mut bytes)
        .map_err(|error| CopyError::read(&file.entry.path, error))?;
    Ok(bytes)
}

#[test]
fn leaves_out_what_is_ignored_and_keeps_exceptions() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["a", "b/c", "b/d/keep", "b/d/drop", ".dockerignore", "e/f"] {
        write(directory.path(), name);
    }
    let context = open(directory.path(), "b\n!b/d/keep\ne\n");
    assert_eq!(names(&context, ""), [".dockerignore", "a", "b"]);
    assert_eq!(names(&context, "b"), ["b/d"]);
    assert_eq!(names(&context, "b/d"), ["b/d/keep"]);
    for hidden in ["b/c", "e", "e/f", "b/d/drop"] {
        assert_eq!(context.lookup(&path(hidden)).unwrap(), None);
        let fresh = open(directory.path(), "b\n!b/d/keep\ne\n");
        assert_eq!(fresh.lookup(&path(hidden)).unwrap(), None, "{hidden}");
    }
    let hidden = context.why_hidden(&path("e/f")).unwrap();
    assert_eq!((hidden.pattern.as_str(), hidden.line), ("e", 2));
}

#[test]
fn does_not_enter_a_directory_that_is_ignored() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), "a/b");
    write(directory.path(), "big/c");
    let context = open(directory.path(), "big\n");
    context.prefetch(&LayerPath::root()).unwrap();
    assert!(context.known_directory(&path("a")).is_some());
    assert!(context.known_directory(&path("big")).is_none());
}

#[test]
fn asks_for_no_more_than_the_path() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), "a/b/c");
    let context = open(directory.path(), "x\n");
    assert_eq!(read(&context, "a/b/c").unwrap(), b"a/b/c");
    assert!(context.known_directory(&path("a")).is_none());
}

#[test]
fn keeps_names_that_are_not_utf_8() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(
        directory.path().join(std::ffi::OsStr::from_bytes(b"a\xff")),
        "x",
    )
    .unwrap();
    let context = open(directory.path(), "");
    assert_eq!(
        context.children(&LayerPath::root()).unwrap()[0]
            .entry
            .path
            .as_bytes(),
        b"a\xff"
    );
}

#[test]
fn never_opens_pipes_and_skips_sockets() {
    let directory = tempfile::tempdir().unwrap();
    let mode = Mode::from_raw_mode(0o644);
    rustix::fs::mknodat(
        CWD,
        directory.path().join("pipe"),
        rustix::fs::FileType::Fifo,
        mode,
        0,
    )
    .unwrap();
    let _socket = UnixListener::bind(directory.path().join("socket")).unwrap();
    let context = open(directory.path(), "");
    assert_eq!(names(&context, ""), ["pipe"]);
    assert_eq!(
        context.lookup(&path("pipe")).unwrap().unwrap().entry.kind,
        Kind::Fifo
    );
}

#[test]
fn knows_the_names_of_one_file() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), "a");
    fs::hard_link(directory.path().join("a"), directory.path().join("b")).unwrap();
    write(directory.path(), "c");
    let context = open(directory.path(), "");
    let identities: Vec<_> = context
        .children(&LayerPath::root())
        .unwrap()
        .iter()
        .map(|child| child.identity)
        .collect();
    assert!(identities[0].is_some());
    assert_eq!(identities[0], identities[1]);
    assert_eq!(identities[2], None);
}

#[test]
fn link_to_the_outside_is_only_a_link() {
    let outside = tempfile::tempdir().unwrap();
    write(outside.path(), "secret");
    let directory = tempfile::tempdir().unwrap();
    symlink(outside.path(), directory.path().join("l")).unwrap();
    let context = open(directory.path(), "");
    assert_eq!(context.lookup(&path("l/secret")).unwrap(), None);
    assert_eq!(names(&context, "l"), [] as [&str; 0]);
}

#[test]
fn directory_that_becomes_a_link_leads_nowhere() {
    let outside = tempfile::tempdir().unwrap();
    write(outside.path(), "f");
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), "d/f");
    let context = open(directory.path(), "");
    assert_eq!(names(&context, "d"), ["d/f"]);
    fs::remove_dir_all(directory.path().join("d")).unwrap();
    symlink(outside.path(), directory.path().join("d")).unwrap();
    assert!(matches!(
        read(&context, "d/f"),
        Err(CopyError::Changed { .. })
    ));
}

#[test]
fn file_that_becomes_a_pipe_is_an_error_and_no_wait() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), "f");
    let context = open(directory.path(), "");
    names(&context, "");
    fs::remove_file(directory.path().join("f")).unwrap();
    rustix::fs::mknodat(
        CWD,
        directory.path().join("f"),
        rustix::fs::FileType::Fifo,
        Mode::from_raw_mode(0o644),
        0,
    )
    .unwrap();
    assert!(matches!(
        read(&context, "f"),
        Err(CopyError::Changed { .. })
    ));
}

#[test]
fn file_that_changes_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), "f");
    let context = open(directory.path(), "");
    names(&context, "");
    fs::write(directory.path().join("f"), "longer").unwrap();
    assert!(matches!(
        read(&context, "f"),
        Err(CopyError::Changed { .. })
    ));
}

#[test]
fn file_that_changes_under_the_reader_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("f"), [b'x'; 10_000]).unwrap();
    let context = open(directory.path(), "");
    let file = context.lookup(&path("f")).unwrap().unwrap();
    let mut reader = context.open(&file).unwrap();
    reader.read_exact(&mut [0; 100]).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(20));
    fs::write(directory.path().join("f"), [b'y'; 10_000]).unwrap();
    let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
    assert!(matches!(
        CopyError::read(&path("f"), error),
        CopyError::Changed { .. }
    ));
}

#[test]
fn opens_by_parts_where_the_system_call_is_missing() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), "a/b/c");
    symlink("b", directory.path().join("a/l")).unwrap();
    let root = openat(
        CWD,
        directory.path(),
        OFlags::RDONLY | OFlags::DIRECTORY,
        Mode::empty(),
    )
    .unwrap();
    let open =
        |name: &str| beneath::open_by_parts(root.as_fd(), &path(name), OFlags::RDONLY).is_ok();
    assert!(open("a/b/c"));
    assert!(!open("a/l/c"));
    assert!(!open("a/l"));
}

#[test]
fn digests_are_remembered_for_files_that_stay() {
    let (directory, store) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write(directory.path(), "f");
    let file = File::options()
        .write(true)
        .open(directory.path().join("f"))
        .unwrap();
    file.set_modified(std::time::UNIX_EPOCH).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(2100));
    let digest = |context: &Context| {
        let file = context.lookup(&path("f")).unwrap().unwrap();
        context.content_digests(&[&file]).unwrap()[0]
    };
    let context = Context::open(directory.path(), None, store.path()).unwrap();
    let first = digest(&context);
    context.save().unwrap();
    let context = Context::open(directory.path(), None, store.path()).unwrap();
    let seen = context.seen(&path("f")).unwrap().unwrap();
    assert_eq!(context.stat_cache.get(&path("f"), &seen.stamp), Some(first));
    assert_eq!(digest(&context), first);
}

#[test]
fn empty_context_has_nothing() {
    let context = Context::empty();
    assert_eq!(context.lookup(&path("a")).unwrap(), None);
    assert!(context.children(&LayerPath::root()).unwrap().is_empty());
}
