//! What lies around the documents: files, images in the store, and what builds left.

use std::sync::Arc;
use std::time::Instant;

use tower_lsp::ls_types::Uri;

use super::handle::Message;
use super::{Session, SessionHandle};
use crate::build::Job;
use crate::foreseen::{Foreseen, Left, Listener};
use crate::foresight::Foresight;
use crate::image_watch::{ImageKnowledge, ImageWatch};
use crate::workspace::file_path;

/// How the names of files end that findings depend on: configuration, and what says how the Dockerfile is built.
const RELEVANT: [&str; 7] = [
    ".toml",
    ".editorconfig",
    ".dockerignore",
    "compose.yaml",
    "compose.yml",
    "docker-bake.json",
    "docker-bake.hcl",
];

impl Listener for SessionHandle {
    fn foreseen(&self, key: &str, foreseen: Foreseen) {
        self.send(Message::Foreseen(key.to_owned(), Box::new(foreseen)));
    }

    fn left(&self, key: &str, left: Left) {
        self.send(Message::Left(key.to_owned(), Box::new(left)));
    }
}

impl Session {
    pub(super) fn keys(&self) -> Vec<String> {
        self.documents.keys().cloned().collect()
    }

    /// Asks what a build would do with a document; the answer comes as a message.
    pub(super) fn look_ahead(&mut self, key: &str) {
        if !self.settings.forecast || !self.settings.inlay_hints || !self.has_builder {
            return;
        }
        let Some(entry) = self.documents.get(key) else {
            return;
        };
        let Some(path) = key.parse().ok().and_then(|uri: Uri| file_path(&uri)) else {
            return;
        };
        let project = self.workspace.project(&path);
        let source = Arc::clone(entry.document.source());
        let job = Job::of_file(source, path, &self.settings, project.as_deref());
        let handle = &self.handle;
        let foresight = self
            .foresight
            .get_or_insert_with(|| Foresight::start(handle.clone()));
        foresight.look(key, job);
    }

    /// Asks what the store knows of the images that a document names; the answer comes as a message.
    pub(super) fn look_at_images(&mut self, key: &str) {
        let Some(entry) = self.documents.get(key) else {
            return;
        };
        if !self.settings.image_facts {
            self.images.remove(key);
            return;
        }
        let source = Arc::clone(entry.document.source());
        let handle = &self.handle;
        let watch = self.image_watch.get_or_insert_with(|| {
            let handle = handle.clone();
            ImageWatch::start(move |key, knowledge| {
                handle.send(Message::Images(key, Box::new(knowledge)));
            })
        });
        watch.look(key, source, self.settings.store_folder());
    }

    /// Takes what the store knows of the images that a document names.
    pub(super) fn images_known(&mut self, key: String, knowledge: ImageKnowledge) {
        let is_old = match self.images.get(&key) {
            Some(known) => **known == knowledge,
            None => knowledge == ImageKnowledge::default(),
        };
        let Some(entry) = self.documents.get_mut(&key) else {
            return;
        };
        if is_old || !self.settings.image_facts {
            return;
        }
        let mut outside = (**entry.document.outside()).clone();
        outside.lint.input.base_images = knowledge.facts.iter().cloned().collect();
        outside.images.clone_from(&knowledge.images);
        self.images.insert(key.clone(), Arc::new(knowledge));
        entry.document.set_outside(Arc::new(outside), true);
        self.findings_may_differ(&key);
    }

    pub(super) fn foreseen(&mut self, key: &str, foreseen: Foreseen) {
        let Some(entry) = self.documents.get_mut(key) else {
            return;
        };
        let took = u64::try_from(foreseen.took.as_micros()).unwrap_or(u64::MAX);
        entry.document.set_foreseen(foreseen);
        let params = serde_json::json!({"uri": key, "microseconds": took});
        self.output.notify("$/dfls/forecast", &params);
        self.refresh_hints();
    }

    /// Takes what earlier builds left of a text.
    pub(super) fn left(&mut self, key: &str, left: Left) {
        let Some(entry) = self.documents.get_mut(key) else {
            return;
        };
        let is_same_text = entry.document.source().text() == left.source.text();
        let known = &entry.document.outside().lint.input.built_steps;
        let is_old = known.len() == left.steps.len()
            && known
                .iter()
                .zip(&left.steps)
                .all(|(a, b)| a.range == b.range && Arc::ptr_eq(&a.changes, &b.changes));
        if !is_same_text || is_old || !self.settings.image_facts {
            return;
        }
        let mut outside = (**entry.document.outside()).clone();
        outside.lint.input.built_steps = left.steps;
        entry.document.set_outside(Arc::new(outside), true);
        self.findings_may_differ(key);
    }

    fn findings_may_differ(&mut self, key: &str) {
        self.schedule(key, Instant::now());
        if self.client.refreshes_diagnostics {
            self.output.request("workspace/diagnostic/refresh", &());
        }
    }

    pub(super) fn outside(&mut self, uri: &Uri) -> dockerfile_ide::Outside {
        let (mut outside, error) = self
            .workspace
            .outside(uri, &self.settings, self.has_builder);
        if let Some(error) = error
            && self.config_error.as_ref() != Some(&error)
        {
            let message = serde_json::json!({ "type": 1, "message": error });
            self.output.notify("window/showMessage", &message);
            self.config_error = Some(error);
        }
        if let Some(known) = self.images.get(uri.as_str()) {
            outside.lint.input.base_images = known.facts.iter().cloned().collect();
            outside.images.clone_from(&known.images);
        }
        outside
    }

    pub(super) fn files_changed(&mut self, uris: &[Uri]) {
        self.workspace.forget();
        self.config_error = None;
        let is_config = uris
            .iter()
            .any(|uri| RELEVANT.iter().any(|end| uri.as_str().ends_with(end)));
        self.renew_outside(is_config);
        if let Some(foresight) = &self.foresight {
            foresight.forget();
        }
        for key in self.keys() {
            self.look_at_images(&key);
            self.look_ahead(&key);
        }
    }

    /// Looks again at what lies around the documents.
    pub(super) fn renew_outside(&mut self, is_finding_relevant: bool) {
        for key in self.keys() {
            let Ok(uri) = key.parse::<Uri>() else {
                continue;
            };
            let mut outside = self.outside(&uri);
            let Some(entry) = self.documents.get_mut(&key) else {
                continue;
            };
            let built = &entry.document.outside().lint.input.built_steps;
            outside.lint.input.built_steps.clone_from(built);
            let is_relevant = is_finding_relevant
                || entry.document.outside().lint.ignore_file != outside.lint.ignore_file;
            entry.document.set_outside(Arc::new(outside), is_relevant);
            if is_relevant {
                self.schedule(&key, Instant::now());
            }
        }
    }
}
