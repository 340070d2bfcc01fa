//! Calls of programs in all scripts of a file, read once.

use dockerfile_model::{Instruction, Model, Script, ShellCommand};

use super::called_program::{CalledProgram, called_program};

/// One call of a program, and where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProgramCall<'m> {
    pub called: CalledProgram<'m>,
    pub instruction: &'m Instruction,
    pub script: &'m Script,
    /// The place of the command in the script.
    pub position: usize,
    pub command: &'m ShellCommand,
}

impl<'m> ProgramCall<'m> {
    /// Returns whether the program is one of these.
    pub(crate) fn is(&self, names: &[&str]) -> bool {
        self.called.is(names)
    }

    /// Returns the commands of the script in front of this one.
    pub(crate) fn earlier_commands(&self) -> &'m [ShellCommand] {
        self.script.commands.get(..self.position).unwrap_or(&[])
    }

    /// Returns the commands of the script behind this one.
    pub(crate) fn later_commands(&self) -> &'m [ShellCommand] {
        self.script.commands.get(self.position + 1..).unwrap_or(&[])
    }

    /// Returns the commands that write what this one reads, nearest first.
    pub(crate) fn pipeline_before(&self) -> impl Iterator<Item = &'m ShellCommand> + use<'m> {
        pipeline_before(self.script, self.position)
    }
}

/// Returns the commands in front of a command in its pipeline, nearest first; also those in `(...)` and `{ ...; }`.
pub(crate) fn pipeline_before(
    script: &Script,
    position: usize,
) -> impl Iterator<Item = &ShellCommand> {
    let reader = script
        .commands
        .get(position)
        .filter(|reader| reader.is_piped);
    let before = script.commands.get(..position).unwrap_or(&[]);
    reader.into_iter().flat_map(move |reader| {
        before
            .iter()
            .rev()
            // What stands inside of a pipeline has higher numbers, what stands in front of it lower ones.
            .take_while(move |one| one.pipeline >= reader.pipeline)
            .filter(move |one| {
                one.pipeline == reader.pipeline
                    || one.nesting.substitution == reader.nesting.substitution
            })
    })
}

/// Returns the calls of all programs in the scripts of a file: those of RUN, CMD, ENTRYPOINT and HEALTHCHECK, in the
/// order of the file.
pub(crate) fn program_calls(model: &Model) -> Vec<ProgramCall<'_>> {
    let mut calls = Vec::new();
    for instruction in model.instructions_with_triggers() {
        for script in instruction.scripts() {
            for (position, command) in script.commands.iter().enumerate() {
                if let Some(called) = called_program(command) {
                    calls.push(ProgramCall {
                        called,
                        instruction,
                        script,
                        position,
                        command,
                    });
                }
            }
        }
    }
    calls
}
