use dockerfile_model::{Command, Instruction, Keyword, Stage, StageId};

use crate::RuleContext;
use crate::facts::program_lookup::{ShellInForce, base_name_of, leaf_stages, search_path};
use crate::facts::windows::may_be_windows;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds command lines for a shell in an image that has none.
    ///
    /// ## Why
    /// RUN, CMD, ENTRYPOINT and HEALTHCHECK without `[...]` are given to a shell, `/bin/sh` or the one that SHELL names.
    /// `scratch` and images such as `distroless` have no shell: the build or the start of the container fails with "no such file or directory".
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM scratch
    /// COPY server.bin /server.bin
    /// ENTRYPOINT /server.bin --port 80
    /// ```
    ///
    /// ```dockerfile
    /// FROM alpine:3.22
    /// SHELL ["/bin/bash", "-c"]
    /// RUN echo hello
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM scratch
    /// COPY server.bin /server.bin
    /// ENTRYPOINT ["/server.bin", "--port", "80"]
    /// ```
    ///
    /// ```dockerfile
    /// FROM alpine:3.22
    /// RUN echo hello
    /// ```
    ///
    /// ## Limits
    /// Judges `scratch`, images of `distroless` without `debug` in the tag, and [images in the local store](../image-facts.md).
    /// Silent behind anything that may have put the shell there: a COPY to its folder or of a whole tree, a RUN.
    /// Of several RUN in a stage the first one is reported.
    /// On 22,777 public Dockerfiles, without a store, it fires 20 times; all were read, none is wrong, and most are test cases of other linters.
    pub(crate) MISSING_SHELL {
        name: "missing-shell",
        code: "DF955",
        aliases: [],
        severity: Error,
        status: Stable,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    let model = ctx.model();
    let mut reported: Option<StageId> = None;
    for instruction in model.instructions_of(Keyword::Run) {
        let Some(stage) = instruction.stage.filter(|stage| reported != Some(*stage)) else {
            continue;
        };
        let needs_shell = needs_shell(instruction);
        if !needs_shell || may_be_windows(model, instruction) {
            continue;
        }
        let Some(files) = ctx.files_at(stage, instruction.id) else {
            continue;
        };
        let shell = ShellInForce::new(model, stage, Some(instruction.id));
        if shell.is_missing(&files, search_path(model, stage, instruction.id)) {
            reported = Some(stage);
            report(ctx, instruction, &shell, stage);
        }
    }
    for stage in leaf_stages(model) {
        check_starts(ctx, stage);
    }
}

fn check_starts(ctx: &mut RuleContext<'_>, stage: &Stage) {
    let model = ctx.model();
    let start = ctx.start_command(Some(stage.id));
    let healthcheck = model.last_of_stage(Keyword::Healthcheck, stage.id);
    let has_entrypoint_below = model
        .facts_of(stage.id)
        .is_some_and(|facts| facts.entrypoint.is_some());
    // Behind an ENTRYPOINT, CMD is nothing but arguments.
    let command = start
        .command
        .filter(|_| start.entrypoint.is_none() && !has_entrypoint_below);
    let starts: Vec<&Instruction> = [start.entrypoint, command, healthcheck]
        .into_iter()
        .flatten()
        .filter(|instruction| needs_shell(instruction) && !may_be_windows(model, instruction))
        .collect();
    if starts.is_empty() {
        return;
    }
    let Some(files) = ctx.files_at(stage.id, stage.end) else {
        return;
    };
    let shell = ShellInForce::new(model, stage.id, None);
    if shell.is_missing(&files, search_path(model, stage.id, stage.end)) {
        for instruction in starts {
            report(ctx, instruction, &shell, stage.id);
        }
    }
}

/// Returns whether a shell is given the command line: no array, and no here-document that names its own interpreter.
fn needs_shell(instruction: &Instruction) -> bool {
    match instruction.command() {
        Some(Command::Shell(script)) => {
            let text = script.text.trim_start();
            // Broken JSON is the finding of `single-quoted-json`.
            !text.is_empty() && !text.starts_with(['[', '{', '<']) && !text.starts_with("#!")
        }
        _ => false,
    }
}

fn report(
    ctx: &mut RuleContext<'_>,
    instruction: &Instruction,
    shell: &ShellInForce<'_>,
    stage: StageId,
) {
    let base = base_name_of(ctx.model(), stage);
    let finding = ctx.report(
        instruction.keyword_range,
        format!(
            "{} needs the shell `{}`, which {base} does not have",
            instruction.keyword_text, shell.program
        ),
    );
    let finding = match shell.declared {
        Some(word) => finding.label(word.range, "this names the shell"),
        None => finding,
    };
    finding.help(if instruction.keyword == Keyword::Run {
        "do this in a stage on another image, and copy what comes out of it"
    } else {
        "write the program and its arguments as an array: `[\"program\", \"argument\"]`"
    });
}

#[cfg(test)]
mod tests {
    use super::MISSING_SHELL as RULE;
    use crate::testing::{
        check_clean, check_clean_on_image, check_fires, check_fires_on_image, check_message,
    };

    #[test]
    fn scratch_and_distroless_have_no_shell() {
        check_fires(&RULE, "FROM scratch\n«RUN» echo a\nRUN echo b\n");
        check_fires(&RULE, "FROM gcr.io/distroless/static\n«CMD» ./a --b\n");
        check_fires(
            &RULE,
            "FROM scratch AS a\nCOPY a.json /a.json\nFROM a\nHEALTHCHECK CMD [\"/a\"]\n«ENTRYPOINT» /a\nCMD b\n",
        );
        check_fires(&RULE, "FROM scratch\n«HEALTHCHECK» CMD a\n");
    }

    #[test]
    fn the_shell_of_the_file_may_be_missing() {
        check_fires_on_image(
            &RULE,
            "FROM image:1\nRUN ls\nSHELL [\"bash\", \"-c\"]\n«RUN» ls\nFROM image:1\nSHELL [\"/bin/zsh\"]\n«CMD» a\n",
        );
        check_clean_on_image(&RULE, "FROM image:1\nRUN ls\nCMD ls\n");
        check_clean_on_image(
            &RULE,
            "FROM image:1\nRUN apk add bash\nSHELL [\"/bin/bash\", \"-c\"]\nRUN ls\n",
        );
    }

    #[test]
    fn what_may_bring_a_shell_does() {
        for text in [
            "FROM scratch\nADD rootfs.tar /\nRUN a\n",
            "FROM scratch\nCOPY --from=b / /\nCMD a\n",
            "FROM scratch\nCOPY --from=busybox /bin/sh /bin/sh\nRUN a\n",
            "FROM gcr.io/distroless/base:debug\nRUN a\n",
            "FROM scratch\nRUN [\"/a\"]\nRUN b\n",
            "FROM scratch\nCMD [\"/a\"]\n",
            "FROM who/knows\nRUN a\n",
        ] {
            check_clean(&RULE, text);
        }
    }

    #[test]
    fn names_the_shell_and_the_image() {
        check_message(
            &RULE,
            "FROM scratch\nCMD a\n",
            "CMD needs the shell `/bin/sh`, which `scratch` does not have",
        );
    }
}
