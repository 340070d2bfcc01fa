//! When the findings of a document are looked for, and published.
//!
//! Only where the client does not ask for them itself. A document has one worker at a time, and what it finds counts for the newest version alone.

use std::time::Instant;

use tower_lsp::ls_types::PublishDiagnosticsParams;

use super::Session;
use super::handle::{Message, SessionHandle};
use crate::convert;
use crate::document::Snapshot;

impl Session {
    /// Asks for the findings of a document at a time, if it is the server who publishes them.
    pub(super) fn schedule(&mut self, key: &str, due: Instant) {
        if self.client.pulls_diagnostics {
            return;
        }
        let Some(entry) = self.documents.get_mut(key) else {
            return;
        };
        if entry.due.replace(due).is_none() {
            self.waiting.push(key.to_owned());
        }
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        self.waiting
            .iter()
            .filter_map(|key| self.documents.get(key))
            .filter(|entry| !entry.is_working)
            .filter_map(|entry| entry.due)
            .min()
    }

    pub(super) fn start_due(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let now = Instant::now();
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.retain(|key| {
            let Some(entry) = self.documents.get_mut(key) else {
                return false;
            };
            if entry.is_working || entry.due.is_none_or(|due| due > now) {
                return entry.due.is_some();
            }
            entry.due = None;
            entry.is_working = true;
            let snapshot = entry.document.snapshot(&self.client);
            let (handle, key) = (self.handle.clone(), key.clone());
            self.workers.run(move || {
                let generation = snapshot.generation();
                // Sent even when the work fails, or the document would wait for ever.
                let mut done = Done {
                    handle,
                    key,
                    generation,
                    message: None,
                };
                done.message = publication(&snapshot);
            });
            false
        });
        self.waiting.append(&mut waiting);
    }

    pub(super) fn found(&mut self, key: &str, generation: u64, message: Option<String>) {
        let Some(entry) = self.documents.get_mut(key) else {
            return;
        };
        // A document that was closed and opened again may have a worker of its own.
        entry.is_working = false;
        if entry.document.generation() == generation
            && let Some(message) = message
        {
            self.output.send(message);
        }
    }
}

/// Tells the session that a worker is done, however it ended.
struct Done {
    handle: SessionHandle,
    key: String,
    generation: u64,
    message: Option<String>,
}

impl Drop for Done {
    fn drop(&mut self) {
        let key = std::mem::take(&mut self.key);
        self.handle
            .send(Message::Found(key, self.generation, self.message.take()));
    }
}

/// Returns the notification with the findings of a version; none when it is not the newest any more.
fn publication(snapshot: &Snapshot) -> Option<String> {
    if !snapshot.is_newest() {
        return None;
    }
    snapshot.analysis();
    if !snapshot.is_newest() {
        return None;
    }
    let findings = snapshot.findings();
    if !snapshot.is_newest() {
        return None;
    }
    let params = PublishDiagnosticsParams::new(
        snapshot.uri.clone(),
        convert::all_diagnostics(snapshot, findings),
        Some(snapshot.version),
    );
    let params = serde_json::to_string(&params).ok()?;
    Some(format!(
        "{{\"jsonrpc\":\"2.0\",\"method\":\"textDocument/publishDiagnostics\",\"params\":{params}}}"
    ))
}
