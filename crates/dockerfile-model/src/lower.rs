//! The tree to the model, one instruction after another.

mod arguments;
mod words;

use std::cell::Cell;

use dockerfile_syntax::ast::{self, AstNode as _, File};
use dockerfile_syntax::{Element, SyntaxKind};
use smol_str::SmolStr;

use crate::index::Places;
use crate::shell_command::ScriptLowering;
use crate::{
    Base, Body, Comment, Instruction, InstructionId, Keyword, Model, ModelInput, Origin, Pair,
    Stage, StageId, StageReference, Variable, VariableId, Word,
};

pub(crate) struct Lowering<'i> {
    model: Model,
    input: &'i ModelInput,
    /// The instruction that is being lowered.
    current: InstructionId,
    stage: Option<StageId>,
    budget: Cell<words::Budget>,
    scripts: ScriptLowering,
}

impl<'i> Lowering<'i> {
    pub(crate) fn new(escape: char, input: &'i ModelInput) -> Lowering<'i> {
        Lowering {
            model: Model {
                escape,
                ..Model::default()
            },
            input,
            current: InstructionId(0),
            stage: None,
            budget: Cell::new(words::Budget::new(0)),
            scripts: ScriptLowering::default(),
        }
    }

    pub(crate) fn file(mut self, file: File<'_>) -> Model {
        let len = usize::from(file.syntax().range().len());
        self.budget = Cell::new(words::Budget::new(len));
        // Instructions are large, and moving them while the list grows is felt.
        let instructions = &mut self.model.instructions;
        instructions.reserve_exact(file.instructions().count());
        for element in file.syntax().children_with_tokens() {
            match element {
                Element::Token(token) if token.kind() == SyntaxKind::COMMENT => {
                    self.model.comments.push(Comment {
                        text: SmolStr::new(token.text()),
                        range: token.range(),
                    });
                }
                Element::Token(_) => {}
                Element::Node(node) => {
                    if let Some(directive) = ast::Directive::cast(node) {
                        self.directive(directive);
                    } else if let Some(instruction) = ast::Instruction::cast(node) {
                        self.instruction(instruction);
                    }
                }
            }
        }
        let model = &mut self.model;
        model.places = Places::new(&model.instructions, &model.stages, &model.base_facts);
        self.resolve_references();
        self.model
    }

    /// Finds the stages that COPY and RUN mean: a name means the last stage of that name, wherever that stands.
    fn resolve_references(&mut self) {
        let mut references = std::mem::take(&mut self.model.stage_references);
        for reference in &mut references {
            let own = reference.from_stage;
            let keyword = self
                .model
                .instruction(reference.instruction)
                .map(|instruction| instruction.keyword);
            match keyword {
                Some(Keyword::Copy) => {
                    reference.target = self.model.stage_named(&reference.text, own);
                }
                // `detectRunMount` in BuildKit's `convert.go` looks up no numbers.
                Some(Keyword::Run) => {
                    let found = self.model.stage_of_name(&reference.text);
                    reference.target = found.filter(|found| *found < own);
                }
                _ => {}
            }
        }
        self.model.stage_references = references;
    }

    fn directive(&mut self, directive: ast::Directive<'_>) {
        let (Some(name), Some(value)) = (directive.name(), directive.value()) else {
            return;
        };
        let fact = Some((SmolStr::new(value.text()), value.range()));
        if name.text().eq_ignore_ascii_case("syntax") && self.model.syntax.is_none() {
            self.model.syntax = fact;
        } else if name.text().eq_ignore_ascii_case("check") && self.model.check.is_none() {
            self.model.check = fact;
        }
    }

    fn instruction(&mut self, syntax: ast::Instruction<'_>) {
        self.current = InstructionId(self.model.instructions.len() as u32);
        let keyword = Keyword::from_kind(syntax.kind());
        if keyword == Keyword::From {
            self.begin_stage();
        }
        let instruction = self.lower(syntax, false);
        match &instruction.body {
            Body::From(from) => {
                let platform = instruction.flag("platform");
                let platform = platform.and_then(|flag| flag.value.as_ref()?.value.as_deref());
                self.fill_stage(from, platform);
            }
            Body::Pairs(pairs) if matches!(keyword, Keyword::Arg | Keyword::Env) => {
                self.declare(keyword, pairs);
            }
            _ => {}
        }
        self.collect_references(&instruction);
        self.model.instructions.push(instruction);
        let end = InstructionId(self.model.instructions.len() as u32);
        if let Some(stage) = self.model.stages.last_mut() {
            stage.end = end;
        }
    }

    fn begin_stage(&mut self) {
        let id = StageId(self.model.stages.len() as u32);
        self.model.stages.push(Stage {
            id,
            from: self.current,
            end: self.current,
            name: None,
            name_range: None,
            base: Base::Missing,
            is_base_miscased: false,
            image: None,
        });
        self.model.base_facts.push(None);
        self.stage = Some(id);
    }

    fn fill_stage(&mut self, from: &crate::From, platform: Option<&str>) {
        let Some(id) = self.stage else { return };
        let mut is_base_miscased = false;
        let base = match &from.image {
            None => Base::Missing,
            Some(image) => match &image.value {
                None => Base::Unknown,
                // All stages that have a name by now stand before this one.
                Some(value) => match self.model.stage_of_name(value) {
                    Some(parent) => {
                        is_base_miscased = self.model.names.stage(value).is_none();
                        Base::Stage(parent)
                    }
                    None if value == "scratch" => Base::Scratch,
                    None => Base::Image(value.clone()),
                },
            },
        };
        if let Base::Image(name) = &base
            && let Some(slot) = self.model.base_facts.get_mut(id.index())
        {
            let facts = self.input.base_images.get(name);
            *slot = facts.filter(|facts| facts.is_for(platform)).cloned();
        }
        self.model.names.add_base(match base {
            Base::Stage(parent) => Some(parent),
            _ => None,
        });
        if let (Base::Stage(parent), Some(image)) = (&base, &from.image) {
            self.model.stage_references.push(StageReference {
                instruction: self.current,
                from_stage: id,
                text: image.text.clone(),
                range: image.range,
                target: Some(*parent),
            });
        }
        if let Some(stage) = self.model.stages.last_mut() {
            stage.base = base;
            stage.is_base_miscased = is_base_miscased;
            stage.image.clone_from(&from.image);
            stage.name = from
                .alias
                .as_ref()
                .map(|alias| SmolStr::new(alias.text.to_lowercase()));
            stage.name_range = from.alias.as_ref().map(|alias| alias.range);
            if let Some(name) = &stage.name {
                self.model.names.add_stage(name.clone(), id);
            }
        }
    }

    /// Adds the variables of ARG and ENV.
    fn declare(&mut self, keyword: Keyword, pairs: &[Pair]) {
        let origin = match (keyword, self.stage) {
            (Keyword::Env, _) => Origin::Env,
            (_, Some(_)) => Origin::Arg,
            (_, None) => Origin::GlobalArg,
        };
        for pair in pairs {
            let name = pair
                .key
                .value
                .clone()
                .unwrap_or_else(|| pair.key.text.clone());
            let value = self.declared_value(origin, &name, pair.value.as_ref());
            let has_value = pair.value.is_some() || value.is_some();
            let id = VariableId(self.model.variables.len() as u32);
            if self.stage.is_some() {
                self.model.names.add_in_stage(name.clone(), id);
            } else if origin == Origin::GlobalArg {
                self.model.names.add_global(name.clone(), id);
            }
            self.model.variables.push(Variable {
                name,
                range: pair.key.range,
                origin,
                instruction: self.current,
                stage: self.stage,
                value,
                has_value,
            });
        }
    }

    fn declared_value(&self, origin: Origin, name: &str, value: Option<&Word>) -> Option<SmolStr> {
        if origin != Origin::Env
            && let Some(given) = self.input.build_arguments.get(name)
        {
            return Some(given.clone());
        }
        match (value, origin) {
            (Some(value), _) => value.value.clone(),
            // ARG NAME in a stage takes the value of the global ARG of that name.
            (None, Origin::Arg) => self
                .model
                .resolve_value(name, self.current, None)
                .1
                .cloned(),
            (None, _) => None,
        }
    }

    fn collect_references(&mut self, instruction: &Instruction) {
        let Some(stage) = self.stage else { return };
        let mut add = |text: &SmolStr, range| {
            self.model.stage_references.push(StageReference {
                instruction: instruction.id,
                from_stage: stage,
                text: text.clone(),
                range,
                // Known when all stages are.
                target: None,
            });
        };
        if instruction.keyword == Keyword::Copy
            && let Some(value) = instruction
                .flag("from")
                .and_then(|flag| flag.value.as_ref())
        {
            add(&SmolStr::new(value.value_or_text()), value.range);
        }
        for mount in instruction.mounts() {
            if let Some(option) = mount.options.iter().find(|option| option.key == "from")
                && let Some(value) = &option.value
            {
                add(value, option.range);
            }
        }
    }
}
