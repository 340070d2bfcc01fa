//! The handlers of builds, terminals and layers where nothing can be built: a kind refusal.

use serde_json::Value;
use tower_lsp::jsonrpc::Result;

use super::{Backend, failure};

/// The builds that run.
#[derive(Debug, Default)]
pub(crate) struct Running;

/// What clients may look into.
#[derive(Debug, Default)]
pub(crate) struct Previews;

fn refusal() -> Result<Value> {
    Err(failure(
        "images are built on Linux only: open the folder there (WSL, a container, or a remote machine)",
    ))
}

#[expect(clippy::unused_async, reason = "tower-lsp takes handlers of this form")]
impl Backend {
    pub(crate) async fn cancel_progress(&self, _params: Value) {}

    pub(crate) async fn build(&self, _params: Value) -> Result<Value> {
        refusal()
    }

    pub(crate) async fn terminal(&self, _params: Value) -> Result<Value> {
        refusal()
    }

    pub(crate) async fn layers(&self, _params: Value) -> Result<Value> {
        refusal()
    }

    pub(crate) async fn layer_files(&self, _params: Value) -> Result<Value> {
        refusal()
    }

    pub(crate) async fn layer_file(&self, _params: Value) -> Result<Value> {
        refusal()
    }
}
