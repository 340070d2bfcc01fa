//! HEALTHCHECK: `NONE`, or `CMD` and a command.

use std::ops::Range;

use super::flags::FlagWord;
use super::instruction::InstructionGrammar;
use crate::SyntaxErrorKind::Instruction;
use crate::SyntaxKind;
use crate::SyntaxKind::{KEYWORD, WHITESPACE};
use crate::go_duration::parse_go_duration;

/// The shortest interval that the engine takes, in nanoseconds (`MinimumDuration` of moby's container types).
const SHORTEST_NANOSECONDS: i64 = 1_000_000;

impl InstructionGrammar<'_, '_, '_> {
    pub(super) fn healthcheck(&mut self, arguments: Range<usize>, flags: &[FlagWord]) {
        let text = self.text.get(arguments.clone()).unwrap_or("");
        let type_len = text.find(char::is_whitespace).unwrap_or(text.len());
        let (check_type, rest) = text.split_at(type_len);
        let command = arguments.end - rest.trim_start().len()..arguments.end;
        let type_range = arguments.start..arguments.start + type_len;
        if check_type.is_empty() {
            self.check_flags(SyntaxKind::HEALTHCHECK_INSTRUCTION, flags);
            self.missing("HEALTHCHECK needs `CMD` and a command, or `NONE`");
            return;
        }
        if check_type.eq_ignore_ascii_case("NONE") {
            self.file.emitter.token(KEYWORD, type_range.end);
            if !command.is_empty() {
                self.error(
                    Instruction,
                    command.clone(),
                    "HEALTHCHECK NONE takes no arguments".to_owned(),
                    None,
                );
                self.stray(command);
            }
            return;
        }
        self.check_flags(SyntaxKind::HEALTHCHECK_INSTRUCTION, flags);
        self.check_values(flags);
        if !check_type.eq_ignore_ascii_case("CMD") {
            self.error(
                Instruction,
                type_range.clone(),
                format!("`{check_type}` is no type of health check"),
                Some("write `HEALTHCHECK CMD command` or `HEALTHCHECK NONE`".to_owned()),
            );
            self.stray(type_range);
            if !command.is_empty() {
                self.stray(command);
            }
            return;
        }
        self.file.emitter.token(KEYWORD, type_range.end);
        if command.is_empty() {
            self.missing("HEALTHCHECK CMD needs a command");
            return;
        }
        self.file.emitter.token(WHITESPACE, command.start);
        self.command(command);
    }

    fn check_values(&mut self, flags: &[FlagWord]) {
        for flag in flags {
            let Some(value) = flag.value() else { continue };
            let name = flag.name();
            let written = self.text.get(flag.range.clone()).unwrap_or("");
            let value_start = flag.range.start + written.find('=').map_or(0, |at| at + 1);
            let range = value_start..flag.range.end;
            let fault = match name {
                "interval" | "timeout" | "start-period" | "start-interval" if !value.is_empty() => {
                    duration_fault(name, value)
                }
                "retries" if !value.is_empty() => retries_fault(value),
                _ => None,
            };
            if let Some((message, help)) = fault {
                self.error(Instruction, range, message, Some(help));
            }
        }
    }
}

fn duration_fault(name: &str, value: &str) -> Option<(String, String)> {
    match parse_go_duration(value) {
        Err(error) => Some((
            format!("`--{name}={value}`: {error}"),
            "write a number with a unit, such as `30s`, `1m30s` or `500ms`".to_owned(),
        )),
        Ok(nanoseconds) if nanoseconds != 0 && nanoseconds < SHORTEST_NANOSECONDS => Some((
            format!("`--{name}={value}` is shorter than one millisecond"),
            "the shortest value is `1ms`; `0` means the default".to_owned(),
        )),
        Ok(_) => None,
    }
}

fn retries_fault(value: &str) -> Option<(String, String)> {
    let help = "write how many failures in a row make the container unhealthy, such as `3`";
    match value.parse::<i32>() {
        Ok(retries) if retries < 0 => {
            Some(("`--retries` cannot be negative".to_owned(), help.to_owned()))
        }
        Ok(_) => None,
        Err(_) => Some((format!("`--retries={value}` is no number"), help.to_owned())),
    }
}
