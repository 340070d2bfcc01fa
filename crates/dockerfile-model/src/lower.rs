//! The tree to the model, one instruction after another.

mod arguments;
mod words;

use dockerfile_syntax::ast::{self, AstNode as _, File};
use dockerfile_syntax::{Element, SyntaxKind};
use smol_str::SmolStr;

use crate::{
    Base, Body, Comment, Instruction, InstructionId, Keyword, Model, ModelInput, Origin, Pair,
    Stage, StageId, StageReference, Variable, Word,
};

pub(crate) struct Lowering<'i> {
    model: Model,
    input: &'i ModelInput,
    /// The instruction that is being lowered.
    current: InstructionId,
    stage: Option<StageId>,
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
        }
    }

    pub(crate) fn file(mut self, file: File<'_>) -> Model {
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
        self.model
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
            Body::From(from) => self.fill_stage(from),
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
            image: None,
        });
        self.model.base_facts.push(None);
        self.stage = Some(id);
    }

    fn fill_stage(&mut self, from: &crate::From) {
        let Some(id) = self.stage else { return };
        let base = match &from.image {
            None => Base::Missing,
            Some(image) => match &image.value {
                None => Base::Unknown,
                Some(value) => match self.model.stage_by_name(value, id) {
                    Some(parent) => Base::Stage(parent),
                    None if value == "scratch" => Base::Scratch,
                    None => Base::Image(value.clone()),
                },
            },
        };
        if let Base::Image(name) = &base
            && let Some(slot) = self.model.base_facts.get_mut(id.index())
        {
            *slot = self.input.base_images.get(name).cloned();
        }
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
            stage.image.clone_from(&from.image);
            stage.name = from
                .alias
                .as_ref()
                .map(|alias| SmolStr::new(alias.text.to_lowercase()));
            stage.name_range = from.alias.as_ref().map(|alias| alias.range);
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
                target: self.model.stage_named(text, stage),
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

impl Model {
    /// Returns the earlier stage of a name: FROM takes names only, no numbers.
    fn stage_by_name(&self, name: &str, before: StageId) -> Option<StageId> {
        let earlier = self.stages.get(..before.index())?;
        earlier
            .iter()
            .rev()
            .find(|stage| {
                stage
                    .name
                    .as_deref()
                    .is_some_and(|known| known.eq_ignore_ascii_case(name))
            })
            .map(|stage| stage.id)
    }
}
