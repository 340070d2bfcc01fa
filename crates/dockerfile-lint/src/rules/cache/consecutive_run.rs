use dockerfile_model::{Command, Instruction, Keyword};

use crate::RuleContext;
use crate::facts::blocks::blocks;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds RUN of one command that follows another RUN of one command.
    ///
    /// ## Why
    /// Every RUN makes a layer, and what a later one deletes stays in the earlier one.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM debian:12
    /// RUN wget https://example.com/a.tar.gz
    /// RUN tar -xzf a.tar.gz
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM debian:12
    /// RUN wget https://example.com/a.tar.gz && tar -xzf a.tar.gz
    /// ```
    ///
    /// ## Limits
    /// A matter of taste: separate RUN are cached one by one, which is often what is wanted, above all in stages that are thrown away.
    /// RUN with different flags, and RUN of several commands, are not reported.
    /// On 22,777 public Dockerfiles it fires 22,764 times, which is why it is off.
    pub(crate) CONSECUTIVE_RUN {
        name: "consecutive-run",
        code: "DF406",
        aliases: ["DL3059"],
        severity: Info,
        status: OptIn,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    for block in blocks(ctx.model()) {
        for pair in block.windows(2) {
            let [first, second] = pair else { continue };
            let (first, second) = (effective(first), effective(second));
            if first.is_trigger == second.is_trigger
                && is_one_command(first)
                && is_one_command(second)
                && have_same_flags(first, second)
            {
                ctx.report(
                    second.keyword_range,
                    format!("`{}` follows another RUN directly", second.keyword_text),
                )
                .label(first.keyword_range, "the first of them")
                .help("join the two with `&&`");
            }
        }
    }
}

/// Returns the instruction itself, or the one behind ONBUILD.
fn effective(instruction: &Instruction) -> &Instruction {
    instruction.trigger().unwrap_or(instruction)
}

fn is_one_command(instruction: &Instruction) -> bool {
    if instruction.keyword != Keyword::Run || !instruction.heredocs.is_empty() {
        return false;
    }
    match instruction.command() {
        Some(Command::Shell(script)) => script.is_simple,
        Some(Command::Exec(..)) => true,
        _ => false,
    }
}

fn have_same_flags(first: &Instruction, second: &Instruction) -> bool {
    let flags = |instruction: &Instruction| {
        let mut flags: Vec<_> = instruction
            .flags
            .iter()
            .map(|flag| {
                (
                    flag.name.clone(),
                    flag.value.as_ref().map(|value| value.text.clone()),
                )
            })
            .collect();
        flags.sort();
        flags
    };
    first.flags.len() == second.flags.len() && flags(first) == flags(second)
}

#[cfg(test)]
mod tests {
    use super::CONSECUTIVE_RUN as RULE;
    use crate::testing::{check_clean, check_fires, check_message};

    #[test]
    fn fires_on_single_commands_in_a_row() {
        check_fires(
            &RULE,
            "FROM a:1\nRUN /foo.sh\n# a comment\n«RUN» /bar.sh\n«RUN» baz\n",
        );
        check_fires(
            &RULE,
            "RUN --mount=type=secret,id=a a\n«RUN» --mount=type=secret,id=a b\n",
        );
        check_fires(&RULE, "FROM a:1\nONBUILD RUN a\nONBUILD «RUN» b\n");
    }

    #[test]
    fn lists_other_flags_and_other_instructions_between_are_fine() {
        check_clean(
            &RULE,
            "FROM a:1\nRUN a\nRUN b; c\nRUN d && e\nRUN --mount=type=secret,id=a f\nRUN g\nENV A=b\nRUN h\nFROM b:1\nRUN i\n",
        );
    }

    #[test]
    fn names_the_instruction() {
        check_message(
            &RULE,
            "FROM a:1\nRUN a\nRUN b\n",
            "`RUN` follows another RUN directly",
        );
    }
}
