//! Build stages and how they lean on each other.

use dockerfile_source::TextRange;
use smol_str::SmolStr;

use crate::{InstructionId, Word};

/// The place of a stage in the file, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StageId(pub u32);

impl StageId {
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One stage: FROM and what follows it.
#[derive(Clone, Debug)]
pub struct Stage {
    pub id: StageId,
    /// The FROM instruction.
    pub from: InstructionId,
    /// The first instruction after the last one of the stage.
    pub end: InstructionId,
    /// The name behind `AS`, in lower case as the builder compares it.
    pub name: Option<SmolStr>,
    pub name_range: Option<TextRange>,
    pub base: Base,
    /// Whether FROM names the stage below in another case. FROM finds stages by their names in lower case only
    /// (BuildKit `dockerfile2llb/convert.go`, `addState`): the builder looks for an image of that name and fails. `base`
    /// is the stage that is meant.
    pub is_base_miscased: bool,
    /// The image as it is written.
    pub image: Option<Word>,
}

/// What a stage stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// An earlier stage: the last one of that name so far.
    Stage(StageId),
    /// Nothing.
    Scratch,
    /// An image, with variables replaced by their defaults.
    Image(SmolStr),
    /// An image whose name holds a variable without a known value.
    Unknown,
    /// FROM without an image.
    Missing,
}

/// One place where a stage needs another: FROM, `COPY --from`, `RUN --mount=from`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageReference {
    pub instruction: InstructionId,
    /// The stage in which the reference stands.
    pub from_stage: StageId,
    /// The name or number as it is written.
    pub text: SmolStr,
    pub range: TextRange,
    /// The stage that is meant; none where it is an image or nothing, or a stage that does not stand before this one,
    /// which the builder refuses. `COPY --from` takes numbers and names, the others take names only; FROM finds the last
    /// stage of a name before it, the others find the last one in the file (BuildKit `dockerfile2llb/convert.go`,
    /// `toCommand`, `detectRunMount`, `addState`).
    pub target: Option<StageId>,
}
