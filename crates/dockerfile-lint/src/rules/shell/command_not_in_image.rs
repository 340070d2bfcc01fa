use dockerfile_model::{
    Command, Instruction, InstructionId, Join, Keyword, Resolution, RunMount, Script, ShellCommand,
    StageId,
};
use dockerfile_source::TextRange;

use crate::RuleContext;
use crate::facts::program_lookup::{
    ShellInForce, base_name_of, is_builtin, is_plain_path, is_program_name, leaf_stages,
    search_path,
};
use crate::facts::run_effect::{RunEffect, command_effect};
use crate::facts::stage_files::FilesAt;
use crate::facts::windows::may_be_windows;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds RUN and HEALTHCHECK that call a program which the image does not have.
    ///
    /// ## Why
    /// The build fails with "not found", or the container counts as unhealthy for ever.
    /// Small images hold few programs: `alpine` has no `curl` and no `bash`, `debian:slim` has no `wget`.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM alpine:3.22
    /// HEALTHCHECK CMD curl -f http://localhost/ || exit 1
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM alpine:3.22
    /// HEALTHCHECK CMD wget -q -O /dev/null http://localhost/ || exit 1
    /// ```
    ///
    /// ## Limits
    /// Judges `scratch` and [images in the local store](../image-facts.md).
    /// Silent behind anything that may have installed the program: a RUN or a command that does more than make folders and accounts, a COPY into a folder of PATH; unless the text was built up to there and the layers show what is there.
    /// A command in a branch, behind `||` or before it is not judged.
    pub(crate) COMMAND_NOT_IN_IMAGE {
        name: "command-not-in-image",
        code: "DF954",
        aliases: [],
        severity: Error,
        status: Stable,
        fix: None,
        check: check,
    }
}

/// Commands of one script that are looked at.
const MOST_COMMANDS: usize = 256;

/// What a program is looked for in.
struct Place<'f, 'c> {
    stage: StageId,
    files: FilesAt<'f, 'c>,
    path: &'c str,
}

fn check(ctx: &mut RuleContext<'_>) {
    let model = ctx.model();
    for instruction in model.instructions_of(Keyword::Run) {
        if let Some(stage) = instruction.stage {
            check_instruction(ctx, instruction, stage, instruction.id);
        }
    }
    for stage in leaf_stages(model) {
        if let Some(healthcheck) = model.last_of_stage(Keyword::Healthcheck, stage.id) {
            check_instruction(ctx, healthcheck, stage.id, stage.end);
        }
    }
}

fn check_instruction(
    ctx: &mut RuleContext<'_>,
    instruction: &Instruction,
    stage: StageId,
    at: InstructionId,
) {
    let model = ctx.model();
    let Some(path) = search_path(model, stage, at) else {
        return;
    };
    let Some(files) = ctx.files_at(stage, at).filter(FilesAt::is_complete) else {
        return;
    };
    if instruction
        .mounts()
        .any(|mount| may_bring_programs(mount, path))
        || may_be_windows(model, instruction)
    {
        return;
    }
    let place = Place { stage, files, path };
    let found = match instruction.command() {
        Some(Command::Exec(words, _)) => words.first().and_then(|word| {
            is_missing(&place, &word.value).then(|| (word.value.as_str(), word.range))
        }),
        Some(Command::Shell(script)) => {
            let is_end = at != instruction.id;
            let shell = ShellInForce::new(model, stage, (!is_end).then_some(at));
            let is_plain = !shell.reads_profiles()
                && !shell.is_missing(&place.files, Some(path))
                // Bash reads the file that it names.
                && !is_set(ctx, "BASH_ENV", stage, at);
            is_plain.then(|| first_missing(&place, script)).flatten()
        }
        _ => None,
    };
    if let Some((word, range)) = found {
        report(ctx, &place, word, range);
    }
}

/// Returns whether a mount may hold programs, or hide them.
fn may_bring_programs(mount: &RunMount, path: &str) -> bool {
    if matches!(mount.mount_type().as_str(), "secret" | "ssh") {
        return false;
    }
    let Some(target) = mount.target().filter(|target| target.starts_with('/')) else {
        return true;
    };
    let target = target.trim_end_matches('/');
    let covers = |one: &str, other: &str| {
        let behind = other.strip_prefix(one);
        behind.is_some_and(|behind| behind.is_empty() || behind.starts_with('/'))
    };
    path.split(':')
        .any(|folder| covers(target, folder) || covers(folder, target))
}

fn is_set(ctx: &RuleContext<'_>, name: &str, stage: StageId, at: InstructionId) -> bool {
    let resolution = ctx.model().resolve(name, at, Some(stage));
    matches!(resolution, Resolution::Declared(_) | Resolution::BaseImage)
}

fn is_missing(place: &Place<'_, '_>, word: &str) -> bool {
    if is_program_name(word) {
        return place.files.lacks_program(word, place.path);
    }
    is_plain_path(word) && place.files.is_missing(word)
}

/// Returns the first command of a script whose program is missing, up to one that may install anything.
fn first_missing<'s>(place: &Place<'_, '_>, script: &'s Script) -> Option<(&'s str, TextRange)> {
    if script.has_errors || script.text.starts_with("#!") {
        return None;
    }
    for (position, command) in script.commands.iter().enumerate().take(MOST_COMMANDS) {
        if is_judged(script, position, command)
            && let Some(word) = command.words.first()
            && let Some(name) = word.literal().filter(|_| !word.is_quoted)
            && !is_builtin(name)
            && !is_function(script, name)
            && is_missing(place, name)
        {
            return Some((name, word.range));
        }
        let effect = command_effect(command);
        if effect == RunEffect::Anything || sets_path(command) {
            return None;
        }
        // What is written may be the very file that a path names.
        if effect == RunEffect::NoProgram
            && script
                .commands
                .get(position + 1)
                .and_then(|next| next.words.first())
                .is_some_and(|word| word.value().contains('/'))
        {
            return None;
        }
    }
    None
}

/// Returns whether a command always runs, and must go well.
fn is_judged(script: &Script, position: usize, command: &ShellCommand) -> bool {
    let nesting = command.nesting;
    let is_certain = !nesting.conditional
        && !nesting.condition
        && !nesting.function
        && !nesting.substitution
        && !command.is_negated
        && command.join != Join::Or
        && command.assignments.iter().all(|one| one.name != "PATH");
    let next = script.commands.get(position + 1);
    let has_way_out =
        next.is_some_and(|next| next.join == Join::Or && !next.is(&["exit", "false"]));
    is_certain && !has_way_out
}

fn is_function(script: &Script, name: &str) -> bool {
    script.text.contains(&format!("{name}("))
        || script.text.contains(&format!("{name} ("))
        || script.text.contains(&format!("function {name}"))
}

fn sets_path(command: &ShellCommand) -> bool {
    command.assignments.iter().any(|one| one.name == "PATH")
        || (command.is(&["export"])
            && command
                .arguments()
                .iter()
                .any(|word| word.text.starts_with("PATH=")))
}

fn report(ctx: &mut RuleContext<'_>, place: &Place<'_, '_>, word: &str, range: TextRange) {
    let base = base_name_of(ctx.model(), place.stage);
    let is_there = |path: &str| place.files.tree().exists(path) == Some(true);
    let installers = [
        ("/sbin/apk", "apk add --no-cache"),
        ("/usr/bin/apt-get", "apt-get update && apt-get install -y"),
        ("/usr/bin/microdnf", "microdnf install -y"),
        ("/usr/bin/dnf", "dnf install -y"),
        ("/usr/bin/yum", "yum install -y"),
    ];
    let installer = installers.iter().find(|(path, _)| is_there(path));
    let help = match installer {
        Some((_, line)) if !word.contains('/') => {
            format!("install the package that has it, with `RUN {line} ...`")
        }
        _ => "use a program that the image has, or copy this one from another image".to_owned(),
    };
    ctx.report(
        range,
        format!("{base} has no `{word}`, and nothing above installs it"),
    )
    .help(help);
}

#[cfg(test)]
mod tests {
    use super::COMMAND_NOT_IN_IMAGE as RULE;
    use crate::testing::{check_clean, check_clean_on_image, check_fires_on_image};

    #[test]
    fn finds_programs_that_the_image_does_not_have() {
        check_fires_on_image(&RULE, "FROM image:1\nRUN «curl» -O x && make\n");
        check_fires_on_image(&RULE, "FROM image:1\nRUN [«\"bash\"», \"-c\", \"x\"]\n");
        check_fires_on_image(&RULE, "FROM image:1\nRUN ls && «/usr/bin/env» x\n");
        check_fires_on_image(&RULE, "FROM image:1\nRUN mkdir -p /a && «sudo» x\n");
        check_fires_on_image(
            &RULE,
            "FROM image:1\nENV PATH=/a:$PATH\nHEALTHCHECK CMD «curl» -f x || exit 1\n",
        );
    }

    #[test]
    fn what_may_be_there_is_fine() {
        for text in [
            "FROM image:1\nRUN wget x; ls; sh -c y\n",
            "FROM image:1\nRUN wget x | sh && curl x\n",
            "FROM image:1\nRUN apk add curl && curl x\nRUN curl y\n",
            "FROM image:1\nRUN wget x\nRUN curl y\n",
            "FROM image:1\nCOPY tools /usr/local/bin/\nRUN curl y\n",
            "FROM image:1\nRUN curl x || wget x\nRUN if ls; then curl; fi\nRUN ! curl\n",
            "FROM image:1\nRUN f() { ls; }; f\n",
            "FROM image:1\nRUN PATH=/a:$PATH curl\nRUN export PATH=/b; curl\n",
            "FROM image:1\nRUN . ./env && curl\nRUN $CURL x\n",
            "FROM image:1\nSHELL [\"/bin/sh\", \"-lc\"]\nRUN curl\n",
            "FROM image:1\nRUN --mount=type=bind,target=/usr/local/bin curl\n",
            "FROM image:1\nENV BASH_ENV=/x\nRUN nvm\n",
            "FROM image:1\nRUN touch /a.sh && /a.sh\n",
            "FROM image:1\nONBUILD RUN curl\n",
            "FROM image:1 AS a\nHEALTHCHECK CMD curl x\nFROM a\nRUN apk add curl\n",
        ] {
            check_clean_on_image(&RULE, text);
        }
        check_clean(&RULE, "FROM who/knows\nRUN curl\n");
    }
}
