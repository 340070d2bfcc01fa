use dockerfile_model::{Keyword, Resolution};

use crate::RuleContext;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds ENV that uses a variable which the same instruction sets.
    ///
    /// ## Why
    /// All values of one ENV are expanded before any of them is set.
    /// The variable has the value from before the instruction, or none.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM debian:12
    /// ENV APP=/app DATA=$APP/data
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM debian:12
    /// ENV APP=/app
    /// ENV DATA=$APP/data
    /// ```
    ///
    /// ## Limits
    /// `ENV PATH=/app/bin:$PATH` adds to the value from before, and is not reported.
    /// A use in front of the pair that sets the variable is not reported: there the value from before is meant.
    pub(crate) SAME_INSTRUCTION_VARIABLE {
        name: "same-instruction-variable",
        code: "DF702",
        aliases: ["DL3044"],
        severity: Error,
        status: Stable,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    for instruction in ctx.instructions() {
        let pairs = instruction.pairs();
        if instruction.keyword != Keyword::Env || pairs.len() < 2 {
            continue;
        }
        for (idx, pair) in pairs.iter().enumerate() {
            for variable in pair.value.iter().flat_map(|value| &value.uses) {
                let earlier = pairs.get(..idx).unwrap_or(&[]);
                let Some(setter) = earlier
                    .iter()
                    .find(|earlier| earlier.key.value_or_text() == variable.name)
                else {
                    continue;
                };
                let name = &variable.name;
                let message = match variable.resolution {
                    Resolution::Undeclared
                    | Resolution::MaybeBaseImage
                    | Resolution::GlobalOnly(_) => {
                        format!("`{name}` is not set yet: the same ENV sets it")
                    }
                    _ => format!("`{name}` still has the value from before this ENV"),
                };
                ctx.report(variable.range, message)
                    .label(setter.key.range, "takes effect after the instruction")
                    .help("put the pair that uses it into an ENV of its own");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SAME_INSTRUCTION_VARIABLE as RULE;
    use crate::testing::{check_clean, check_fires, check_message};

    #[test]
    fn a_value_is_set_after_the_whole_instruction() {
        check_fires(
            &RULE,
            "FROM a:1\nENV BLA=\"blubb\" BLUBB=\"«$BLA»/$BLAFOO/«${BLA}»\"\n",
        );
        check_fires(&RULE, "ENV PATH=/bla:${PATH} PATH=/blubb:«${PATH}»\n");
        check_fires(&RULE, "FROM a:1\nENV A=1\nENV A=2 B=«${A:-x}»\n");
    }

    #[test]
    fn other_instructions_and_earlier_uses_are_fine() {
        check_clean(
            &RULE,
            "FROM a:1\nENV BLA=\"blubb\"\nENV BLUBB=\"${BLA}/blubb\"\nENV BLA=${BLA}\nENV C=$D D=1\nENV E=1 F=E\nENV A=b B='$A'\n",
        );
    }

    #[test]
    fn pairs_of_arg_are_set_one_after_another() {
        check_clean(&RULE, "FROM a:1\nARG A=1 B=$A\n");
    }

    #[test]
    fn says_which_value_counts() {
        check_message(
            &RULE,
            "FROM a:1\nENV A=1 B=$A\n",
            "`A` is not set yet: the same ENV sets it",
        );
        check_message(
            &RULE,
            "FROM a:1\nENV A=1\nENV A=2 B=$A\n",
            "`A` still has the value from before this ENV",
        );
    }
}
