//! What a container of a stage starts: the ENTRYPOINT and the CMD that count.

use dockerfile_model::{Base, Command, Instruction, Keyword, Model};

use super::blocks::blocks;
use super::known_images::is_windows_image;
use super::shell_program::{asks_for_command, is_shell, reads_arguments};

/// What a container of a stage starts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct StartCommand<'m> {
    pub(crate) entrypoint: Option<&'m Instruction>,
    pub(crate) command: Option<&'m Instruction>,
    /// Whether a stage below sets SHELL.
    pub(crate) has_shell_below: bool,
    /// Whether this stage or one below sets SHELL.
    has_shell: bool,
    /// Whether the stage stands on an image that is known to be one of Windows, whose shell is `cmd`.
    pub(crate) is_windows: bool,
}

/// Returns the last instruction of a kind.
pub(crate) fn last_of(block: &[Instruction], keyword: Keyword) -> Option<&Instruction> {
    block
        .iter()
        .rfind(|instruction| instruction.keyword == keyword)
}

/// Returns what counts at the end of each block of the file, what the stages below it say included.
///
/// An ENTRYPOINT resets the CMD that comes from below, and keeps one of its own stage
/// (BuildKit `dockerfile2llb/convert.go`, `dispatchEntrypoint`).
pub(crate) fn start_commands(model: &Model) -> Vec<StartCommand<'_>> {
    let mut starts: Vec<StartCommand<'_>> = Vec::with_capacity(model.stages.len() + 1);
    let stages = std::iter::once(None).chain(model.stages.iter().map(Some));
    for (block, stage) in blocks(model).zip(stages) {
        let base = stage.map(|stage| &stage.base);
        // A stage stands on earlier ones only.
        let below = match base {
            Some(Base::Stage(parent)) => starts.get(parent.index() + 1).copied(),
            _ => None,
        };
        let below = below.unwrap_or_default();
        let entrypoint = last_of(block, Keyword::Entrypoint);
        let command = last_of(block, Keyword::Cmd);
        starts.push(StartCommand {
            entrypoint: entrypoint.or(below.entrypoint),
            command: command.or(below.command.filter(|_| entrypoint.is_none())),
            has_shell_below: below.has_shell,
            has_shell: below.has_shell || last_of(block, Keyword::Shell).is_some(),
            is_windows: below.is_windows
                || matches!(base, Some(Base::Image(name)) if is_windows_image(name)),
        });
    }
    starts
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

#[cfg(test)]
mod tests {
    use super::*;
    use dockerfile_model::ModelInput;

    #[track_caller]
    fn check(text: &str, entrypoint: Option<u32>, command: Option<u32>) {
        let parse = dockerfile_syntax::parse(text);
        let model = Model::new(&parse, &ModelInput::default());
        let starts = start_commands(&model);
        let last = starts.last().copied().unwrap_or_default();
        let id = |instruction: Option<&Instruction>| instruction.map(|found| found.id.0);
        assert_eq!(
            (id(last.entrypoint), id(last.command)),
            (entrypoint, command)
        );
    }

    #[test]
    fn the_last_ones_count() {
        check("FROM a\nCMD x\nENTRYPOINT y\nCMD z\n", Some(2), Some(3));
        check("CMD x\nCMD y\n", None, Some(1));
    }

    #[test]
    fn stages_below_hand_theirs_on() {
        check(
            "FROM a AS b\nENTRYPOINT x\nCMD y\nFROM b AS c\nFROM c\n",
            Some(1),
            Some(2),
        );
        check(
            "FROM a AS b\nENTRYPOINT x\nFROM b\nCMD y\n",
            Some(1),
            Some(3),
        );
        check("FROM a AS b\nCMD y\nFROM c\n", None, None);
    }

    #[test]
    fn an_entrypoint_resets_the_command_from_below() {
        check("FROM a AS b\nCMD y\nFROM b\nENTRYPOINT x\n", Some(3), None);
    }
}
