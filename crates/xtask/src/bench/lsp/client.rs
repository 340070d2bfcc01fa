//! A client that measures.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(60);

pub(super) struct Client {
    child: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    next_id: i64,
}

impl Client {
    pub(super) fn spawn(command: &[String]) -> anyhow::Result<Client> {
        let (program, arguments) = command.split_first().context("a server without a name")?;
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start `{program}`"))?;
        let input = child.stdin.take().context("it is piped")?;
        let output = child.stdout.take().context("it is piped")?;
        let (sender, messages) = channel();
        thread::spawn(move || read(BufReader::new(output), &sender));
        Ok(Client {
            child,
            input,
            messages,
            next_id: 0,
        })
    }

    /// Says hello and returns what the server can do.
    pub(super) fn initialize(
        &mut self,
        options: Value,
        root: Option<&str>,
    ) -> anyhow::Result<Value> {
        let capabilities = json!({
            "workspace": {"inlayHint": {"refreshSupport": true}},
            "textDocument": {
                "publishDiagnostics": {"versionSupport": true},
                "completion": {"completionItem": {"snippetSupport": true}},
                "semanticTokens": {
                    "requests": {"full": {"delta": true}}, "tokenTypes": [], "tokenModifiers": [], "formats": ["relative"],
                },
            },
        });
        let params = json!({
            "processId": null, "rootUri": root, "capabilities": capabilities, "initializationOptions": options,
        });
        let (_, result) = self.timed("initialize", &params)?;
        self.notify("initialized", &json!({}))?;
        Ok(result.get("capabilities").cloned().unwrap_or_default())
    }

    pub(super) fn open(&mut self, uri: &str, text: &str) -> anyhow::Result<()> {
        let document = json!({"uri": uri, "languageId": "dockerfile", "version": 1, "text": text});
        self.notify("textDocument/didOpen", &json!({"textDocument": document}))
    }

    pub(super) fn change(&mut self, uri: &str, version: i64, change: &Value) -> anyhow::Result<()> {
        let document = json!({"uri": uri, "version": version});
        let params = json!({"textDocument": document, "contentChanges": [change]});
        self.notify("textDocument/didChange", &params)
    }

    /// Sends a request and returns how many milliseconds the answer took.
    pub(super) fn timed(&mut self, method: &str, params: &Value) -> anyhow::Result<(f64, Value)> {
        self.next_id += 1;
        let id = self.next_id;
        let begin = Instant::now();
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))?;
        let mut answer = self.wait(PATIENCE, |message| {
            message.get("method").is_none() && message["id"] == id
        })?;
        Ok((
            begin.elapsed().as_secs_f64() * 1000.0,
            answer["result"].take(),
        ))
    }

    /// Waits for the findings of a version; a server that names none means the newest.
    pub(super) fn diagnostics(
        &mut self,
        version: i64,
        patience: Duration,
    ) -> anyhow::Result<Value> {
        self.wait(patience, |message| {
            let named = &message["params"]["version"];
            message["method"] == "textDocument/publishDiagnostics"
                && named.as_i64().is_none_or(|named| named >= version)
        })
    }

    pub(super) fn wait(
        &mut self,
        patience: Duration,
        is_wanted: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<Value> {
        let end = Instant::now() + patience;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(message) = self.messages.recv_timeout(left) else {
                bail!("no answer within {} s", patience.as_secs());
            };
            if message.get("method").is_some() && message.get("id").is_some() {
                let count = message["params"]["items"].as_array().map_or(0, Vec::len);
                let result = if count > 0 {
                    json!(vec![Value::Null; count])
                } else {
                    Value::Null
                };
                self.send(&json!({"jsonrpc": "2.0", "id": message["id"], "result": result}))?;
            }
            if is_wanted(&message) {
                return Ok(message);
            }
        }
    }

    fn notify(&mut self, method: &str, params: &Value) -> anyhow::Result<()> {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}))
    }

    fn send(&mut self, message: &Value) -> anyhow::Result<()> {
        let body = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{body}", body.len())?;
        self.input.flush()?;
        Ok(())
    }

    /// Returns how much memory the process has, in MiB; nothing where there is no `/proc`.
    pub(super) fn memory(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        kibibytes.unwrap_or_default() / 1024.0
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // It has nothing to lose.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(mut output: impl BufRead, messages: &Sender<Value>) {
    loop {
        let mut len = 0;
        loop {
            let mut line = String::new();
            if output.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("Content-Length:") {
                len = value.trim().parse().unwrap_or(0);
            }
        }
        let mut body = vec![0; len];
        if output.read_exact(&mut body).is_err() {
            return;
        }
        let Ok(message) = serde_json::from_slice(&body) else {
            return;
        };
        if messages.send(message).is_err() {
            return;
        }
    }
}
