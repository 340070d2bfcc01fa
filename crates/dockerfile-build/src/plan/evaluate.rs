//! The instructions of one stage, evaluated one after another.

use std::path::PathBuf;

use dockerfile_model::expansion::Expander;
use dockerfile_model::{Instruction, Keyword, Word};
use dockerfile_source::{TextRange, TextSize};
use oci_image::config::{History, ImageConfig};

use super::environment::Variables;
use super::planner::{Planner, Prepared};
use super::stage_end::StageEnd;
use super::trigger::Dockerfile;
use super::words::Words;
use super::{Operation, OperationKind};
use crate::error::BuildError;
use crate::request::Request;
use crate::time::rfc3339;

/// Evaluates the instructions of one stage.
pub(super) struct Evaluator<'p> {
    pub(super) dockerfile: &'p Dockerfile,
    pub(super) request: &'p Request,
    pub(super) global: &'p Variables,
    pub(super) variables: Variables,
    pub(super) config: ImageConfig,
    pub(super) build_arguments: Vec<(String, Option<String>)>,
    pub(super) has_own_cmd: bool,
    pub(super) operations: Vec<Operation>,
    sources: Vec<(String, usize)>,
    directories: Vec<(String, PathBuf)>,
    escape: char,
    created: String,
    /// FROM, while a trigger of the base is being done.
    trigger_place: Option<TextRange>,
}

impl<'p> Evaluator<'p> {
    pub(super) fn new(
        planner: &Planner<'p>,
        start: StageEnd,
        sources: Vec<(String, usize)>,
        directories: Vec<(String, PathBuf)>,
    ) -> Evaluator<'p> {
        Evaluator {
            dockerfile: planner.dockerfile,
            request: planner.request,
            global: planner.global,
            variables: start.variables,
            config: start.config,
            build_arguments: start.build_arguments,
            has_own_cmd: false,
            operations: Vec::new(),
            sources,
            directories,
            escape: planner.dockerfile.model.escape,
            created: rfc3339(planner.request.clock.seconds),
            trigger_place: None,
        }
    }

    pub(super) fn end(self) -> StageEnd {
        let mut config = self.config;
        config.config.on_build.clear();
        StageEnd {
            variables: self.variables,
            config,
            build_arguments: self.build_arguments,
        }
    }

    pub(super) fn all(
        &mut self,
        prepared: &Prepared,
        instructions: &[Instruction],
        stop: Option<u32>,
    ) -> Result<(), BuildError> {
        let from_range = prepared.triggers.first().map(|_| ());
        for trigger in &prepared.triggers {
            self.trigger_place = from_range.and(Some(self.place_of_from(instructions)));
            for instruction in &trigger.model.instructions {
                self.one(instruction)?;
            }
        }
        self.trigger_place = None;
        for instruction in instructions {
            if stop.is_some_and(|stop| TextSize::from(stop) < instruction.range.start()) {
                break;
            }
            self.one(instruction)?;
        }
        self.config.created = Some(self.created.clone());
        Ok(())
    }

    /// Returns the place of the FROM above some instructions.
    fn place_of_from(&self, instructions: &[Instruction]) -> TextRange {
        let model = &self.dockerfile.model;
        let stage = match instructions.first() {
            Some(first) => first.stage.and_then(|stage| model.stage(stage)),
            None => model.final_stage(),
        };
        stage
            .and_then(|stage| model.instruction(stage.from))
            .map_or(TextRange::empty(TextSize::from(0)), |from| from.range)
    }

    fn one(&mut self, instruction: &Instruction) -> Result<(), BuildError> {
        match instruction.keyword {
            Keyword::Run => self.run(instruction),
            Keyword::Copy | Keyword::Add => self.copy(instruction),
            Keyword::Workdir => self.workdir(instruction),
            _ => self.configure(instruction).map(|_| ()),
        }
    }

    fn workdir(&mut self, instruction: &Instruction) -> Result<(), BuildError> {
        let path = self.expanded_value(instruction)?;
        // BuildKit cleans what it joins, and leaves alone what is absolute (`system.NormalizeWorkdir`).
        let path = if path.starts_with('/') {
            path
        } else {
            let folder = &self.config.config.working_dir;
            dockerfile_model::clean_path(&format!("/{folder}/{path}")).to_string()
        };
        self.config.config.working_dir.clone_from(&path);
        let makes_layer = path != "/";
        if makes_layer {
            self.operations.push(Operation {
                range: self.place(instruction.range),
                title: format!("WORKDIR {path}"),
                kind: OperationKind::MakeDirectory {
                    path: path.clone(),
                    user: self.config.config.user.clone(),
                },
            });
        }
        self.add_history(format!("WORKDIR {path}"), !makes_layer);
        Ok(())
    }

    pub(super) fn add_history(&mut self, created_by: String, empty_layer: bool) {
        self.config.history.push(History {
            created: Some(self.created.clone()),
            created_by,
            comment: "buildkit.dockerfile.v0".to_owned(),
            empty_layer,
            ..History::default()
        });
    }

    pub(super) fn copy_from(&self, instruction: &Instruction) -> super::From {
        let flag = instruction
            .flag("from")
            .and_then(|flag| flag.value.as_ref());
        match flag.map(Word::value_or_text) {
            None | Some("") => super::From::Context,
            Some(name) => self.mount_from(name),
        }
    }

    /// Returns what a name in `from=` means.
    pub(super) fn mount_from(&self, name: &str) -> super::From {
        if let Some((_, path)) = self.directories.iter().find(|(known, _)| known == name) {
            return super::From::Directory(path.clone());
        }
        match self.sources.iter().find(|(known, _)| known == name) {
            Some((_, stage)) => super::From::Stage(*stage),
            None => super::From::Context,
        }
    }

    /// Returns where something is said to stand: a trigger stands at the FROM whose base brought it.
    pub(super) fn place(&self, range: TextRange) -> TextRange {
        self.trigger_place.unwrap_or(range)
    }

    pub(super) fn expand(&self, word: &Word) -> Result<String, BuildError> {
        Words::new(self.escape, self.trigger_place).expand(word, &self.variables)
    }

    pub(super) fn expand_text(&self, text: &str, range: TextRange) -> Result<String, BuildError> {
        Words::new(self.escape, self.trigger_place).expand_at(text, range, &self.variables)
    }

    /// Expands a word that may come out as several: EXPOSE.
    pub(super) fn expand_to_words(&self, word: &Word) -> Result<Vec<String>, BuildError> {
        Expander::new(self.escape, &self.variables)
            .expand_words(&word.text)
            .map(|expanded| expanded.words)
            .map_err(|error| self.fault(word.range, error.to_string()))
    }
}
