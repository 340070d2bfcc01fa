//! The loop between the client and tower-lsp.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::Poll;
use std::thread;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::sync::mpsc::unbounded_channel;
use tower_lsp::LspService;
use tower_lsp::jsonrpc::Response;
use tower_service::Service as _;

use crate::backend::Backend;
use crate::session;
use crate::transport::{Incoming, Outgoing, read_messages, start_writer};

/// Serves one client and returns the exit code: 0 when it asked for `shutdown` before it went.
pub(crate) fn serve() -> anyhow::Result<i32> {
    let (output, writer) = start_writer(io::stdout());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let code = runtime.block_on(serve_on(output.clone()));
    runtime.shutdown_background();
    // What is queued is written before the end.
    output.end();
    let _ = writer.join();
    Ok(code)
}

async fn serve_on(output: Outgoing) -> i32 {
    let (sender, mut incoming) = unbounded_channel();
    let reader_output = output.clone();
    thread::spawn(move || {
        let stdin = io::BufReader::with_capacity(256 * 1024, io::stdin());
        // However the input ends, the channel closes and the server with it.
        let _ = read_messages(stdin, &reader_output, |message| {
            sender.send(message).is_ok()
        });
    });
    let session = session::start(output.clone());
    let handle = session.clone();
    let own_output = output.clone();
    let new = move |client| Backend::new(client, handle, own_output);
    let (mut service, socket) = LspService::build(new)
        .custom_method("dfls/build", Backend::build)
        .custom_method("dfls/terminal", Backend::terminal)
        .custom_method("dfls/stages", Backend::stages)
        .custom_method("dfls/layers", Backend::layers)
        .custom_method("dfls/layerFiles", Backend::layer_files)
        .custom_method("dfls/layerFile", Backend::layer_file)
        .custom_method("window/workDoneProgress/cancel", Backend::cancel_progress)
        .finish();
    let (mut requests, mut responses) = socket.split();
    let mut is_shut_down = false;
    loop {
        let message = tokio::select! {
            biased;
            message = incoming.recv() => message,
            Some(request) = requests.next() => {
                if let Ok(text) = serde_json::to_string(&request) {
                    output.send(text);
                }
                continue;
            }
        };
        let request = match message {
            Some(Incoming::Request(request)) => *request,
            Some(Incoming::Response(response)) => {
                let _ = responses.send(response).await;
                continue;
            }
            Some(Incoming::Nothing) => continue,
            // The client is gone.
            None => break,
        };
        if request.method() == "exit" {
            break;
        }
        is_shut_down |= request.method() == "shutdown";
        if poll_fn(|cx| service.poll_ready(cx)).await.is_err() {
            break;
        }
        let mut answer: Answer<_> = Box::pin(service.call(request));
        // The first poll runs a handler up to its first await: here, in the order in which the messages came.
        match poll_fn(|cx| Poll::Ready(answer.as_mut().poll(cx))).await {
            Poll::Ready(Ok(response)) => write(&output, response),
            Poll::Ready(Err(_)) => break,
            Poll::Pending => {
                let output = output.clone();
                tokio::spawn(async move {
                    if let Ok(response) = answer.await {
                        write(&output, response);
                    }
                });
            }
        }
    }
    session.stop();
    i32::from(!is_shut_down)
}

type Answer<E> = Pin<Box<dyn Future<Output = Result<Option<Response>, E>> + Send>>;

fn write(output: &Outgoing, response: Option<Response>) {
    let text = response.and_then(|response| serde_json::to_string(&response).ok());
    if let Some(text) = text {
        output.send(text);
    }
}
