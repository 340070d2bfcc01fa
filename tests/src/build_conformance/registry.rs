//! A registry that serves the base images from their OCI layouts, on a free port of the loopback interface.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;

use serde_json::Value;

/// Serves every layout `NAME-TAG` under `folder` as `library/NAME:TAG` and returns `127.0.0.1:PORT`.
///
/// The threads end with the process.
pub(crate) fn serve(folder: &Path) -> std::io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    let folder = folder.to_path_buf();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let folder = folder.clone();
            // A client that goes away ends its own thread only.
            thread::spawn(move || talk(&stream, &folder));
        }
    });
    Ok(address)
}

fn talk(stream: &TcpStream, folder: &Path) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut request = String::new();
        if reader.read_line(&mut request)? == 0 {
            return Ok(());
        }
        loop {
            let mut header = String::new();
            if reader.read_line(&mut header)? == 0 || header.trim().is_empty() {
                break;
            }
        }
        let mut words = request.split_whitespace();
        let method = words.next().unwrap_or_default();
        let path = words.next().unwrap_or_default();
        answer(stream, method, path, folder)?;
    }
}

fn answer(mut stream: &TcpStream, method: &str, path: &str, folder: &Path) -> std::io::Result<()> {
    let path = path.split('?').next().unwrap_or_default();
    let (status, kind, body) = match find(path, folder) {
        Some((kind, body)) => ("200 OK", kind, body),
        None => (
            "404 Not Found",
            "application/json".to_owned(),
            br#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"not here"}]}"#.to_vec(),
        ),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
         Docker-Distribution-Api-Version: registry/2.0\r\n",
        body.len()
    )?;
    if let Some(digest) = digest_of(path, folder) {
        write!(stream, "Docker-Content-Digest: {digest}\r\n")?;
    }
    stream.write_all(b"\r\n")?;
    if method != "HEAD" {
        stream.write_all(&body)?;
    }
    stream.flush()
}

/// Returns the media type and the body for a path.
fn find(path: &str, folder: &Path) -> Option<(String, Vec<u8>)> {
    if path == "/v2/" || path == "/v2" {
        return Some(("application/json".to_owned(), b"{}".to_vec()));
    }
    let (name, kind, reference) = parts(path)?;
    if kind == "blobs" {
        let body = layouts(folder, name)
            .into_iter()
            .find_map(|layout| fs::read(blob_path(&layout, reference)).ok())?;
        return Some(("application/octet-stream".to_owned(), body));
    }
    let digest = digest_of(path, folder)?;
    let body = layouts(folder, name)
        .into_iter()
        .find_map(|layout| fs::read(blob_path(&layout, &digest)).ok())?;
    let kind = "application/vnd.oci.image.manifest.v1+json";
    Some((kind.to_owned(), body))
}

fn digest_of(path: &str, folder: &Path) -> Option<String> {
    let (name, _, reference) = parts(path)?;
    if reference.starts_with("sha256:") {
        return Some(reference.to_owned());
    }
    let index = fs::read(folder.join(format!("{name}-{reference}/index.json"))).ok()?;
    let index: Value = serde_json::from_slice(&index).ok()?;
    index["manifests"][0]["digest"].as_str().map(str::to_owned)
}

/// Splits `/v2/library/NAME/KIND/REFERENCE`.
fn parts(path: &str) -> Option<(&str, &str, &str)> {
    let rest = path.strip_prefix("/v2/library/")?;
    let mut parts = rest.splitn(3, '/');
    let (name, kind, reference) = (parts.next()?, parts.next()?, parts.next()?);
    let plain = |text: &str| !text.contains(['/', '\\']) && !text.contains("..");
    (plain(name) && plain(reference)).then_some((name, kind, reference))
}

fn layouts(folder: &Path, name: &str) -> Vec<PathBuf> {
    let start = format!("{name}-");
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(&start))
        .map(|entry| entry.path())
        .collect()
}

fn blob_path(layout: &Path, digest: &str) -> PathBuf {
    layout.join("blobs").join(digest.replace(':', "/"))
}
