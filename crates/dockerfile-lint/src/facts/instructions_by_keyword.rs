//! All instructions, sorted by keyword: a rule about EXPOSE need not pass by every RUN.

use dockerfile_model::{Instruction, Keyword, Model};

/// The instructions of each keyword, also those behind ONBUILD, in the order of the file.
pub(crate) type InstructionsByKeyword<'m> = [Vec<&'m Instruction>; Keyword::COUNT];

/// The keywords whose arguments are a command.
pub(crate) const COMMANDS: &[Keyword] = &[
    Keyword::Run,
    Keyword::Cmd,
    Keyword::Entrypoint,
    Keyword::Healthcheck,
];

pub(crate) fn instructions_by_keyword(model: &Model) -> InstructionsByKeyword<'_> {
    let mut sorted = InstructionsByKeyword::default();
    for instruction in model.instructions_with_triggers() {
        if let Some(list) = sorted.get_mut(instruction.keyword as usize) {
            list.push(instruction);
        }
    }
    sorted
}

#[cfg(test)]
mod tests {
    use dockerfile_model::ModelInput;

    use super::*;

    #[test]
    fn instructions_behind_onbuild_stand_in_the_order_of_the_file() {
        let parse = dockerfile_syntax::parse("FROM a:1\nRUN b\nONBUILD RUN c\nUSER d\nRUN e\n");
        let model = Model::new(&parse, &ModelInput::default());
        let sorted = instructions_by_keyword(&model);
        let runs: Vec<_> = sorted[Keyword::Run as usize]
            .iter()
            .map(|instruction| instruction.id.0)
            .collect();
        assert_eq!(runs, [1, 2, 4]);
        assert_eq!(sorted[Keyword::User as usize].len(), 1);
    }
}
