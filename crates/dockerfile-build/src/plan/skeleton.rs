//! The stages of a Dockerfile, and who stands on whom, before anything is evaluated.

use dockerfile_model::{Instruction, Keyword, Model};
use dockerfile_source::TextRange;
use rustc_hash::FxHashMap;

use super::environment::Variables;
use super::global::Platform;
use super::words::Words;
use crate::error::{BuildError, Failure};
use crate::request::{NamedContext, Request};

/// A stage whose name and base are known.
#[derive(Debug)]
pub(super) struct Draft<'d> {
    /// As it is written in lower case; empty without `AS`.
    pub(super) name: String,
    pub(super) range: TextRange,
    pub(super) base: DraftBase,
    pub(super) platform: Platform,
    /// Without FROM.
    pub(super) instructions: &'d [Instruction],
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DraftBase {
    Scratch,
    /// An index of a draft.
    Stage(usize),
    Image(String),
    Context(NamedContext),
}

/// All stages, also those that nobody needs.
#[derive(Debug)]
#[expect(clippy::struct_field_names, reason = "they are the drafts")]
pub(super) struct Drafts<'d> {
    pub(super) drafts: Vec<Draft<'d>>,
    /// How many of the drafts are stages of the Dockerfile; behind them are images that flags name.
    pub(super) stage_count: usize,
    by_name: FxHashMap<String, usize>,
    images: FxHashMap<String, usize>,
}

impl<'d> Drafts<'d> {
    pub(super) fn new(
        model: &'d Model,
        request: &Request,
        global: &Variables,
        platform: &Platform,
    ) -> Result<Drafts<'d>, BuildError> {
        let words = Words::new(model.escape, None);
        let mut all = Drafts {
            drafts: Vec::new(),
            stage_count: model.stages.len(),
            by_name: FxHashMap::default(),
            images: FxHashMap::default(),
        };
        for stage in &model.stages {
            let Some(from) = model.instruction(stage.from) else {
                continue;
            };
            let Some(image) = &stage.image else {
                return Err(
                    BuildError::new(Failure::Dockerfile, "FROM names no image").at(from.range, "")
                );
            };
            let image_name = words.expand(image, global)?;
            if image_name.is_empty() {
                let message = format!("the base `{}` comes out empty", image.text);
                return Err(BuildError::new(Failure::Dockerfile, message)
                    .at(image.range, "no variable in it has a value")
                    .help("give it a default, `ARG NAME=value` above FROM, or `--build-arg`"));
            }
            let own_platform = match from.flag("platform").and_then(|flag| flag.value.as_ref()) {
                None => platform.clone(),
                Some(word) => {
                    let text = words.expand(word, global)?;
                    Platform::parse(&text).map_err(|error| error.at(word.range, ""))?
                }
            };
            let name = stage.name.as_deref().unwrap_or("").to_owned();
            let index = all.drafts.len();
            let base = match named_context(request, &name) {
                Some(context) => DraftBase::Context(context),
                None => all.base(&image_name, request),
            };
            all.drafts.push(Draft {
                name: name.clone(),
                range: from.range,
                base,
                platform: own_platform,
                instructions: model.stage_instructions(stage.id).get(1..).unwrap_or(&[]),
            });
            if !name.is_empty() {
                all.by_name.insert(name, index);
            }
        }
        Ok(all)
    }

    fn base(&self, name: &str, request: &Request) -> DraftBase {
        if let Some(stage) = self.by_name.get(name) {
            return DraftBase::Stage(*stage);
        }
        if name == "scratch" {
            return DraftBase::Scratch;
        }
        match named_context(request, name) {
            Some(NamedContext::Stage { stage, .. }) => {
                match self.by_name.get(&stage.to_lowercase()) {
                    Some(index) => DraftBase::Stage(*index),
                    None => DraftBase::Image(stage),
                }
            }
            Some(context) => DraftBase::Context(context),
            None => DraftBase::Image(name.to_owned()),
        }
    }

    /// Returns the stage of a name, in any case.
    pub(super) fn of_name(&self, name: &str) -> Option<usize> {
        self.by_name.get(&name.to_lowercase()).copied()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.drafts
            .iter()
            .map(|draft| draft.name.as_str())
            .filter(|name| !name.is_empty())
    }

    /// Returns the stage that a flag means: a number (for COPY), a name, or an image that becomes a stage of its own.
    pub(super) fn meant_by(
        &mut self,
        text: &str,
        keyword: Keyword,
        range: TextRange,
        request: &Request,
        platform: &Platform,
    ) -> Result<usize, BuildError> {
        if keyword == Keyword::Copy
            && let Ok(number) = text.parse::<usize>()
        {
            if number < self.stage_count {
                return Ok(number);
            }
            let message = format!("there is no stage {number}");
            let count = self.stage_count;
            return Err(BuildError::new(Failure::Dockerfile, message).at(
                range,
                format!("the stages are 0 to {}", count.saturating_sub(1)),
            ));
        }
        if let Some(stage) = self.of_name(text) {
            return Ok(stage);
        }
        if let Some(known) = self.images.get(text) {
            return Ok(*known);
        }
        let index = self.drafts.len();
        let base = self.base(text, request);
        self.drafts.push(Draft {
            name: text.to_owned(),
            range,
            base,
            platform: platform.clone(),
            instructions: &[],
        });
        self.images.insert(text.to_owned(), index);
        Ok(index)
    }
}

/// Returns the context of a name (`--build-context`).
fn named_context(request: &Request, name: &str) -> Option<NamedContext> {
    let is_meant = |context: &&NamedContext| {
        let (NamedContext::Directory { name: own, .. }
        | NamedContext::Image { name: own, .. }
        | NamedContext::Layout { name: own, .. }
        | NamedContext::Stage { name: own, .. }) = context;
        own.eq_ignore_ascii_case(name)
    };
    if name.is_empty()
        || name.eq_ignore_ascii_case("scratch")
        || name.eq_ignore_ascii_case("context")
    {
        return None;
    }
    request.named_contexts.iter().rev().find(is_meant).cloned()
}
