//! The stages that a target needs, with their bases and sources, in the order of the Dockerfile.

use std::collections::VecDeque;
use std::path::PathBuf;

use dockerfile_model::{Instruction, Keyword, Model};
use dockerfile_source::{TextRange, TextSize, closest_match};
use dockerfile_syntax::SyntaxErrorKind;

use super::environment::Variables;
use super::evaluate::Evaluator;
use super::global::{Platform, global_variables};
use super::skeleton::{Draft, DraftBase, Drafts};
use super::stage_end::StageEnd;
use super::trigger::{Dockerfile, read_triggers};
use super::{Base, Bases, Plan, Stage};
use crate::error::{BuildError, Failure};
use crate::request::{NamedContext, Request};

/// Returns what a Dockerfile asks for.
pub(crate) fn plan(
    dockerfile: &Dockerfile,
    request: &Request,
    bases: &dyn Bases,
) -> Result<Plan, BuildError> {
    refuse_broken(dockerfile)?;
    let model = &dockerfile.model;
    if model.stages.is_empty() {
        let start = TextRange::empty(TextSize::from(0));
        return Err(
            BuildError::new(Failure::Dockerfile, "the Dockerfile has no stage")
                .at(start, "no FROM in here")
                .help("start it with `FROM IMAGE`, or `FROM scratch`"),
        );
    }
    if let Some(early) = model
        .global_instructions()
        .iter()
        .find(|instruction| instruction.keyword != Keyword::Arg)
    {
        return Err(
            BuildError::new(Failure::Dockerfile, "this stands before the first FROM")
                .at(early.keyword_range, "")
                .help("only ARG may stand above the first FROM"),
        );
    }
    let platform = match &request.platform {
        Some(text) => Platform::parse(text)?,
        None => Platform::of_this_machine(),
    };
    let target_name = request.target.as_deref().map(str::to_lowercase);
    let shown_target = match (&target_name, model.final_stage()) {
        (Some(name), _) => name.clone(),
        (None, Some(last)) => last.name.as_deref().unwrap_or("").to_owned(),
        (None, None) => String::new(),
    };
    let global = global_variables(model, request, &platform, &shown_target)?;
    let mut drafts = Drafts::new(model, request, &global, &platform)?;
    let target = find_target(&drafts, target_name.as_deref(), request, model)?;
    let mut planner = Planner {
        dockerfile,
        request,
        bases,
        global: &global,
        prepared: Vec::new(),
    };
    planner.prepare_needed(&mut drafts, target)?;
    planner.evaluate_all(&mut drafts, target)
}

/// Refuses what BuildKit refuses; what a shell would refuse is its own affair.
fn refuse_broken(dockerfile: &Dockerfile) -> Result<(), BuildError> {
    let is_fatal = |kind: SyntaxErrorKind| {
        matches!(
            kind,
            SyntaxErrorKind::Parser
                | SyntaxErrorKind::Instruction
                | SyntaxErrorKind::ForbiddenTrigger
        )
    };
    let Some(error) = dockerfile
        .parse
        .errors()
        .iter()
        .find(|error| is_fatal(error.kind))
    else {
        return Ok(());
    };
    let mut refused = BuildError::new(Failure::Dockerfile, &error.message).at(error.range, "");
    refused.help.clone_from(&error.help);
    Err(refused)
}

fn find_target(
    drafts: &Drafts<'_>,
    name: Option<&str>,
    request: &Request,
    model: &Model,
) -> Result<usize, BuildError> {
    if let Some(stop) = request.stop_at {
        let stop = TextSize::from(stop);
        let stage = model.stages.iter().rev().find(|stage| {
            model
                .instruction(stage.from)
                .is_some_and(|from| from.range.start() <= stop)
        });
        if let Some(stage) = stage {
            return Ok(stage.id.index());
        }
    }
    let Some(name) = name else {
        return Ok(drafts.stage_count.saturating_sub(1));
    };
    drafts.of_name(name).ok_or_else(|| {
        let error = BuildError::new(
            Failure::Dockerfile,
            format!("there is no stage `{name}` to build"),
        );
        match closest_match(name, drafts.names()) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error,
        }
    })
}

/// What was found out about a stage before it is evaluated.
pub(super) struct Prepared {
    base: Base,
    pub(super) triggers: Vec<Dockerfile>,
    /// The stages that it copies from or mounts, by the text of the flag.
    sources: Vec<(String, usize)>,
}

pub(super) struct Planner<'p> {
    pub(super) dockerfile: &'p Dockerfile,
    pub(super) request: &'p Request,
    bases: &'p dyn Bases,
    pub(super) global: &'p Variables,
    /// By draft.
    prepared: Vec<Option<Prepared>>,
}

impl<'p> Planner<'p> {
    /// Finds the bases and the sources of all stages that the target needs.
    fn prepare_needed(&mut self, drafts: &mut Drafts<'p>, target: usize) -> Result<(), BuildError> {
        let mut open = VecDeque::from([target]);
        while let Some(index) = open.pop_front() {
            self.prepared.resize_with(drafts.drafts.len(), || None);
            if self.prepared.get(index).is_some_and(Option::is_some) {
                continue;
            }
            let prepared = self.prepare(drafts, index)?;
            open.extend(prepared.sources.iter().map(|(_, source)| *source));
            if let Base::Stage(base) = prepared.base {
                open.push_back(base);
            }
            if let Some(slot) = self.prepared.get_mut(index) {
                *slot = Some(prepared);
            }
        }
        self.prepared.resize_with(drafts.drafts.len(), || None);
        Ok(())
    }

    fn prepare(&self, drafts: &mut Drafts<'p>, index: usize) -> Result<Prepared, BuildError> {
        let Some(draft) = drafts.drafts.get(index) else {
            return Err(BuildError::new(Failure::System, "a stage got lost"));
        };
        let (range, platform) = (draft.range, draft.platform.clone());
        let instructions = draft.instructions;
        let base = self.base(draft)?;
        let texts = match &base {
            Base::Image(image) => image.config.config.on_build.clone(),
            Base::Stage(parent) => drafts
                .drafts
                .get(*parent)
                .map(|parent| self.trigger_texts(parent.instructions))
                .unwrap_or_default(),
            Base::Scratch | Base::Directory(_) => Vec::new(),
        };
        let triggers = read_triggers(&texts, range)?;
        let mut sources = Vec::new();
        let waiting = triggers
            .iter()
            .flat_map(|trigger| &trigger.model.instructions);
        for (instruction, place) in waiting
            .map(|instruction| (instruction, Some(range)))
            .chain(instructions.iter().map(|instruction| (instruction, None)))
        {
            for (text, at) in named_sources(instruction) {
                let at = place.unwrap_or(at);
                let source =
                    drafts.meant_by(&text, instruction.keyword, at, self.request, &platform)?;
                Self::refuse_later(drafts, index, source, &text, at)?;
                sources.push((text, source));
            }
        }
        Ok(Prepared {
            base,
            triggers,
            sources,
        })
    }

    fn refuse_later(
        drafts: &Drafts<'_>,
        own: usize,
        source: usize,
        text: &str,
        range: TextRange,
    ) -> Result<(), BuildError> {
        if source < own || source >= drafts.stage_count {
            return Ok(());
        }
        let message = if source == own {
            "a stage cannot copy from itself".to_owned()
        } else {
            format!("the stage `{text}` is not made yet here")
        };
        Err(BuildError::new(Failure::Dockerfile, message)
            .at(range, "")
            .help("a stage takes files from the stages above it only"))
    }

    fn base(&self, draft: &Draft<'_>) -> Result<Base, BuildError> {
        Ok(match &draft.base {
            DraftBase::Scratch => Base::Scratch,
            DraftBase::Stage(index) => Base::Stage(*index),
            DraftBase::Image(name) => Base::Image(Box::new(self.bases.resolve(
                name,
                &draft.platform.to_string(),
                self.image_range(draft),
            )?)),
            DraftBase::Context(NamedContext::Image { reference, .. }) => Base::Image(Box::new(
                self.bases
                    .resolve(reference, &draft.platform.to_string(), draft.range)?,
            )),
            DraftBase::Context(NamedContext::Layout { path, tag, .. }) => {
                let tag = tag
                    .as_ref()
                    .map(|tag| format!(":{tag}"))
                    .unwrap_or_default();
                let name = format!("oci-layout://{}{tag}", path.display());
                Base::Image(Box::new(self.bases.resolve(
                    &name,
                    &draft.platform.to_string(),
                    draft.range,
                )?))
            }
            DraftBase::Context(NamedContext::Directory { path, .. }) => {
                Base::Directory(path.clone())
            }
            DraftBase::Context(NamedContext::Stage { stage, .. }) => {
                let message = format!("there is no stage `{stage}`");
                return Err(BuildError::new(Failure::Dockerfile, message).at(draft.range, ""));
            }
        })
    }

    /// Returns the place of the image name in FROM.
    fn image_range(&self, draft: &Draft<'_>) -> TextRange {
        let mut stages = self.dockerfile.model.stages.iter();
        stages
            .find(|stage| {
                let from = self.dockerfile.model.instruction(stage.from);
                from.is_some_and(|from| from.range == draft.range)
            })
            .and_then(|stage| stage.image.as_ref())
            .map_or(draft.range, |image| image.range)
    }

    fn trigger_texts(&self, instructions: &[Instruction]) -> Vec<String> {
        instructions
            .iter()
            .filter(|instruction| instruction.keyword == Keyword::Onbuild)
            .filter_map(|instruction| self.dockerfile.trigger_text(instruction))
            .collect()
    }

    fn evaluate_all(self, drafts: &mut Drafts<'p>, target: usize) -> Result<Plan, BuildError> {
        let count = drafts.stage_count;
        // Images that flags name come first: whoever names them stands behind them.
        let order = (count..drafts.drafts.len()).chain(0..count);
        let mut places = vec![None; drafts.drafts.len()];
        let mut stages: Vec<Stage> = Vec::new();
        let mut ends: Vec<StageEnd> = Vec::new();
        for index in order {
            let (Some(draft), Some(Some(prepared))) =
                (drafts.drafts.get(index), self.prepared.get(index))
            else {
                continue;
            };
            let base =
                match &prepared.base {
                    Base::Stage(parent) => {
                        let place = places.get(*parent).copied().flatten();
                        Base::Stage(place.ok_or_else(|| {
                            BuildError::new(Failure::System, "a base stage got lost")
                        })?)
                    }
                    other => other.clone(),
                };
            let sources = prepared
                .sources
                .iter()
                .filter_map(|(text, draft)| {
                    Some((text.clone(), places.get(*draft).copied().flatten()?))
                })
                .collect();
            let directories = directories(drafts, prepared);
            let start = match &base {
                Base::Stage(parent) => ends.get(*parent).cloned().unwrap_or_default(),
                Base::Image(image) => StageEnd::of_image(&image.config),
                Base::Scratch | Base::Directory(_) => StageEnd::of_scratch(&draft.platform),
            };
            let mut evaluator = Evaluator::new(&self, start, sources, directories);
            let stop = (index == target).then_some(self.request.stop_at).flatten();
            evaluator.all(prepared, draft.instructions, stop)?;
            if let Some(slot) = places.get_mut(index) {
                *slot = Some(stages.len());
            }
            stages.push(Stage {
                name: shown_name(draft, index, count),
                range: draft.range,
                base,
                operations: std::mem::take(&mut evaluator.operations),
                config: evaluator.config.clone(),
                ignores_cache: self.ignores_cache(&draft.name),
            });
            ends.push(evaluator.end());
        }
        let target = places.get(target).copied().flatten().unwrap_or_default();
        if let Some(stage) = stages.get_mut(target) {
            let labels = self.request.labels.iter().cloned();
            stage.config.config.labels.extend(labels);
        }
        Ok(Plan { stages, target })
    }

    fn ignores_cache(&self, name: &str) -> bool {
        let cache = &self.request.cache;
        cache.ignore_all
            || cache
                .ignore_stages
                .iter()
                .any(|stage| stage.eq_ignore_ascii_case(name))
    }
}

/// Returns the folders of the user that sources of a stage mean.
fn directories(drafts: &Drafts<'_>, prepared: &Prepared) -> Vec<(String, PathBuf)> {
    let directory = |(text, index): &(String, usize)| match &drafts.drafts.get(*index)?.base {
        DraftBase::Context(NamedContext::Directory { path, .. }) => {
            Some((text.clone(), path.clone()))
        }
        _ => None,
    };
    prepared.sources.iter().filter_map(directory).collect()
}

fn shown_name(draft: &Draft<'_>, index: usize, count: usize) -> String {
    if !draft.name.is_empty() || index >= count {
        return draft.name.clone();
    }
    if count == 1 {
        return String::new();
    }
    format!("stage-{index}")
}

/// Returns the stages and images that an instruction names in its flags.
fn named_sources(instruction: &Instruction) -> Vec<(String, TextRange)> {
    match instruction.keyword {
        Keyword::Copy => instruction
            .flag("from")
            .and_then(|flag| flag.value.as_ref())
            .filter(|word| !word.value_or_text().is_empty())
            .map(|word| (word.value_or_text().to_owned(), word.range))
            .into_iter()
            .collect(),
        Keyword::Run => instruction
            .mounts()
            .filter(|mount| matches!(mount.mount_type().as_str(), "bind" | "cache"))
            .filter_map(|mount| {
                let option = mount.options.iter().find(|option| option.key == "from")?;
                let text = option
                    .value
                    .as_deref()
                    .filter(|text| !text.is_empty() && !text.contains('$'))?;
                Some((text.to_owned(), option.range))
            })
            .filter(|(text, _)| text != "scratch")
            .collect(),
        _ => Vec::new(),
    }
}
