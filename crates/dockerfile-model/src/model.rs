//! The model of a file.

use std::sync::Arc;

use dockerfile_source::TextRange;
use dockerfile_syntax::Parse;
use dockerfile_syntax::ast::{AstNode as _, File};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use crate::index::{MOST_ANCESTORS, Names, Places, last_while};
use crate::lower::Lowering;
use crate::scope::{PLATFORM_ARGUMENTS, PREDEFINED_ARGUMENTS};
use crate::{
    Base, BuiltStep, Instruction, InstructionId, Keyword, LayerFiles, Resolution, Stage, StageId,
    StageReference, Variable, VariableId, clean_path,
};

/// What the caller knows beyond the file.
#[derive(Clone, Debug, Default)]
pub struct ModelInput {
    /// Facts about base images, by the name that stands in FROM after expansion.
    pub base_images: FxHashMap<SmolStr, Arc<BaseImageFacts>>,
    /// What earlier builds of this very text left, in the order of the file: without a gap within a stage, from its first
    /// step that makes a layer.
    pub built_steps: Vec<BuiltStep>,
    /// Build arguments that replace the defaults of ARG.
    pub build_arguments: FxHashMap<SmolStr, SmolStr>,
}

/// What a base image brings along: the parts of its configuration that matter here, and its files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BaseImageFacts {
    pub user: Option<SmolStr>,
    pub workdir: Option<SmolStr>,
    pub environment: Vec<(SmolStr, SmolStr)>,
    pub entrypoint: Option<Vec<SmolStr>>,
    pub command: Option<Vec<SmolStr>>,
    pub exposed_ports: Vec<SmolStr>,
    /// SHELL.
    pub shell: Option<Vec<SmolStr>>,
    /// ONBUILD: instructions that run right behind FROM.
    pub triggers: Vec<SmolStr>,
    /// Such as `linux/amd64`; empty where nobody says.
    pub platform: SmolStr,
    /// All layers together; none where nobody has looked.
    pub files: Option<Arc<LayerFiles>>,
}

impl BaseImageFacts {
    /// Returns what a variable holds in the image.
    pub fn variable(&self, name: &str) -> Option<&SmolStr> {
        let mut set = self.environment.iter();
        set.find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Returns the working directory of a stage before its first instruction; none where an ONBUILD may have changed it.
    pub(crate) fn first_workdir(&self) -> Option<SmolStr> {
        let is_workdir = |trigger: &SmolStr| {
            let keyword = trigger.split_whitespace().next();
            keyword.is_some_and(|keyword| keyword.eq_ignore_ascii_case("workdir"))
        };
        let workdir = self.workdir.as_deref().filter(|path| !path.is_empty());
        (!self.triggers.iter().any(is_workdir)).then(|| clean_path(workdir.unwrap_or("/")))
    }

    /// Returns whether FROM with this `--platform` means the image that the facts are about. A variable mostly stands for the
    /// platform of this machine.
    pub(crate) fn is_for(&self, platform: Option<&str>) -> bool {
        let Some(platform) = platform.filter(|_| !self.platform.is_empty()) else {
            return true;
        };
        let is_variant_of = |one: &str, other: &str| {
            let behind = one.strip_prefix(other);
            behind.is_some_and(|behind| behind.is_empty() || behind.starts_with('/'))
        };
        is_variant_of(platform, &self.platform) || is_variant_of(&self.platform, platform)
    }
}

/// A comment line outside of instructions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// From `#` to the end of the line.
    pub text: SmolStr,
    pub range: TextRange,
}

/// What a Dockerfile means.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// `\` or a backtick.
    pub escape: char,
    /// The value of `# syntax=`.
    pub syntax: Option<(SmolStr, TextRange)>,
    /// The value of `# check=`.
    pub check: Option<(SmolStr, TextRange)>,
    /// Comment lines outside of instructions, parser directives left out.
    pub comments: Vec<Comment>,
    /// All instructions in the order of the file; the id of an instruction is its index.
    pub instructions: Vec<Instruction>,
    /// All stages in the order of the file; the id of a stage is its index.
    pub stages: Vec<Stage>,
    /// All declarations of variables in the order of the file.
    pub variables: Vec<Variable>,
    /// All places where a stage needs another.
    pub stage_references: Vec<StageReference>,
    pub(crate) base_facts: Vec<Option<Arc<BaseImageFacts>>>,
    pub(crate) names: Names,
    pub(crate) places: Places,
}

impl Model {
    /// Returns the model of a parsed file. Never fails: what is broken in the file is missing in the model.
    pub fn new(parse: &Parse, input: &ModelInput) -> Model {
        match File::cast(parse.root()) {
            Some(file) => Lowering::new(parse.escape(), input).file(file),
            None => Model::default(),
        }
    }

    pub fn instruction(&self, id: InstructionId) -> Option<&Instruction> {
        self.instructions.get(id.index())
    }

    pub fn stage(&self, id: StageId) -> Option<&Stage> {
        self.stages.get(id.index())
    }

    pub fn variable(&self, id: VariableId) -> Option<&Variable> {
        self.variables.get(id.0 as usize)
    }

    /// Returns the stage that is built when none is named: the last one.
    pub fn final_stage(&self) -> Option<&Stage> {
        self.stages.last()
    }

    /// Returns the instructions of a stage, FROM first.
    pub fn stage_instructions(&self, id: StageId) -> &[Instruction] {
        self.stage(id)
            .and_then(|stage| self.instructions.get(stage.from.index()..stage.end.index()))
            .unwrap_or(&[])
    }

    /// Returns the instructions before the first FROM.
    pub fn global_instructions(&self) -> &[Instruction] {
        let end = self
            .stages
            .first()
            .map_or(self.instructions.len(), |stage| stage.from.index());
        self.instructions.get(..end).unwrap_or(&[])
    }

    /// Returns all instructions, and behind each ONBUILD the instruction that it holds.
    pub fn instructions_with_triggers(&self) -> impl Iterator<Item = &Instruction> {
        self.instructions.iter().flat_map(|instruction| {
            std::iter::once(instruction)
                .chain(std::iter::successors(instruction.trigger(), |inner| {
                    inner.trigger()
                }))
        })
    }

    /// Returns the instructions of one kind.
    pub fn instructions_of(&self, keyword: Keyword) -> impl Iterator<Item = &Instruction> {
        self.places
            .of_keyword(keyword)
            .iter()
            .filter_map(|id| self.instruction(*id))
    }

    /// Returns the stage that a name means for `COPY --from`, `RUN --mount=from=` and `--target`: the last one of that
    /// name in all of the file, in any case (BuildKit `dockerfile2llb/convert.go`, `findStateByName`).
    pub fn stage_of_name(&self, name: &str) -> Option<StageId> {
        if name
            .bytes()
            .any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii())
        {
            return self.names.stage(&name.to_lowercase());
        }
        self.names.stage(name)
    }

    /// Returns the stage that `COPY --from` in a stage copies from: a number, or else a name. A stage that does not stand
    /// before its own is refused by the builder (`convert.go`, `toCommand` and `dispatch`), and is none here.
    pub fn stage_named(&self, text: &str, before: StageId) -> Option<StageId> {
        let stage = match text.parse() {
            Ok(number) => StageId(number),
            Err(_) => self.stage_of_name(text)?,
        };
        (stage < before).then_some(stage)
    }

    /// Returns the stage itself and the stages it stands on, nearest first.
    pub fn ancestry(&self, id: StageId) -> impl Iterator<Item = &Stage> {
        std::iter::successors(self.stage(id), |stage| match stage.base {
            Base::Stage(parent) => self.stage(parent),
            _ => None,
        })
    }

    /// Returns the stage at the bottom of those that a stage stands on: itself, where it stands on an image.
    pub fn root_stage(&self, id: StageId) -> Option<&Stage> {
        self.stage(self.names.root(id)?)
    }

    /// Returns what a stage stands on in the end: an image, `scratch`, or something unknown.
    pub fn root_base(&self, id: StageId) -> Option<&Base> {
        self.root_stage(id).map(|root| &root.base)
    }

    /// Returns which stages the final stage needs, itself included; by index.
    pub fn needed_stages(&self) -> Vec<bool> {
        let mut needed = vec![false; self.stages.len()];
        if let Some(last) = needed.last_mut() {
            *last = true;
        }
        // A stage needs earlier stages only.
        for idx in (0..self.stages.len()).rev() {
            if needed.get(idx) != Some(&true) {
                continue;
            }
            let of_stage = |last: &StageReference| last.from_stage.index();
            let start = self
                .stage_references
                .partition_point(|reference| of_stage(reference) < idx);
            let references = self.stage_references.get(start..).unwrap_or(&[]);
            for reference in references
                .iter()
                .take_while(|reference| of_stage(reference) == idx)
            {
                if let Some(slot) = reference
                    .target
                    .and_then(|target| needed.get_mut(target.index()))
                {
                    *slot = true;
                }
            }
        }
        needed
    }

    /// Returns the caller's facts about the image that a stage stands on in the end.
    pub fn facts_of(&self, id: StageId) -> Option<&BaseImageFacts> {
        self.base_facts
            .get(self.names.root(id)?.index())?
            .as_deref()
    }

    /// Returns what a variable means for an instruction of a stage.
    pub fn resolve(&self, name: &str, at: InstructionId, stage: Option<StageId>) -> Resolution {
        self.resolve_value(name, at, stage).0
    }

    /// Returns what a variable means and, where it is known, what it holds.
    ///
    /// `stage` is none for what is read outside of stages: ARG before the first FROM, and FROM itself.
    pub(crate) fn resolve_value(
        &self,
        name: &str,
        at: InstructionId,
        stage: Option<StageId>,
    ) -> (Resolution, Option<&SmolStr>) {
        let Some(stage) = stage else {
            return match self.names.global(&self.variables, name, at) {
                Some((id, variable)) => (Resolution::Declared(id), variable.value.as_ref()),
                None if PLATFORM_ARGUMENTS.contains(&name) => (Resolution::Predefined, None),
                None => (Resolution::Undeclared, None),
            };
        };
        let ids = self.names.in_stages(name);
        if !ids.is_empty() {
            let mut is_cut = true;
            for ancestor in self.ancestry(stage).take(MOST_ANCESTORS) {
                let found = if ancestor.id == stage {
                    last_while(ids, &self.variables, |variable| variable.instruction < at)
                } else {
                    last_while(ids, &self.variables, |variable| {
                        variable.instruction < ancestor.end
                    })
                };
                if let Some((id, variable)) = found
                    && variable.stage == Some(ancestor.id)
                {
                    return (Resolution::Declared(id), variable.value.as_ref());
                }
                is_cut = matches!(ancestor.base, Base::Stage(_));
            }
            if is_cut {
                return (Resolution::MaybeBaseImage, None);
            }
        }
        if let Some(value) = self.facts_of(stage).and_then(|facts| facts.variable(name)) {
            return (Resolution::BaseImage, Some(value));
        }
        if PREDEFINED_ARGUMENTS.contains(&name) || name == "PATH" {
            return (Resolution::Predefined, None);
        }
        if let Some((id, _)) = self.names.global(&self.variables, name, at) {
            return (Resolution::GlobalOnly(id), None);
        }
        // An ONBUILD of the image may be an ENV.
        let is_known = self
            .facts_of(stage)
            .is_some_and(|facts| facts.triggers.is_empty());
        let may_come_from_image =
            !is_known && !matches!(self.root_base(stage), Some(Base::Scratch));
        if may_come_from_image {
            (Resolution::MaybeBaseImage, None)
        } else {
            (Resolution::Undeclared, None)
        }
    }
}
