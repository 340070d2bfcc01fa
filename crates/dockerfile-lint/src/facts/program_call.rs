//! Calls of programs in all scripts of a file, read once.

use dockerfile_model::{Instruction, Model, Script, ShellCommand};

use super::called_program::{CalledProgram, called_program};

/// What rules look for among the commands of all scripts, found in one walk: those of RUN, CMD, ENTRYPOINT and
/// HEALTHCHECK, in the order of the file.
#[derive(Debug, Default)]
pub(crate) struct Commands<'m> {
    pub calls: Vec<ProgramCall<'m>>,
    /// The commands that start with `sudo`.
    pub sudo: Vec<(&'m Instruction, &'m ShellCommand)>,
    /// The commands that may set a variable: with an assignment, or `export` or `env`.
    pub settings: Vec<&'m ShellCommand>,
    /// The commands with a word that starts with a capital letter.
    pub capitals: Vec<(&'m Instruction, &'m Script, &'m ShellCommand)>,
}

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

/// Walks through the commands of a file.
pub(crate) fn commands(model: &Model) -> Commands<'_> {
    let mut found = Commands::default();
    let scripts = model
        .instructions_with_triggers()
        .flat_map(Instruction::scripts);
    found
        .calls
        .reserve_exact(scripts.map(|script| script.commands.len()).sum());
    for instruction in model.instructions_with_triggers() {
        for script in instruction.scripts() {
            for (position, command) in script.commands.iter().enumerate() {
                if let Some(called) = called_program(command) {
                    found.calls.push(ProgramCall {
                        called,
                        instruction,
                        script,
                        position,
                        command,
                    });
                }
                let program = command.program();
                if program == Some("sudo") {
                    found.sudo.push((instruction, command));
                }
                if !command.assignments.is_empty() || matches!(program, Some("export" | "env")) {
                    found.settings.push(command);
                }
                if command.has_capital_word {
                    found.capitals.push((instruction, script, command));
                }
            }
        }
    }
    found
}
