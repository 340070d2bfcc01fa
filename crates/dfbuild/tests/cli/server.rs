//! A web server of files, which keeps a log.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;

/// What is at a path.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Page {
    pub(crate) fn text(body: &str) -> Page {
        Page {
            status: 200,
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
        }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Page {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn status(mut self, status: u16) -> Page {
        self.status = status;
        self
    }
}

#[derive(Default)]
struct State {
    pages: BTreeMap<String, Page>,
    /// Where paths that are no pages are looked for.
    folder: Option<PathBuf>,
    log: Vec<String>,
}

pub(crate) struct Server {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Server {
    pub(crate) fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound");
        let state = Arc::<Mutex<State>>::default();
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                // A client that goes away is no failure of the server.
                thread::spawn(move || answer(stream, &state));
            }
        });
        Server { address, state }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn put(&self, path: &str, page: Page) {
        let mut state = self.state.lock().expect("no panic");
        state.pages.insert(path.to_owned(), page);
    }

    pub(crate) fn serve_folder(&self, folder: PathBuf) {
        self.state.lock().expect("no panic").folder = Some(folder);
    }

    /// Returns what was asked for since the last call: `GET /path 200`.
    pub(crate) fn log(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().expect("no panic").log)
    }
}

fn answer(stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    let (mut line, mut etag) = (String::new(), None);
    reader.read_line(&mut line)?;
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header)? == 0 || header.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = header.split_once(':')
            && name.eq_ignore_ascii_case("if-none-match")
        {
            etag = Some(value.trim().to_owned());
        }
    }
    let path = line.split(' ').nth(1).unwrap_or("/").to_owned();
    let mut page = page_of(&path, state);
    let own = page.headers.iter().find(|(name, _)| name == "ETag");
    if etag.is_some() && own.map(|(_, value)| value) == etag.as_ref() {
        page.status = 304;
        page.body.clear();
    }
    let entry = format!("{path} {}", page.status);
    state.lock().expect("no panic").log.push(entry);
    let mut head = format!("HTTP/1.1 {} Answer\r\nConnection: close\r\n", page.status);
    let has_length = page
        .headers
        .iter()
        .any(|(name, _)| name == "Content-Length");
    if !has_length && page.status != 304 {
        head.push_str(&format!("Content-Length: {}\r\n", page.body.len()));
    }
    for (name, value) in &page.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    stream.write_all(&page.body)
}

fn page_of(path: &str, state: &Mutex<State>) -> Page {
    let state = state.lock().expect("no panic");
    if let Some(page) = state.pages.get(path) {
        return page.clone();
    }
    let path = path.split('?').next().unwrap_or_default();
    let file = state.folder.as_ref().map(|folder| folder.join(&path[1..]));
    match file.and_then(|file| fs::read(file).ok()) {
        Some(body) => Page {
            status: 200,
            body,
            ..Page::default()
        },
        None => Page::default().status(404),
    }
}
