//! The runs of instructions that one build step follows another in.

use dockerfile_model::{Instruction, Model};

/// Returns the instructions of each stage, FROM first, and before them those that stand before the first FROM: a
/// fragment without FROM is one block.
pub(crate) fn blocks(model: &Model) -> impl Iterator<Item = &[Instruction]> {
    let stages = model
        .stages
        .iter()
        .map(|stage| model.stage_instructions(stage.id));
    std::iter::once(model.global_instructions()).chain(stages)
}
