use std::cell::OnceCell;

use dockerfile_model::{
    Instruction, Keyword, Model, Origin, Resolution, Variable, VariableUse, Word,
};
use dockerfile_source::{Severity, closest_match};
use rustc_hash::FxHashMap;

use crate::RuleContext;
use crate::rule::declare_rule;

/// What BuildKit knows in FROM without a declaration.
const PLATFORM_ARGUMENTS: [&str; 8] = [
    "TARGETPLATFORM",
    "TARGETOS",
    "TARGETARCH",
    "TARGETVARIANT",
    "BUILDPLATFORM",
    "BUILDOS",
    "BUILDARCH",
    "BUILDVARIANT",
];

/// A typing slip is looked for among so many.
const MOST_ARGUMENTS: usize = 64;

declare_rule! {
    /// ## What it does
    /// Finds variables in FROM that no ARG above the first FROM declares.
    ///
    /// ## Why
    /// FROM sees the ARGs above the first FROM, and nothing else: no ENV, and no ARG of a stage.
    /// An undeclared variable is empty there, and no `--build-arg` can fill it.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM alpine:${VERSION}
    /// ```
    /// ```dockerfile
    /// FROM golang:1.25 AS build
    /// ARG VERSION=3.22
    /// FROM alpine:${VERSION}
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// ARG VERSION=3.22
    /// FROM alpine:${VERSION}
    /// ```
    ///
    /// ## Limits
    /// `${VERSION:-3.22}` is reported as well, as a warning: without the ARG the default is all it can ever be.
    /// The platform variables of BuildKit, such as `TARGETARCH`, need no ARG in FROM.
    /// On 22,777 public Dockerfiles it fires 49 times, 28 of them on a variable with a default; all were read, none was wrong.
    pub(crate) UNDEFINED_ARG_IN_FROM {
        name: "undefined-arg-in-from",
        code: "DF114",
        aliases: ["UndefinedArgInFrom"],
        severity: Error,
        status: Stable,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    let model = ctx.model();
    let in_stages = OnceCell::new();
    for instruction in model.instructions_of(Keyword::From) {
        for used in words(instruction).flat_map(|word| &word.uses) {
            if used.resolution == Resolution::Undeclared {
                let in_stages = in_stages.get_or_init(|| first_in_stages(model));
                report(ctx, model, in_stages, instruction, used);
            }
        }
    }
}

/// Returns the words of FROM that the builder expands.
fn words(instruction: &Instruction) -> impl Iterator<Item = &Word> {
    let platform = instruction
        .flag("platform")
        .and_then(|flag| flag.value.as_ref());
    let image = instruction.from().and_then(|from| from.image.as_ref());
    platform.into_iter().chain(image)
}

/// Returns the first variable of each name that a stage declares.
fn first_in_stages(model: &Model) -> FxHashMap<&str, &Variable> {
    let in_stages = model
        .variables
        .iter()
        .filter(|variable| variable.origin != Origin::GlobalArg);
    in_stages
        .rev()
        .map(|variable| (variable.name.as_str(), variable))
        .collect()
}

fn report(
    ctx: &mut RuleContext<'_>,
    model: &Model,
    in_stages: &FxHashMap<&str, &Variable>,
    from: &Instruction,
    used: &VariableUse,
) {
    let name = &used.name;
    let message = if used.handles_unset {
        format!("`{name}` is not declared for FROM, so no build argument can set it")
    } else {
        format!("`{name}` is not declared for FROM, so it is empty")
    };
    let elsewhere = in_stages.get(name.as_str());
    let first_from = model
        .stages
        .first()
        .and_then(|stage| model.instruction(stage.from));
    let finding = ctx
        .report(used.range, message)
        .severity(if used.handles_unset {
            Severity::Warning
        } else {
            Severity::Error
        });
    if let Some(variable) = elsewhere {
        let (label, help) = match variable.origin {
            Origin::Env => (
                format!("FROM sees no ENV: this `{name}` belongs to its stage"),
                format!("declare `ARG {name}=VALUE` above the first `FROM`"),
            ),
            _ if variable.instruction < from.id => (
                format!("this `{name}` belongs to the stage that it stands in"),
                format!("move `ARG {name}` above the first `FROM`"),
            ),
            _ => (
                format!("this `{name}` is declared in the stage, too late for FROM"),
                format!("move `ARG {name}` above the first `FROM`"),
            ),
        };
        finding.help(help).label(variable.range, label);
        return;
    }
    let known = model
        .variables
        .iter()
        .filter(|variable| variable.origin == Origin::GlobalArg)
        .map(|variable| variable.name.as_str())
        .take(MOST_ARGUMENTS)
        .chain(PLATFORM_ARGUMENTS);
    let without_digits = |name: &str| name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let near = closest_match(name, known)
        .filter(|near| name.get(..without_digits(name)) != near.get(..without_digits(near)));
    let finding = match near {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding.help(format!("add `ARG {name}=VALUE` above the first `FROM`")),
    };
    if let Some(first) = first_from.filter(|first| first.id != from.id) {
        finding.label(first.keyword_range, "ARG counts for FROM above this line");
    }
}

#[cfg(test)]
mod tests {
    use super::UNDEFINED_ARG_IN_FROM as RULE;
    use crate::testing::{check_clean, check_fires, findings};

    #[track_caller]
    fn check_help(text: &str, help: &str) {
        let found = findings(text, &RULE);
        let helps: Vec<_> = found
            .iter()
            .filter_map(|found| found.help.as_deref())
            .collect();
        assert_eq!(helps, [help]);
    }

    #[test]
    fn points_at_the_variable() {
        check_fires(
            &RULE,
            "ARG tag=latest\nFROM --platform=linux/«${MYARCH}» busybox:${tag}«${version}» AS b\n",
        );
    }

    #[test]
    fn suggests_the_variable_that_is_meant() {
        check_help(
            "FROM --platform=$BULIDPLATFORM scratch\n",
            "did you mean `BUILDPLATFORM`?",
        );
        check_help(
            "ARG MY_ARCH=amd64\nFROM --platform=linux/${MYARCH} busybox\n",
            "did you mean `MY_ARCH`?",
        );
    }

    #[test]
    fn a_variable_of_a_stage_is_shown() {
        let text = "FROM a:1\nARG V=2\nFROM b:«$V»\n";
        check_fires(&RULE, text);
        check_help(
            "FROM a:1\nARG V=2\nFROM b:$V\n",
            "move `ARG V` above the first `FROM`",
        );
        check_help(
            "FROM a:1\nENV V=2\nFROM b:$V\n",
            "declare `ARG V=VALUE` above the first `FROM`",
        );
    }

    #[test]
    fn declared_and_predefined_variables_are_fine() {
        check_clean(
            &RULE,
            "ARG base=scratch\nARG DEBUG\nFROM $base\nFROM --platform=$BUILDPLATFORM scratch${DEBUG}\nFROM scra${DEBUG:-tch}\n",
        );
    }

    #[test]
    fn a_default_cannot_be_changed_without_a_declaration() {
        check_fires(&RULE, "FROM a:«${V:-1}»\n");
    }
}
