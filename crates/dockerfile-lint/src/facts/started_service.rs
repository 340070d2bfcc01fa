//! Commands that start a service and end.

use dockerfile_model::{Command, Instruction, ShellWord};
use dockerfile_source::TextRange;

use super::called_program::{CalledProgram, called_program};
use super::shell_program::base_name;

/// Returns the word of a call that starts a service.
pub(crate) fn start_word<'m>(called: &CalledProgram<'m>) -> Option<&'m ShellWord> {
    let words = called.arguments;
    let word = match called.name {
        "service" => words.get(1),
        "systemctl" => words.iter().find(|word| !word.is_option()),
        _ if called.word.text.starts_with("/etc/init.d/") => words.first(),
        _ => None,
    };
    word.filter(|word| is_start(word.value()))
}

fn is_start(word: &str) -> bool {
    matches!(word, "start" | "restart")
}

/// Returns where CMD or ENTRYPOINT starts a service as the last thing that it does.
pub(crate) fn service_started_last(instruction: &Instruction) -> Option<TextRange> {
    match instruction.command()? {
        Command::Shell(script) => {
            let last = script.commands.last()?;
            let called = called_program(last)?;
            let word = start_word(&called)?;
            (last.nesting.depth == 0).then(|| called.range_to(word))
        }
        Command::Exec(words, _) => match words.as_slice() {
            [program, _, word] if base_name(&program.value) == "service" => {
                is_start(&word.value).then(|| program.range.cover(word.range))
            }
            [program, word] if program.value.starts_with("/etc/init.d/") => {
                is_start(&word.value).then(|| program.range.cover(word.range))
            }
            _ => None,
        },
        _ => None,
    }
}
