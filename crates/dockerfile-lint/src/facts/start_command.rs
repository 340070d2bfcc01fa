//! What a container of a stage starts: the ENTRYPOINT and the CMD that count.

use dockerfile_model::{Command, Instruction, InstructionId, Keyword, Model, StageId};

use super::shell_program::{asks_for_command, is_shell, reads_arguments};

/// What a container of a stage starts.
#[derive(Clone, Copy, Default)]
pub(crate) struct StartCommand<'m> {
    pub(crate) entrypoint: Option<&'m Instruction>,
    pub(crate) command: Option<&'m Instruction>,
}

/// Returns the last instruction of a kind.
pub(crate) fn last_of(place: &[Instruction], keyword: Keyword) -> Option<&Instruction> {
    place
        .iter()
        .rfind(|instruction| instruction.keyword == keyword)
}

/// Returns what counts at the end of a place, what the stages below it say included.
///
/// An ENTRYPOINT resets the CMD that comes from below, and keeps one of its own stage
/// (BuildKit `dockerfile2llb/convert.go`, `dispatchEntrypoint`).
pub(crate) fn start_command<'m>(model: &'m Model, place: &'m [Instruction]) -> StartCommand<'m> {
    let mut start = StartCommand {
        entrypoint: last_of(place, Keyword::Entrypoint),
        command: last_of(place, Keyword::Cmd),
    };
    let Some(stage) = place.first().and_then(|instruction| instruction.stage) else {
        return start;
    };
    let mut is_reset = start.entrypoint.is_some();
    for below in model.ancestry(stage).skip(1) {
        if start.entrypoint.is_some() && (start.command.is_some() || is_reset) {
            break;
        }
        let below = model.stage_instructions(below.id);
        if start.command.is_none() && !is_reset {
            start.command = last_of(below, Keyword::Cmd);
        }
        if start.entrypoint.is_none() {
            start.entrypoint = last_of(below, Keyword::Entrypoint);
            is_reset |= start.entrypoint.is_some();
        }
    }
    start
}

/// Returns the ENTRYPOINT that is in force when a stage is built to its end.
pub(crate) fn entrypoint_of(model: &Model, stage: Option<StageId>) -> Option<&Instruction> {
    match stage {
        Some(stage) => model.last_of_stage(Keyword::Entrypoint, stage),
        None => last_of(model.global_instructions(), Keyword::Entrypoint),
    }
}

/// Returns whether another instruction of the same kind comes later in the same place, so that this one counts for
/// nothing.
pub(crate) fn is_dead(model: &Model, instruction: &Instruction) -> bool {
    let place = match instruction.stage {
        Some(stage) => model.stage_instructions(stage),
        None => model.global_instructions(),
    };
    !instruction.is_trigger
        && last_of(place, instruction.keyword).is_some_and(|last| last.id != instruction.id)
}

/// Returns whether SHELL is set where an instruction stands.
pub(crate) fn has_own_shell(model: &Model, at: InstructionId) -> bool {
    if let Some(Some(_)) = model.instruction(at).map(|instruction| instruction.stage) {
        model.last_before(Keyword::Shell, at).is_some()
    } else {
        let before = model.global_instructions().get(..at.index()).unwrap_or(&[]);
        last_of(before, Keyword::Shell).is_some()
    }
}

/// Returns whether a command leaves the arguments behind it unread: a line for the shell, or `["sh", "-c", "..."]`,
/// that does not ask for them.
pub(crate) fn swallows_arguments(command: &Command) -> bool {
    match command {
        // Broken JSON is the finding of `single-quoted-json`.
        Command::Shell(script) => {
            let text = script.text.trim();
            !text.is_empty() && !text.starts_with('[') && !reads_arguments(text)
        }
        Command::Exec(words, _) => match words.as_slice() {
            [shell, option, script, ..] => {
                is_shell(&shell.value)
                    && asks_for_command(&option.value)
                    && !reads_arguments(&script.value)
            }
            _ => false,
        },
        Command::Opaque { .. } | Command::Missing => false,
    }
}
