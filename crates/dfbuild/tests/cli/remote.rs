//! ADD of URLs and of git repositories, from a server of our own.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::scratch::{Output, Scratch};
use crate::server::{Page, Server};

fn write(scratch: &Scratch, add: &str) {
    scratch.write("app/Dockerfile", format!("FROM scratch\nADD {add}\n"));
}

/// Builds into the folder `out`.
fn build(scratch: &Scratch) -> Output {
    let _ = fs::remove_dir_all(scratch.path("out"));
    scratch.run(&["build", "--progress", "plain", "-o", "out", "app"])
}

fn built(scratch: &Scratch) {
    let output = build(scratch);
    assert_eq!(output.code, 0, "{output:?}");
}

fn time_in_image(scratch: &Scratch, path: &str) -> u64 {
    let output = scratch.run(&["build", "-q", "-o", "type=tar,dest=out.tar", "app"]);
    assert_eq!(output.code, 0, "{output:?}");
    let file = fs::File::open(scratch.path("out.tar")).expect("written");
    let mut archive = tar::Archive::new(file);
    let mut entries = archive.entries().expect("a tar").flatten();
    let found = entries.find(|entry| entry.path().is_ok_and(|found| found == Path::new(path)));
    found.expect("there").header().mtime().expect("a time")
}

fn digest(text: &str) -> String {
    oci_image::Digest::of(text.as_bytes()).to_string()
}

#[test]
fn a_file_has_the_name_of_its_url_and_the_time_of_its_server() {
    let (scratch, server) = (Scratch::new(&[]), Server::start());
    let page = Page::text("hello")
        .header("Last-Modified", "Sun, 06 Nov 1977 08:49:37 GMT")
        .header("Content-Disposition", "attachment; filename=other");
    server.put("/files/a%20b.txt?x=1", page);
    write(
        &scratch,
        &format!("{} /to/", server.url("/files/a%20b.txt?x=1")),
    );
    built(&scratch);
    let file = scratch.path("out/to/a b.txt");
    assert_eq!(scratch.read("out/to/a b.txt"), "hello");
    let metadata = fs::metadata(file).expect("there");
    assert_eq!(metadata.permissions().mode() & 0o7777, 0o600);
    assert_eq!(time_in_image(&scratch, "to/a b.txt"), 247_654_177);
}

#[test]
fn a_file_may_get_another_name_mode_and_place() {
    let (scratch, server) = (Scratch::new(&[]), Server::start());
    server.put("/a", Page::text("hello"));
    write(
        &scratch,
        &format!("--chmod=755 {} /usr/bin/tool", server.url("/a")),
    );
    built(&scratch);
    let metadata = fs::metadata(scratch.path("out/usr/bin/tool")).expect("there");
    assert_eq!(metadata.permissions().mode() & 0o7777, 0o755);
    assert_eq!(time_in_image(&scratch, "usr/bin/tool"), 0);
}

#[test]
fn a_file_that_did_not_change_is_not_sent_again() {
    let (scratch, server) = (Scratch::new(&[]), Server::start());
    server.put("/a", Page::text("one").header("ETag", "\"1\""));
    write(&scratch, &format!("{} /", server.url("/a")));
    built(&scratch);
    assert_eq!(server.log(), ["/a 200"]);
    let again = build(&scratch);
    assert_eq!(server.log(), ["/a 304"]);
    assert!(again.stderr.contains("CACHED"), "{again:?}");
    server.put("/a", Page::text("two").header("ETag", "\"2\""));
    built(&scratch);
    assert_eq!(scratch.read("out/a"), "two");
}

#[test]
fn a_plan_says_what_has_to_be_fetched() {
    let (scratch, server) = (Scratch::new(&[]), Server::start());
    server.put("/a", Page::text("one").header("ETag", "\"1\""));
    write(&scratch, &format!("{} /\nWORKDIR /x", server.url("/a")));
    let plan = scratch.run(&["plan", "app"]);
    assert_eq!(plan.code, 0, "{plan:?}");
    assert!(plan.stdout.contains("has to be fetched"), "{plan:?}");
    assert!(plan.stdout.contains("until the steps before"), "{plan:?}");
    assert_eq!(server.log(), Vec::<String>::new());
    built(&scratch);
    let plan = scratch.run(&["plan", "app"]);
    assert!(!plan.stdout.contains("fetched"), "{plan:?}");
    assert_eq!(server.log(), ["/a 200", "/a 304"]);
}

#[test]
fn the_same_content_is_the_same_step() {
    let (scratch, server) = (Scratch::new(&[]), Server::start());
    server.put("/a", Page::text("one"));
    write(&scratch, &format!("{} /", server.url("/a")));
    built(&scratch);
    let again = build(&scratch);
    assert!(again.stderr.contains("CACHED"), "{again:?}");
    assert_eq!(server.log(), ["/a 200", "/a 200"]);
}

#[test]
fn with_a_checksum_nobody_is_asked_again() {
    let (scratch, server) = (Scratch::new(&[]), Server::start());
    server.put("/a", Page::text("one"));
    let add = format!("--checksum={} {} /", digest("one"), server.url("/a"));
    write(&scratch, &add);
    built(&scratch);
    assert_eq!(server.log(), ["/a 200"]);
    server.put("/a", Page::default().status(500));
    built(&scratch);
    // Another step with the same file: it comes from the store.
    write(&scratch, &format!("{add}elsewhere"));
    built(&scratch);
    assert_eq!(scratch.read("out/elsewhere"), "one");
    assert_eq!(server.log(), Vec::<String>::new());
}

#[test]
fn a_file_of_the_store_that_was_damaged_is_fetched_again() {
    let (scratch, server) = (Scratch::new(&[]), Server::start());
    server.put("/a", Page::text("one"));
    let add = format!("--checksum={} {} /", digest("one"), server.url("/a"));
    write(&scratch, &add);
    built(&scratch);
    let hex = digest("one").replace("sha256:", "");
    scratch.write(&format!("store/blobs/sha256/{hex}"), "bad");
    write(&scratch, &format!("{add}elsewhere"));
    built(&scratch);
    assert_eq!(scratch.read("out/elsewhere"), "one");
    assert_eq!(server.log().len(), 2);
}

#[test]
fn another_file_than_the_checksum_says_points_at_the_checksum() {
    let (scratch, server) = (Scratch::new(&[]), Server::start());
    server.put("/a", Page::text("evil"));
    let add = format!("--checksum={} {} /", digest("one"), server.url("/a"));
    write(&scratch, &add);
    let output = build(&scratch);
    assert_eq!(output.code, 1, "{output:?}");
    assert!(output.stderr.contains("Dockerfile:2:16"), "{output:?}");
    assert!(output.stderr.contains(&digest("evil")), "{output:?}");
    assert_eq!(scratch.run(&["store", "check"]).code, 0);
}

#[test]
fn a_checksum_that_is_none_is_refused_before_anything_is_fetched() {
    let (scratch, server) = (Scratch::new(&[]), Server::start());
    write(
        &scratch,
        &format!("--checksum=md5:00 {} /", server.url("/a")),
    );
    let output = build(&scratch);
    assert_eq!(output.code, 1, "{output:?}");
    assert!(output.stderr.contains("is not a checksum"), "{output:?}");
    assert_eq!(server.log(), Vec::<String>::new());
    scratch.write("app/x", "x");
    write(&scratch, &format!("--checksum={} x /", digest("x")));
    let output = build(&scratch);
    assert!(output.stderr.contains("goes with a URL"), "{output:?}");
}

#[test]
fn a_file_that_is_not_there_points_at_the_url() {
    let (scratch, server) = (Scratch::new(&[]), Server::start());
    write(&scratch, &format!("{} /", server.url("/a")));
    let output = build(&scratch);
    assert_eq!(output.code, 1, "{output:?}");
    assert!(output.stderr.contains("Dockerfile:2:5"), "{output:?}");
    assert!(
        output.stderr.contains("the server does not have it"),
        "{output:?}"
    );
}

#[test]
fn without_an_answer_the_error_names_the_way_to_build_offline() {
    let (scratch, server) = (Scratch::new(&[]), Server::start());
    server.put("/a", Page::text("one"));
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let closed = port.local_addr().expect("bound").port();
    drop(port);
    write(&scratch, &format!("http://127.0.0.1:{closed}/a /"));
    let output = build(&scratch);
    assert_eq!(output.code, 1, "{output:?}");
    assert!(output.stderr.contains("Dockerfile:2:5"), "{output:?}");
    assert!(output.stderr.contains("cannot be reached"), "{output:?}");
}

#[test]
fn a_file_that_ends_early_is_tried_again_and_then_refused() {
    let (scratch, server) = (Scratch::new(&[]), Server::start());
    server.put("/a", Page::text("half").header("Content-Length", "8"));
    write(&scratch, &format!("{} /", server.url("/a")));
    let output = build(&scratch);
    assert_eq!(output.code, 1, "{output:?}");
    assert!(output.stderr.contains("broke off"), "{output:?}");
    assert_eq!(server.log().len(), 3);
    assert_eq!(scratch.run(&["store", "check"]).code, 0);
}

#[test]
fn a_file_of_absurd_size_is_refused_at_once() {
    let (scratch, server) = (Scratch::new(&[]), Server::start());
    let page = Page::text("").header("Content-Length", "9000000000000000000");
    server.put("/a", page);
    write(&scratch, &format!("{} /", server.url("/a")));
    let output = build(&scratch);
    assert_eq!(output.code, 1, "{output:?}");
    assert!(output.stderr.contains("more than"), "{output:?}");
}

#[test]
fn redirects_are_followed_and_counted() {
    let (scratch, server) = (Scratch::new(&[]), Server::start());
    let to = |path: &str| Page::default().status(302).header("Location", path);
    server.put("/latest", to("/v2/real-name"));
    server.put("/v2/real-name", Page::text("two"));
    server.put("/loop", to("/loop"));
    server.put("/file", to("file:///etc/passwd"));
    write(&scratch, &format!("{} /to/", server.url("/latest")));
    built(&scratch);
    assert_eq!(scratch.read("out/to/latest"), "two");
    for path in ["/loop", "/file"] {
        write(&scratch, &format!("{} /to/", server.url(path)));
        let output = build(&scratch);
        assert_eq!(output.code, 1, "{output:?}");
        assert!(output.stderr.contains("redirects to"), "{output:?}");
    }
}

#[test]
fn archives_are_unpacked_when_that_is_asked_for() {
    let (scratch, server) = (Scratch::new(&[]), Server::start());
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(2);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    archive
        .append_data(&mut header, "in/side", &b"hi"[..])
        .expect("added");
    let body = archive.into_inner().expect("finished");
    let page = Page {
        status: 200,
        body,
        ..Page::default()
    };
    server.put("/a.tar", page);
    let url = server.url("/a.tar");
    write(&scratch, &format!("--unpack {url} /to/"));
    built(&scratch);
    assert_eq!(scratch.read("out/to/in/side"), "hi");
    write(&scratch, &format!("{url} /to/"));
    built(&scratch);
    assert!(scratch.path("out/to/a.tar").is_file());
}

#[test]
fn passwords_of_urls_stay_out_of_the_image_the_output_and_the_cache() {
    let (scratch, server) = (Scratch::new(&[]), Server::start());
    server.put("/a", Page::text("one"));
    let url = server.url("/a").replace("http://", "http://me:geheim@");
    write(&scratch, &format!("{url} /"));
    let output = build(&scratch);
    assert_eq!(output.code, 0, "{output:?}");
    assert!(!output.stderr.contains("geheim"), "{output:?}");
    let found = Command::new("grep")
        .args(["-rl", "geheim"])
        .arg(scratch.path("store"))
        .output()
        .expect("grep");
    assert_eq!(String::from_utf8_lossy(&found.stdout), "");
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args([
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b",
            "-c",
            "core.hooksPath=/dev/null",
        ])
        .args(arguments)
        .env("HOME", folder)
        .output()
        .expect("git");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout)
        .expect("UTF-8")
        .trim()
        .to_owned()
}

/// Returns a server with the repository `app.git`, and its two commits; `v1` is the first.
fn repository(scratch: &Scratch) -> (Server, String, String) {
    let work = scratch.path("work");
    scratch.write("work/sub/a.txt", "first");
    std::os::unix::fs::symlink("/etc", work.join("out")).expect("linked");
    git(&work, &["init", "-q", "--initial-branch=main"]);
    git(&work, &["add", "."]);
    git(&work, &["commit", "-q", "-m", "first"]);
    git(&work, &["tag", "-a", "-m", "one", "v1"]);
    let first = git(&work, &["rev-parse", "HEAD"]);
    scratch.write("work/sub/a.txt", "second");
    git(&work, &["commit", "-q", "-a", "-m", "second"]);
    let second = git(&work, &["rev-parse", "HEAD"]);
    publish(scratch);
    let server = Server::start();
    server.serve_folder(scratch.path("www"));
    (server, first, second)
}

fn publish(scratch: &Scratch) {
    let _ = fs::remove_dir_all(scratch.path("www"));
    fs::create_dir(scratch.path("www")).expect("made");
    let to = scratch.path("www/app.git");
    let to = to.to_str().expect("UTF-8");
    git(&scratch.path("work"), &["clone", "-q", "--bare", ".", to]);
    git(&scratch.path("www/app.git"), &["update-server-info"]);
}

#[test]
fn a_repository_is_added_at_a_branch_a_tag_a_commit_and_a_folder() {
    let scratch = Scratch::new(&[]);
    let (server, first, second) = repository(&scratch);
    let url = server.url("/app.git");
    for (source, file, text) in [
        (url.clone(), "sub/a.txt", "second"),
        (format!("{url}#main"), "sub/a.txt", "second"),
        (format!("{url}#v1"), "sub/a.txt", "first"),
        (format!("{url}#{first}"), "sub/a.txt", "first"),
        (format!("{url}#v1:sub"), "a.txt", "first"),
        (format!("{url}?tag=v1&subdir=sub"), "a.txt", "first"),
        (
            format!("--checksum={} {url}", &second[..12]),
            "sub/a.txt",
            "second",
        ),
    ] {
        write(&scratch, &format!("{source} /to/"));
        built(&scratch);
        assert_eq!(scratch.read(&format!("out/to/{file}")), text, "{source}");
        assert!(!scratch.path("out/to/.git").exists());
    }
}

#[test]
fn a_repository_counts_by_its_commit() {
    let scratch = Scratch::new(&[]);
    let (server, first, _) = repository(&scratch);
    write(&scratch, &format!("{} /to/", server.url("/app.git")));
    built(&scratch);
    let again = build(&scratch);
    assert!(again.stderr.contains("CACHED"), "{again:?}");
    scratch.write("work/sub/a.txt", "third");
    git(
        &scratch.path("work"),
        &["commit", "-q", "-a", "-m", "third"],
    );
    publish(&scratch);
    built(&scratch);
    assert_eq!(scratch.read("out/to/sub/a.txt"), "third");
    // With a whole commit nobody is asked.
    write(
        &scratch,
        &format!("{}#{first} /to/", server.url("/app.git")),
    );
    built(&scratch);
    server.log();
    built(&scratch);
    assert_eq!(server.log(), Vec::<String>::new());
}

#[test]
fn the_git_folder_is_kept_on_request() {
    let scratch = Scratch::new(&[]);
    let (server, first, _) = repository(&scratch);
    let url = server
        .url("/app.git")
        .replace("http://", "http://me:geheim@");
    write(&scratch, &format!("--keep-git-dir {url}#v1 /to/"));
    built(&scratch);
    assert_eq!(scratch.read("out/to/.git/HEAD").trim(), first);
    assert!(!scratch.read("out/to/.git/config").contains("geheim"));
}

#[test]
fn what_a_repository_does_not_have_points_at_the_source() {
    let scratch = Scratch::new(&[]);
    let (server, _, second) = repository(&scratch);
    let url = server.url("/app.git");
    for (source, message) in [
        (
            format!("{url}#nosuch"),
            "has no branch, tag or commit `nosuch`",
        ),
        (format!("{url}#main:nosuch"), "has no folder `nosuch`"),
        (format!("{url}#main:out"), "leads out of the repository"),
        (format!("{url}#:../etc"), "leads out of the repository"),
        (
            format!("{url}#--upload-pack=touch"),
            "is no name of a branch",
        ),
        (server.url("/other.git"), "cannot read"),
    ] {
        write(&scratch, &format!("{source} /to/"));
        let output = build(&scratch);
        assert_eq!(output.code, 1, "{output:?}");
        assert!(output.stderr.contains(message), "{source}: {output:?}");
        assert!(output.stderr.contains("Dockerfile:2:5"), "{output:?}");
    }
    write(&scratch, &format!("--checksum=0123456789 {url} /to/"));
    let output = build(&scratch);
    assert!(
        output.stderr.contains(&format!("the commit is {second}")),
        "{output:?}"
    );
}
