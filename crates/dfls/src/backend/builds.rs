//! The handlers of builds, terminals and layers.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tower_lsp::jsonrpc::Result;
use tower_lsp::ls_types::{NumberOrString, ProgressToken, Uri};

use super::{Backend, failure};
use crate::build::{self, BuildParams, BuildResult, Job, Report};
pub(crate) use crate::layers::Previews;
use crate::layers::{FileContent, FileParams, Files, FilesParams};
use crate::requests;
use crate::terminal::{self, TerminalCommand, TerminalParams};
use crate::transport::Outgoing;

/// The builds that run, by the token of their progress.
#[derive(Debug, Default)]
pub(crate) struct Running {
    next: AtomicU64,
    builds: Mutex<HashMap<String, Arc<Notify>>>,
}

/// `window/workDoneProgress/cancel`.
#[derive(Deserialize)]
pub(crate) struct CancelParams {
    token: ProgressToken,
}

/// Which steps: those of a stage, or all up to a line.
pub(crate) type LayersParams = BuildParams;

fn name_of(token: &ProgressToken) -> String {
    match token {
        NumberOrString::Number(number) => number.to_string(),
        NumberOrString::String(text) => format!("\"{text}\""),
    }
}

/// The progress of one build, as the client sees it; it ends however the build ends.
struct Shown {
    output: Outgoing,
    token: ProgressToken,
    builds: Arc<Running>,
    is_visible: bool,
    last: String,
}

impl Shown {
    fn begin(backend: &Backend, params: &BuildParams, title: &str) -> (Shown, Arc<Notify>) {
        let own = || {
            let number = backend.running.next.fetch_add(1, Ordering::Relaxed);
            NumberOrString::String(format!("dfls-build-{number}"))
        };
        let token = params.work_done_token.clone().unwrap_or_else(own);
        let is_visible = params.work_done_token.is_some() || backend.facts().shows_progress;
        let cancel = Arc::new(Notify::new());
        let builds = backend.running.builds.lock();
        let mut builds = builds.unwrap_or_else(PoisonError::into_inner);
        builds.insert(name_of(&token), Arc::clone(&cancel));
        let shown = Shown {
            output: backend.output.clone(),
            token,
            builds: Arc::clone(&backend.running),
            is_visible,
            last: String::new(),
        };
        if is_visible {
            if params.work_done_token.is_none() {
                // Not waited for: the client takes messages in their order.
                let create = json!({"token": shown.token});
                shown
                    .output
                    .request("window/workDoneProgress/create", &create);
            }
            shown.say(
                &json!({"kind": "begin", "title": title, "cancellable": true, "percentage": 0}),
            );
        }
        (shown, cancel)
    }

    fn report(&mut self, message: String, percentage: u32) {
        if self.is_visible && message != self.last {
            self.say(&json!({"kind": "report", "message": message, "percentage": percentage}));
            self.last = message;
        }
    }

    fn say(&self, value: &Value) {
        let params = json!({"token": self.token, "value": value});
        self.output.notify("$/progress", &params);
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        let builds = self.builds.builds.lock();
        builds
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&name_of(&self.token));
        if self.is_visible {
            self.say(&json!({"kind": "end"}));
        }
    }
}

impl Backend {
    /// `window/workDoneProgress/cancel`: the user has had enough of a build.
    #[expect(clippy::unused_async, reason = "tower-lsp takes handlers of this form")]
    pub(crate) async fn cancel_progress(&self, params: CancelParams) {
        let builds = self.running.builds.lock();
        let builds = builds.unwrap_or_else(PoisonError::into_inner);
        if let Some(build) = builds.get(&name_of(&params.token)) {
            build.notify_one();
        }
    }

    /// `dfls/build`: builds a stage, or up to a line. Cancelling the request ends the build.
    pub(crate) async fn build(&self, params: BuildParams) -> Result<BuildResult> {
        let job = self.job(&params);
        let job = job.await?;
        self.run(&params, &job).await
    }

    async fn job(&self, params: &BuildParams) -> Result<Job> {
        let settings = self.settings();
        let asked = params.clone();
        let answer = self.ask(&params.uri, move |snapshot| {
            requests::job(snapshot, &asked, &settings)
        });
        answer.await?.map_err(failure)
    }

    fn builder(&self) -> Result<PathBuf> {
        let settings = self.settings();
        build::find_builder(settings.builder.as_deref()).ok_or_else(|| {
            failure("there is no builder: `dfbuild` is neither beside `dfls` nor in PATH")
        })
    }

    async fn run(&self, params: &BuildParams, job: &Job) -> Result<BuildResult> {
        let program = self.builder()?;
        let title = match params.line {
            Some(line) => format!("Building to line {}", line + 1),
            None => "Building".to_owned(),
        };
        let (mut shown, cancel) = Shown::begin(self, params, &title);
        let (output, uri): (Outgoing, Uri) = (self.output.clone(), params.uri.clone());
        let report = |report: Report<'_>| match report {
            Report::Progress(message, percentage) => shown.report(message, percentage),
            Report::Output { step, text } => {
                let params = json!({"uri": uri, "step": step, "text": text});
                output.notify("dfls/buildOutput", &params);
            }
        };
        let ended = build::run(&program, job, &cancel, report).await;
        let (result, built) =
            ended.map_err(|error| failure(&format!("running `dfbuild`: {error}")))?;
        if !result.is_cancelled {
            self.session.built(params.uri.clone(), built);
        }
        Ok(result)
    }

    /// `dfls/terminal`: builds, and returns the command that enters the files.
    pub(crate) async fn terminal(&self, params: TerminalParams) -> Result<TerminalCommand> {
        let job = self.job(&params.build).await?;
        let program = self.builder()?;
        let result = self.run(&params.build, &job).await?;
        let Some(image) = result.image.filter(|_| result.success) else {
            let message = result.message.as_deref();
            return Err(failure(message.unwrap_or("the build was cancelled")));
        };
        Ok(terminal::command(&program, &job.store, &image, params.what))
    }

    /// `dfls/layers`: what the steps of a stage cost.
    pub(crate) async fn layers(&self, params: LayersParams) -> Result<Value> {
        let encoding = self.facts().encoding;
        let job = self.job(&params);
        let job = job.await?;
        let previews = Arc::clone(&self.previews);
        blocking(move || {
            let held = previews.look(&job)?;
            Ok(requests::layers(encoding, &held))
        })
        .await
    }

    /// `dfls/layerFiles`: the files that a step adds, changes and removes.
    pub(crate) async fn layer_files(&self, params: FilesParams) -> Result<Files> {
        let previews = Arc::clone(&self.previews);
        blocking(move || previews.files(&params)).await
    }

    /// `dfls/layerFile`: a file as it is after a step.
    pub(crate) async fn layer_file(&self, params: FileParams) -> Result<FileContent> {
        let previews = Arc::clone(&self.previews);
        blocking(move || previews.file(&params)).await
    }
}

/// Works in a thread where that may take long.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::result::Result<T, String> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(answer) => answer.map_err(|message| failure(&message)),
        Err(_) => Err(failure("this could not be found out")),
    }
}
