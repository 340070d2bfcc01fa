//! Which USER is in force at each instruction, found in one pass over the file.

use dockerfile_model::{Base, InstructionId, Keyword, Model};

/// Returns for each instruction, by its index, the USER that counts when it runs: the last one before it, in its stage
/// or in a stage below. USER itself is listed under the one that it replaces.
pub(crate) fn users_in_force(model: &Model) -> Vec<Option<InstructionId>> {
    let mut at_instruction = vec![None; model.instructions.len()];
    let mut at_end_of_stage: Vec<Option<InstructionId>> = Vec::with_capacity(model.stages.len());
    for stage in &model.stages {
        // A stage stands on an earlier one.
        let mut user = match stage.base {
            Base::Stage(parent) => at_end_of_stage.get(parent.index()).copied().flatten(),
            _ => None,
        };
        for instruction in model.stage_instructions(stage.id) {
            if let Some(slot) = at_instruction.get_mut(instruction.id.index()) {
                *slot = user;
            }
            if instruction.keyword == Keyword::User {
                user = Some(instruction.id);
            }
        }
        at_end_of_stage.push(user);
    }
    at_instruction
}

#[cfg(test)]
mod tests {
    use dockerfile_model::ModelInput;

    use super::*;

    #[test]
    fn users_go_from_stage_to_stage() {
        let text = "FROM a AS b\nUSER x\nRUN y\nFROM b\nRUN z\nFROM c\nRUN z\n";
        let parse = dockerfile_syntax::parse(text);
        let model = Model::new(&parse, &ModelInput::default());
        let user = Some(InstructionId(1));
        assert_eq!(
            users_in_force(&model),
            [None, None, user, user, user, None, None]
        );
    }
}
