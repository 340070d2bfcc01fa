//! A server in this process that answers what a test wants it to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use oci_image::Digest;

use super::*;
use crate::credentials::{Credential, Credentials};

/// What was asked: the first line, and the headers in lower case.
#[derive(Clone, Debug)]
struct Asked {
    line: String,
    headers: String,
}

type Answer = Box<dyn Fn(&Asked, usize) -> Vec<u8> + Send + Sync>;

/// Serves in the background until the process ends; returns the host and what was asked.
fn serve(answer: Answer) -> (String, Arc<Mutex<Vec<Asked>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let log = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&log);
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (Ok(stream), seen, answer) = (stream, Arc::clone(&seen), Arc::clone(&answer))
            else {
                return;
            };
            thread::spawn(move || serve_one(stream, &seen, &answer));
        }
    });
    (host, log)
}

fn serve_one(stream: TcpStream, seen: &Mutex<Vec<Asked>>, answer: &Answer) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    let mut headers = String::new();
    reader.read_line(&mut line).unwrap();
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header).unwrap_or(0) <= 2 {
            break;
        }
        headers.push_str(&header.to_lowercase());
    }
    let asked = Asked {
        line: line.trim().to_owned(),
        headers,
    };
    let number = {
        let mut seen = seen.lock().unwrap();
        seen.push(asked.clone());
        seen.len()
    };
    let mut stream = stream;
    let _ = stream.write_all(&answer(&asked, number));
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let _ = reader.take(1 << 20).read_to_end(&mut Vec::new());
}

fn response(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn registry(credentials: Credentials) -> Registry {
    Registry::new(Options {
        credentials,
        attempts: 3,
        first_wait: Duration::from_millis(1),
        timeout: Duration::from_secs(5),
        ..Options::default()
    })
}

fn credentials(host: &str) -> Credentials {
    let mut credentials = Credentials::none();
    let user = "user".to_owned();
    let password = "hunter2".to_owned();
    credentials.add(host, Credential::Password { user, password });
    credentials
}

/// What a registry has, as `resolve` would have found it.
fn resolved(host: &str) -> Resolved {
    let (_folder, store) = store();
    let image = write_image(&store, &[b"0123456789"]);
    let raw_manifest = store.read_document(&image.digest).unwrap();
    Resolved {
        reference: format!("{host}/a").parse().unwrap(),
        descriptor: image,
        manifest: serde_json::from_slice(&raw_manifest).unwrap(),
        raw_manifest,
        raw_config: Vec::new(),
        host: host.to_owned(),
    }
}

fn pull(host: &str, registry: &Registry) -> Result<Vec<u8>, RegistryError> {
    let resolved = resolved(host);
    let mut bytes = Vec::new();
    let layer = &resolved.manifest.layers[0];
    registry.pull_blob(&resolved, layer, &mut bytes, Monitor::none())?;
    Ok(bytes)
}

fn resolve(host: &str) -> Result<Resolved, RegistryError> {
    let reference = format!("{host}/a").parse().unwrap();
    registry(Credentials::none()).resolve(&reference, &linux(), Monitor::none())
}

/// Breaks off after four bytes, then goes on if the server knows ranges.
fn broken_off(knows_ranges: bool) -> Answer {
    Box::new(move |asked, number| {
        if number == 1 {
            return b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123".to_vec();
        }
        assert!(asked.headers.contains("range: bytes=4-"), "{asked:?}");
        if knows_ranges {
            return response(
                "206 Partial Content",
                "content-range: bytes 4-9/10\r\n",
                b"456789",
            );
        }
        response("200 OK", "", b"0123456789")
    })
}

#[test]
fn a_pull_goes_on_where_it_broke_off() {
    for knows_ranges in [true, false] {
        let (host, log) = serve(broken_off(knows_ranges));
        assert_eq!(
            pull(&host, &registry(Credentials::none())).unwrap(),
            b"0123456789"
        );
        assert_eq!(log.lock().unwrap().len(), 2);
    }
}

#[test]
fn a_server_that_is_busy_is_asked_again_but_not_for_ever() {
    let (host, _) = serve(Box::new(|_, number| match number {
        1 | 2 => response("503 Busy", "", b""),
        _ => response("200 OK", "", b"0123456789"),
    }));
    assert!(pull(&host, &registry(Credentials::none())).is_ok());
    let (host, log) = serve(Box::new(|_, _| response("429 Slow", "", b"")));
    let error = pull(&host, &registry(Credentials::none())).unwrap_err();
    assert!(
        matches!(error, RegistryError::Status { status: 429, .. }),
        "{error}"
    );
    assert_eq!(log.lock().unwrap().len(), 3);
}

#[test]
fn wrong_and_endless_blobs_are_refused() {
    let bodies = [
        b"012345678x".to_vec(),
        b"0123456789x".to_vec(),
        vec![b'0'; 100_000],
    ];
    for body in bodies {
        let (host, _) = serve(Box::new(move |_, _| response("200 OK", "", &body)));
        let error = pull(&host, &registry(Credentials::none())).unwrap_err();
        assert!(matches!(error, RegistryError::Image(_)), "{error}");
    }
    let (host, _) = serve(Box::new(|_, _| {
        response(
            "206 Partial Content",
            "content-range: bytes 5-9/10\r\n",
            b"56789",
        )
    }));
    assert!(pull(&host, &registry(Credentials::none())).is_err());
}

#[test]
fn a_redirect_to_another_host_gets_no_credentials() {
    let (storage, storage_log) = serve(Box::new(|_, _| response("200 OK", "", b"0123456789")));
    let (host, log) = serve(Box::new(move |asked, _| {
        if asked.headers.contains("authorization: basic") {
            let location = format!("location: http://{storage}/blob?signature=x\r\n");
            return response("307 Temporary Redirect", &location, b"");
        }
        response(
            "401 Unauthorized",
            "www-authenticate: Basic realm=\"x\"\r\n",
            b"",
        )
    }));
    assert!(pull(&host, &registry(credentials(&host))).is_ok());
    assert_eq!(log.lock().unwrap().len(), 2);
    let asked = storage_log.lock().unwrap().clone();
    assert!(!asked[0].headers.contains("authorization"), "{asked:?}");
}

#[test]
fn a_challenge_of_another_host_is_not_answered() {
    let (storage, storage_log) = serve(Box::new(|_, _| {
        response(
            "401 Unauthorized",
            "www-authenticate: Basic realm=\"x\"\r\n",
            b"",
        )
    }));
    let (host, _) = serve(Box::new(move |_, _| {
        response(
            "302 Found",
            &format!("location: http://{storage}/x\r\n"),
            b"",
        )
    }));
    let error = pull(&host, &registry(credentials(&host))).unwrap_err();
    assert!(
        matches!(error, RegistryError::Unauthorized { .. }),
        "{error}"
    );
    assert!(
        storage_log
            .lock()
            .unwrap()
            .iter()
            .all(|asked| !asked.headers.contains("authorization"))
    );
}

#[test]
fn a_token_service_elsewhere_without_tls_is_not_asked() {
    let challenge = "www-authenticate: Bearer realm=\"http://auth.invalid/token\"\r\n";
    let (host, _) = serve(Box::new(move |_, _| {
        response("401 Unauthorized", challenge, b"")
    }));
    let error = pull(&host, &registry(credentials(&host))).unwrap_err();
    assert!(error.to_string().contains("without TLS"), "{error}");
}

#[test]
fn a_token_is_fetched_once_and_used_again() {
    let (host, log) = serve(Box::new(|asked, _| {
        let host = asked
            .headers
            .lines()
            .find_map(|line| line.strip_prefix("host: "))
            .unwrap();
        if asked
            .line
            .starts_with("GET /token?service=s&scope=repository%3Aa%3Apull ")
        {
            assert!(asked.headers.contains("authorization: basic"));
            return response("200 OK", "", br#"{"token":"t0"}"#);
        }
        if asked.headers.contains("authorization: bearer t0") {
            return response("200 OK", "", b"0123456789");
        }
        let challenge =
            format!("www-authenticate: Bearer realm=\"http://{host}/token\",service=\"s\"\r\n");
        response("401 Unauthorized", &challenge, b"")
    }));
    let registry = registry(credentials(&host));
    pull(&host, &registry).unwrap();
    pull(&host, &registry).unwrap();
    assert_eq!(log.lock().unwrap().len(), 4);
}

#[test]
fn redirects_are_bounded_and_stay_with_http() {
    let (host, log) = serve(Box::new(|_, _| {
        response("302 Found", "location: /again\r\n", b"")
    }));
    let error = pull(&host, &registry(Credentials::none())).unwrap_err();
    assert!(matches!(error, RegistryError::Redirect { .. }), "{error}");
    assert_eq!(log.lock().unwrap().len(), 6);
    let (host, _) = serve(Box::new(|_, _| {
        response("302 Found", "location: file:///etc/passwd\r\n", b"")
    }));
    let error = pull(&host, &registry(Credentials::none())).unwrap_err();
    assert!(
        error.to_string().contains("neither http nor https"),
        "{error}"
    );
}

#[test]
fn hostile_manifests_are_refused() {
    let kind = "content-type: application/vnd.oci.image.manifest.v1+json\r\n";
    let digest = Digest::of(b"other");
    let both = format!(
        r#"{{"schemaVersion":2,"config":{{"digest":"{digest}","size":1}},"layers":[],"manifests":[]}}"#
    );
    let climbing =
        r#"{"schemaVersion":2,"config":{"digest":"sha256:../../x","size":1},"layers":[]}"#;
    let huge_config = format!(
        r#"{{"schemaVersion":2,"config":{{"digest":"{digest}","size":99999999999}},"layers":[]}}"#
    );
    let claimed = format!("{kind}docker-content-digest: {digest}\r\n");
    let huge = vec![b' '; 5 << 20];
    let cases: Vec<(String, Vec<u8>)> = vec![
        (kind.to_owned(), both.into_bytes()),
        (kind.to_owned(), climbing.as_bytes().to_vec()),
        (kind.to_owned(), huge_config.into_bytes()),
        (kind.to_owned(), huge),
        (kind.to_owned(), b"{".to_vec()),
        (claimed, b"{}".to_vec()),
        ("content-type: text/html\r\n".to_owned(), b"<html>".to_vec()),
    ];
    for (headers, body) in cases {
        let (host, _) = serve(Box::new(move |_, _| response("200 OK", &headers, &body)));
        let error = resolve(&host).unwrap_err();
        let is_refusal = matches!(
            error,
            RegistryError::Image(_) | RegistryError::Malformed { .. }
        );
        assert!(is_refusal, "{error}");
    }
}

#[test]
fn a_cancelled_pull_ends_at_once() {
    let (host, _) = serve(Box::new(|_, _| {
        response("503 Busy", "retry-after: 30\r\n", b"")
    }));
    let resolved = resolved(&host);
    let asked = AtomicU64::new(0);
    let cancel = || asked.fetch_add(1, Ordering::Relaxed) > 1;
    let monitor = Monitor {
        progress: &|_, _| {},
        cancel: &cancel,
    };
    let layer = &resolved.manifest.layers[0];
    let error = registry(Credentials::none()).pull_blob(&resolved, layer, &mut Vec::new(), monitor);
    assert!(matches!(error, Err(RegistryError::Cancelled)));
}

#[test]
fn an_upload_at_another_host_gets_no_credentials() {
    let (storage, storage_log) = serve(Box::new(|_, _| response("201 Created", "", b"")));
    let (host, _) = serve(Box::new(move |asked, _| {
        if !asked.headers.contains("authorization") {
            return response(
                "401 Unauthorized",
                "www-authenticate: Basic realm=\"x\"\r\n",
                b"",
            );
        }
        match asked.line.split(' ').next() {
            Some("HEAD") => b"HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n".to_vec(),
            Some("POST") => response(
                "202 Accepted",
                &format!("location: http://{storage}/up\r\n"),
                b"",
            ),
            _ => response("201 Created", "", b""),
        }
    }));
    let (_folder, store) = store();
    let image = write_image(&store, &[b"layer"]);
    let reference = format!("{host}/a:1").parse().unwrap();
    let registry = registry(credentials(&host));
    registry
        .push(
            &store,
            &image,
            &reference,
            &PushOptions::default(),
            Monitor::none(),
        )
        .unwrap();
    let asked = storage_log.lock().unwrap().clone();
    assert_eq!(asked.len(), 2);
    assert!(
        asked
            .iter()
            .all(|asked| !asked.headers.contains("authorization")),
        "{asked:?}"
    );
}
