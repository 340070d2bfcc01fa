//! What environment variables hold for a command.

use dockerfile_model::{Instruction, Model, Resolution, ShellCommand, SmolStr};

/// Returns what ENV, ARG or the base image puts into a variable for an instruction, as far as that is known.
pub(crate) fn variable_at<'m>(
    model: &'m Model,
    instruction: &Instruction,
    name: &str,
) -> Option<&'m SmolStr> {
    match model.resolve(name, instruction.id, instruction.stage) {
        Resolution::Declared(id) => model.variable(id)?.value.as_ref(),
        Resolution::BaseImage => {
            let environment = &model.facts_of(instruction.stage?)?.environment;
            environment
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value)
        }
        _ => None,
    }
}

/// Returns what a command puts into a variable for the commands behind it: `export NAME=value`, or `NAME=value` alone.
pub(crate) fn exported_by<'m>(command: &'m ShellCommand, name: &str) -> Option<&'m str> {
    if command.is(&["export"]) {
        return command
            .arguments()
            .iter()
            .find_map(|word| word.value().strip_prefix(name)?.strip_prefix('='));
    }
    if !command.words.is_empty() {
        return None;
    }
    let assignment = command
        .assignments
        .iter()
        .find(|assignment| assignment.name == name)?;
    Some(assignment.value.as_ref().map_or("", |value| value.value()))
}
