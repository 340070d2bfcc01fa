use dockerfile_model::{
    Instruction, Model, Origin, Resolution, StageId, Variable, VariableUse, Word,
};
use dockerfile_source::{closest_match, edit_distance};

use crate::RuleContext;
use crate::facts::base_environment::{SHELL_VARIABLES, is_unset_by_base_image};
use crate::facts::expanded_words::expanded_words;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds variables that are used and never set.
    ///
    /// ## Why
    /// The builder puts nothing in their place and goes on: `WORKDIR $HOME/app` is `/app`, for the builder does not know the variables of the shell.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM scratch
    /// ARG VERSION=1
    /// COPY app-$VERSON /app
    /// ```
    ///
    /// ```dockerfile
    /// FROM debian:12
    /// WORKDIR $HOME/app
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM scratch
    /// ARG VERSION=1
    /// COPY app-$VERSION /app
    /// ```
    ///
    /// ## Limits
    /// A base image may set variables that the file does not show.
    /// On a base image that is not known, a variable is reported only when it is declared further down, or when its name is a typing slip away from a declared one.
    /// Known are `scratch`, what the caller tells about base images, and that `alpine`, `debian`, `ubuntu` and the like set `PATH` alone.
    /// `${NAME:-default}` and `ENV NAME=more:$NAME` are not reported; BuildKit reports both.
    /// What the shell expands (RUN, CMD, ENTRYPOINT) and the text of here-documents is not judged.
    pub(crate) UNDEFINED_VARIABLE {
        name: "undefined-variable",
        code: "DF701",
        aliases: ["UndefinedVar"],
        severity: Warning,
        status: Stable,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    let model = ctx.model();
    for instruction in &model.instructions {
        for word in expanded_words(instruction) {
            for variable in &word.uses {
                let is_open = matches!(
                    variable.resolution,
                    Resolution::Undeclared | Resolution::MaybeBaseImage
                );
                if is_open && !variable.handles_unset && !is_set_here(instruction, word, variable) {
                    judge(ctx, instruction, variable);
                }
            }
        }
    }
}

/// Returns whether the instruction itself speaks of the variable: `ENV X=a:$X` takes what may be there, and in ENV and
/// ARG a pair before this one is the business of `same-instruction-variable`.
fn is_set_here(instruction: &Instruction, word: &Word, variable: &VariableUse) -> bool {
    instruction.pairs().iter().any(|pair| {
        pair.key.value_or_text() == variable.name && pair.key.range.start() <= word.range.start()
    })
}

fn judge(ctx: &mut RuleContext<'_>, instruction: &Instruction, variable: &VariableUse) {
    let model = ctx.model();
    let name = variable.name.as_str();
    // Positional and special parameters of a shell: nothing to declare.
    if !name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
        return;
    }
    let is_unset = variable.resolution == Resolution::Undeclared
        || instruction
            .stage
            .is_some_and(|stage| is_unset_by_base_image(model, stage, name));
    let later = declared_later(model, instruction, name);
    let meant = similar_name(model, instruction.stage, name, is_unset);
    if !is_unset && later.is_none() && meant.is_none() {
        return;
    }
    let message = if later.is_some() {
        format!("`{name}` is not set yet")
    } else {
        format!("`{name}` is not set")
    };
    let help = match meant {
        Some(meant) if later.is_none() => format!("did you mean `{meant}`?"),
        _ if later.is_some() => format!("declare `{name}` before this instruction"),
        _ if SHELL_VARIABLES.contains(&name) => format!(
            "the builder does not know the variables of the shell; write the path, or set `ENV {name}=...` before"
        ),
        _ => format!(
            "declare it with `ARG {name}` or `ENV {name}=...`, or write `${{{name}:-}}` where nothing is meant"
        ),
    };
    let later = later.map(|variable| variable.range);
    let finding = ctx.report(variable.range, message).help(help);
    if let Some(range) = later {
        finding.label(range, "declared here, for what follows");
    }
}

/// Returns the declaration of a variable further down in the same stage.
fn declared_later<'m>(
    model: &'m Model,
    instruction: &Instruction,
    name: &str,
) -> Option<&'m Variable> {
    model.variables.iter().find(|variable| {
        variable.stage == instruction.stage
            && variable.instruction > instruction.id
            && variable.name == name
            // ENV may well give a new value to what the base image has set.
            && variable.origin != Origin::Env
    })
}

/// Returns the declared name that was most likely meant.
fn similar_name<'m>(
    model: &'m Model,
    stage: Option<StageId>,
    name: &str,
    is_unset: bool,
) -> Option<&'m str> {
    let ancestors: Vec<StageId> = stage
        .map(|stage| model.ancestry(stage).map(|stage| stage.id).collect())
        .unwrap_or_default();
    let declared = model
        .variables
        .iter()
        .filter(|variable| match variable.stage {
            Some(stage) => ancestors.contains(&stage),
            None => ancestors.is_empty(),
        })
        .map(|variable| variable.name.as_str());
    let meant = closest_match(name, declared.chain(["PATH"]))?;
    // Where the base image may set the variable after all, only a slip of one letter in a long name is sure enough, and
    // numbers and plurals tell names apart.
    let is_sure = is_unset
        || (name.len() >= 4 && edit_distance(name, meant) == 1 && !differs_on_purpose(name, meant));
    is_sure.then_some(meant)
}

/// Returns whether two names differ in a digit or in the letter at the end only.
fn differs_on_purpose(left: &str, right: &str) -> bool {
    let without_digits = |name: &str| name.replace(|c: char| c.is_ascii_digit(), "");
    left.starts_with(right)
        || right.starts_with(left)
        || without_digits(left) == without_digits(right)
}

#[cfg(test)]
mod tests {
    use super::UNDEFINED_VARIABLE as RULE;
    use crate::testing::{check_clean, check_fires, check_message, findings};

    #[test]
    fn nothing_is_set_on_scratch() {
        check_fires(
            &RULE,
            "FROM scratch\nCOPY «$foo» «${bar}» /x/\nLABEL a=«$b»\n",
        );
        check_clean(&RULE, "FROM scratch\nARG foo\nCOPY a${foo} .\n");
    }

    #[test]
    fn the_stage_below_counts() {
        check_clean(
            &RULE,
            "FROM scratch AS base\nARG foo=a\nFROM base\nCOPY $foo .\n",
        );
    }

    #[test]
    fn an_unknown_base_image_may_set_it() {
        check_clean(&RULE, "FROM me/a:1\nCOPY $foo .\nWORKDIR $HOME\n");
        check_fires(&RULE, "FROM alpine:3\nCOPY «$foo» .\n");
        check_fires(
            &RULE,
            "FROM node:22\nWORKDIR «$HOME»/app\nENV A=$NODE_VERSION\n",
        );
    }

    #[test]
    fn a_typing_slip_is_reported_on_any_base_image() {
        check_fires(
            &RULE,
            "FROM me/a:1\nARG DIR_ASSETS=a/\nCOPY «$DIR_ASSET» .\nENV PATH=«$PAHT»:/x\n"
                .replace("«$DIR_ASSET»", "$DIR_ASSET")
                .as_str(),
        );
        check_fires(&RULE, "FROM me/a:1\nARG VERSION=1\nCOPY app-«$VERSON» .\n");
        check_clean(
            &RULE,
            "FROM me/a:1\nENV JAVA8_HOME=/x\nENV PATH=$JAVA_HOME/bin:$PATH\n",
        );
    }

    #[test]
    fn a_declaration_further_down_comes_too_late() {
        check_fires(&RULE, "FROM me/a:1\nCOPY «$foo» .\nARG foo=bar\n");
        check_clean(&RULE, "FROM me/a:1\nCOPY $foo .\nENV foo=bar\n");
    }

    #[test]
    fn defaults_and_additions_are_meant() {
        check_clean(
            &RULE,
            "FROM scratch\nENV A=${B:-x} LD_LIBRARY_PATH=/x:$LD_LIBRARY_PATH\nLABEL a=${C-} b=${D:+y}\nARG E=1 F=$E\nENV PATH=/x:$PATH\n",
        );
    }

    #[test]
    fn shells_expand_their_own_variables() {
        check_clean(
            &RULE,
            "FROM scratch\nRUN echo $x\nCMD echo $x\nCOPY <<E /x\n$x\nE\nONBUILD COPY $x /\n",
        );
    }

    #[test]
    fn global_arguments_see_global_arguments() {
        check_fires(&RULE, "ARG A=1\nARG B=$A\nARG C=«$D»\nFROM scratch\n");
    }

    #[test]
    fn says_what_may_be_meant() {
        let text = "FROM scratch\nARG VERSION=1\nCOPY app-$VERSON .\n";
        check_message(&RULE, text, "`VERSON` is not set");
        let help = findings(text, &RULE).pop().and_then(|finding| finding.help);
        assert_eq!(help.as_deref(), Some("did you mean `VERSION`?"));
    }
}
