//! ONBUILD: instructions that wait for the next build.

use dockerfile_model::{Instruction, Keyword, Model, ModelInput};
use dockerfile_source::TextRange;
use dockerfile_syntax::{Parse, parse};

use crate::error::{BuildError, Failure};

/// A text with all that is known of it.
#[derive(Debug)]
pub(crate) struct Dockerfile {
    pub(crate) parse: Parse,
    pub(crate) model: Model,
    text: String,
}

impl Dockerfile {
    pub(crate) fn new(text: &str) -> Dockerfile {
        let parse = parse(text);
        Dockerfile {
            model: Model::new(&parse, &ModelInput::default()),
            parse,
            text: text.to_owned(),
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Returns what stands behind ONBUILD, continuations joined, its heredocs included.
    pub(super) fn trigger_text(&self, instruction: &Instruction) -> Option<String> {
        let trigger = instruction.trigger()?;
        let node = self
            .parse
            .root()
            .children()
            .find(|node| node.range() == instruction.range)?;
        let whole = node.logical_text();
        let start = whole.len() - whole.trim_start().len();
        let behind = whole.get(start..)?;
        let keyword_end = behind.find(|character: char| character.is_whitespace())?;
        let _ = trigger;
        Some(behind.get(keyword_end..)?.trim().to_owned())
    }
}

/// Reads the triggers of a base image or a stage.
pub(super) fn read_triggers(
    texts: &[String],
    range: TextRange,
) -> Result<Vec<Dockerfile>, BuildError> {
    texts.iter().map(|text| read_trigger(text, range)).collect()
}

fn read_trigger(text: &str, range: TextRange) -> Result<Dockerfile, BuildError> {
    let fault = |message: String| {
        BuildError::new(Failure::Dockerfile, message).at(range, "the base has this trigger")
    };
    let dockerfile = Dockerfile::new(text);
    if let Some(error) = dockerfile.parse.errors().first() {
        return Err(fault(format!(
            "the trigger `ONBUILD {text}`: {}",
            error.message
        )));
    }
    match dockerfile.model.instructions.as_slice() {
        [one]
            if !matches!(
                one.keyword,
                Keyword::From | Keyword::Onbuild | Keyword::Maintainer | Keyword::Unknown
            ) =>
        {
            Ok(dockerfile)
        }
        [_] => Err(fault(format!("`ONBUILD {text}` is not allowed"))),
        _ => Err(fault(format!(
            "the trigger `ONBUILD {text}` is not one instruction"
        ))),
    }
}
