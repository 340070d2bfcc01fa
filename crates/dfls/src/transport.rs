//! Frames: `Content-Length`, an empty line, and a message.
//!
//! The transport of tower-lsp ends at the first malformed message and lets a queue of handlers keep others from being
//! read; so the frames are read and written here, and tower-lsp gets whole messages.

use std::io::{self, BufRead, Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use serde::de::{Deserialize, Deserializer, IgnoredAny};

use tower_lsp::jsonrpc::{Id, Request, Response};

/// A larger message is read over.
const LARGEST_MESSAGE: u64 = 512 * 1024 * 1024;
/// How the ids of requests begin that tower-lsp knows nothing of.
const OWN_IDS: &str = "dfls-";
const PARSE_ERROR: i32 = -32700;
const INVALID_REQUEST: i32 = -32600;

/// What the client sends.
pub(crate) enum Incoming {
    Request(Box<Request>),
    Response(Response),
    /// An answer that nobody waits for.
    Nothing,
}

/// Reads messages until the input ends, and answers what is no message.
pub(crate) fn read_messages(
    mut input: impl BufRead,
    output: &Outgoing,
    mut deliver: impl FnMut(Incoming) -> bool,
) -> io::Result<()> {
    while let Some(len) = read_header(&mut input)? {
        if len > LARGEST_MESSAGE {
            io::copy(&mut input.by_ref().take(len), &mut io::sink())?;
            output.error(INVALID_REQUEST, "the message is too large");
            continue;
        }
        let mut body = Vec::new();
        input.by_ref().take(len).read_to_end(&mut body)?;
        if (body.len() as u64) < len {
            return Ok(());
        }
        match parse(&body) {
            Ok(message) => {
                if !deliver(message) {
                    return Ok(());
                }
            }
            Err((code, message)) => output.error(code, message),
        }
    }
    Ok(())
}

/// What tells an answer from a question; `null` is an answer, too.
#[derive(serde::Deserialize)]
struct Answer {
    #[serde(default)]
    id: Id,
    method: Option<IgnoredAny>,
    #[serde(default, deserialize_with = "present")]
    result: bool,
    #[serde(default, deserialize_with = "present")]
    error: bool,
}

/// Returns true for whatever is there.
fn present<'de, D: Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(value).map(|_| true)
}

impl Answer {
    /// An answer is never answered, not even a strange one: Neovim 0.10 ends in an assertion over `"id":null`.
    fn is_for_nobody(&self) -> bool {
        let is_own = matches!(&self.id, Id::String(id) if id.starts_with(OWN_IDS));
        self.method.is_none() && (is_own || self.result || self.error)
    }
}

fn parse(body: &[u8]) -> Result<Incoming, (i32, &'static str)> {
    // tower-lsp takes whatever has no method for a request without a name: every answer.
    if let Ok(request) = serde_json::from_slice::<Request>(body)
        && !request.method().is_empty()
    {
        return Ok(Incoming::Request(Box::new(request)));
    }
    if let Ok(response) = serde_json::from_slice::<Response>(body) {
        let is_own = matches!(response.id(), Id::String(id) if id.starts_with(OWN_IDS));
        return Ok(if is_own {
            Incoming::Nothing
        } else {
            Incoming::Response(response)
        });
    }
    if serde_json::from_slice::<Answer>(body).is_ok_and(|answer| answer.is_for_nobody()) {
        return Ok(Incoming::Nothing);
    }
    match serde_json::from_slice::<IgnoredAny>(body) {
        Ok(_) => Err((INVALID_REQUEST, "neither a request nor a response")),
        Err(_) => Err((PARSE_ERROR, "the message is not JSON")),
    }
}

/// Reads up to the empty line and returns the length; lines that are no header are read over.
fn read_header(input: &mut impl BufRead) -> io::Result<Option<u64>> {
    let mut length = None;
    let mut line = Vec::new();
    loop {
        line.clear();
        if input
            .by_ref()
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut line)?
            == 0
        {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim();
        if text.is_empty() {
            if length.is_some() {
                return Ok(length);
            }
        } else if let Some((name, value)) = text.split_once(':')
            && name.trim().eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok();
        }
    }
}

const LONGEST_LINE: u64 = 64 * 1024;

/// Where messages to the client go; they are written in the order in which they come.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    sender: Sender<Option<String>>,
}

impl Outgoing {
    /// Sends a message that is JSON already.
    pub(crate) fn send(&self, message: String) {
        // The writer is gone only when the client is.
        let _ = self.sender.send(Some(message));
    }

    /// Ends the writer behind what was sent before.
    pub(crate) fn end(&self) {
        let _ = self.sender.send(None);
    }

    /// Sends a notification.
    pub(crate) fn notify(&self, method: &str, params: &impl serde::Serialize) {
        if let Ok(params) = serde_json::to_string(params) {
            self.send(format!(
                "{{\"jsonrpc\":\"2.0\",\"method\":\"{method}\",\"params\":{params}}}"
            ));
        }
    }

    /// Sends a request whose answer is of no matter.
    pub(crate) fn request(&self, method: &str, params: &impl serde::Serialize) {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        if let Ok(params) = serde_json::to_string(params) {
            self.send(format!(
                "{{\"jsonrpc\":\"2.0\",\"id\":\"{OWN_IDS}{id}\",\"method\":\"{method}\",\"params\":{params}}}"
            ));
        }
    }

    fn error(&self, code: i32, message: &str) {
        self.send(format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{{\"code\":{code},\"message\":\"{message}\"}}}}"
        ));
    }
}

/// Starts the thread that writes.
pub(crate) fn start_writer(output: impl Write + Send + 'static) -> (Outgoing, JoinHandle<()>) {
    let (sender, receiver) = channel();
    let thread = thread::spawn(move || {
        // An error means that the client is gone, which the reader sees too.
        let _ = write_messages(output, &receiver);
    });
    (Outgoing { sender }, thread)
}

fn write_messages(mut output: impl Write, receiver: &Receiver<Option<String>>) -> io::Result<()> {
    while let Ok(Some(message)) = receiver.recv() {
        let mut batch = Vec::with_capacity(message.len() + 32);
        let mut next = Ok(Some(message));
        while let Ok(Some(message)) = next {
            write!(batch, "Content-Length: {}\r\n\r\n", message.len())?;
            batch.extend_from_slice(message.as_bytes());
            next = receiver.try_recv();
        }
        output.write_all(&batch)?;
        output.flush()?;
        if matches!(next, Ok(None)) {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(body: &str) -> String {
        format!("Content-Length: {}\r\n\r\n{body}", body.len())
    }

    #[test]
    fn never_answers_an_answer() {
        for body in [
            r#"{"jsonrpc":"2.0","id":"dfls-1","result":null}"#,
            r#"{"jsonrpc":"2.0","id":"dfls-1"}"#,
            r#"{"jsonrpc":"2.0","id":"dfls-1","error":{"code":"odd"}}"#,
            r#"{"jsonrpc":"2.0","id":7,"error":"odd"}"#,
        ] {
            assert!(
                matches!(parse(body.as_bytes()), Ok(Incoming::Nothing)),
                "{body}"
            );
        }
        assert!(parse(br#"{"jsonrpc":"2.0"}"#).is_err());
    }

    #[test]
    fn goes_on_behind_malformed_messages() {
        let (output, writer) = start_writer(io::sink());
        let good = frame("{\"jsonrpc\":\"2.0\",\"method\":\"initialized\",\"params\":{}}");
        let input = format!(
            "nonsense\r\n\r\nContent-Length: x\r\n\r\n{good}{}{}{good}",
            frame("{"),
            frame("[1]")
        );
        let mut count = 0;
        read_messages(input.as_bytes(), &output, |message| {
            count += usize::from(matches!(message, Incoming::Request(_)));
            true
        })
        .expect("a text can be read");
        assert_eq!(count, 2);
        output.end();
        writer.join().expect("the writer ends");
    }
}
