use dockerfile_model::{Command, FileKind, Instruction, Keyword, Stage};
use dockerfile_source::TextRange;

use crate::RuleContext;
use crate::facts::called_program::called_program;
use crate::facts::program_lookup::{
    ShellInForce, base_name_of, is_builtin, is_plain_path, is_program_name, leaf_stages,
    search_path,
};
use crate::facts::stage_files::FilesAt;
use crate::facts::windows::may_be_windows;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds ENTRYPOINT and CMD whose program is not in the image, or cannot be executed.
    ///
    /// ## Why
    /// The build does not look at what the container will start.
    /// `docker run` then fails with "no such file or directory", "executable file not found in $PATH" or "permission denied".
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM alpine:3.22
    /// COPY entrypoint.sh /usr/local/bin/
    /// ENTRYPOINT ["/entrypoint.sh"]
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM alpine:3.22
    /// COPY entrypoint.sh /usr/local/bin/
    /// ENTRYPOINT ["/usr/local/bin/entrypoint.sh"]
    /// ```
    ///
    /// ## Limits
    /// Judges `scratch` and [images in the local store](../image-facts.md).
    /// Silent where a RUN, a COPY of a tree to that place, or a volume may bring the file, unless the text was built and the layers show what is there.
    /// On 22,777 public Dockerfiles, without a store, it fires 4 times: all rightly, once on an image that nobody is meant to start.
    pub(crate) MISSING_START_FILE {
        name: "missing-start-file",
        code: "DF213",
        aliases: [],
        severity: Error,
        status: Stable,
        fix: None,
        check: check,
    }
}

/// What is wrong with a program.
enum Fault {
    /// Nothing is at its path.
    NoFile,
    /// No folder of PATH has it.
    NotInPath,
    NotExecutable,
}

fn check(ctx: &mut RuleContext<'_>) {
    let model = ctx.model();
    for stage in leaf_stages(model) {
        let start = ctx.start_command(Some(stage.id));
        let has_entrypoint_below = model
            .facts_of(stage.id)
            .is_some_and(|facts| facts.entrypoint.is_some());
        // Behind an ENTRYPOINT, CMD is nothing but arguments.
        let counting = match (start.entrypoint, has_entrypoint_below) {
            (Some(entrypoint), _) => Some(entrypoint),
            (None, false) => start.command,
            (None, true) => None,
        };
        if let Some(instruction) = counting.filter(|start| !may_be_windows(model, start)) {
            check_start(ctx, stage, instruction);
        }
    }
}

fn check_start(ctx: &mut RuleContext<'_>, stage: &Stage, start: &Instruction) {
    let model = ctx.model();
    let Some(files) = ctx.files_at(stage.id, stage.end) else {
        return;
    };
    let path = search_path(model, stage.id, stage.end);
    let Some((word, range)) = started_program(start) else {
        return;
    };
    let is_line = matches!(start.command(), Some(Command::Shell(_)));
    if is_line {
        let shell = ShellInForce::new(model, stage.id, None);
        if is_builtin(word) || shell.reads_profiles() || shell.is_missing(&files, path) {
            return;
        }
    }
    if !files.is_complete() || is_in_volume(ctx, stage, word) {
        return;
    }
    let Some(fault) = fault(ctx, &files, stage, word, path) else {
        return;
    };
    let base = base_name_of(model, stage.id);
    let (message, help) = match fault {
        Fault::NoFile => (
            format!("`{word}` is not in the image: {base} does not have it, and nothing adds it"),
            "copy it to this path, or start the path that it has",
        ),
        Fault::NotInPath => (
            format!("no folder of PATH has `{word}`: {base} does not have it, and nothing adds it"),
            "copy it into a folder of PATH, install it, or write its path",
        ),
        Fault::NotExecutable => (
            format!("`{word}` is in the image, but nobody may execute it"),
            "copy it with `--chmod=755`, or name the program that reads it in front",
        ),
    };
    ctx.report(range, message).help(help);
}

/// Returns the first word of what is started.
fn started_program(start: &Instruction) -> Option<(&str, TextRange)> {
    match start.command()? {
        Command::Exec(words, _) => {
            let first = words.first()?;
            Some((&first.value, first.range))
        }
        Command::Shell(script) => {
            let first = script.commands.first()?;
            let is_plain = first.nesting.depth == 0 && first.assignments.is_empty();
            let called = called_program(first).filter(|_| is_plain && !script.has_errors)?;
            Some((called.word.literal()?, called.word.range))
        }
        _ => None,
    }
}

fn fault(
    ctx: &RuleContext<'_>,
    files: &FilesAt<'_, '_>,
    stage: &Stage,
    word: &str,
    path: Option<&str>,
) -> Option<Fault> {
    if is_program_name(word) {
        let is_missing = files.lacks_program(word, path?);
        return is_missing.then_some(Fault::NotInPath);
    }
    let joined;
    let place = if word.starts_with('/') {
        word
    } else {
        joined = format!("{}/{word}", ctx.model().workdir_of_stage(stage.id)?);
        &joined
    };
    if !is_plain_path(place) {
        return None;
    }
    if files.is_missing(place) {
        return Some(Fault::NoFile);
    }
    let kind = files.kind(place)?;
    let is_data = kind
        == FileKind::File {
            is_executable: false,
        };
    is_data.then_some(Fault::NotExecutable)
}

/// Returns whether the program may come with a volume.
fn is_in_volume(ctx: &RuleContext<'_>, stage: &Stage, word: &str) -> bool {
    let volumes = ctx
        .model()
        .ancestry(stage.id)
        .flat_map(|stage| ctx.model().stage_instructions(stage.id))
        .filter(|instruction| instruction.keyword == Keyword::Volume);
    volumes
        .flat_map(Instruction::words)
        .any(|volume| match volume.value.as_deref() {
            Some(folder) => word.starts_with(folder) || !word.starts_with('/'),
            None => true,
        })
}

#[cfg(test)]
mod tests {
    use super::MISSING_START_FILE as RULE;
    use crate::testing::{
        check_clean, check_clean_on_image, check_fires, check_fires_on_image, check_message,
    };

    #[test]
    fn finds_files_that_nothing_brings() {
        check_fires_on_image(
            &RULE,
            "FROM image:1\nCOPY run.sh /app/run.sh\nENTRYPOINT [«\"/run.sh\"»]\n",
        );
        check_fires_on_image(
            &RULE,
            "FROM image:1\nWORKDIR /app\nCOPY a.py .\nCMD [«\"./b\"»]\n",
        );
        check_fires(
            &RULE,
            "FROM scratch\nCOPY a.json /a.json\nENTRYPOINT [«\"/a\"»]\n",
        );
    }

    #[test]
    fn finds_programs_that_are_not_in_path() {
        check_fires_on_image(&RULE, "FROM image:1\nCMD [«\"python3\"», \"a.py\"]\n");
        check_fires_on_image(&RULE, "FROM image:1\nCMD exec «node» server.js\n");
        check_fires_on_image(&RULE, "FROM image:1\nENV PATH=/a:$PATH\nCMD «bash»\n");
    }

    #[test]
    fn finds_files_that_are_no_programs() {
        check_fires_on_image(&RULE, "FROM image:1\nCMD [«\"/etc/passwd\"»]\n");
    }

    #[test]
    fn what_may_be_there_is_fine() {
        for text in [
            "FROM image:1\nCMD [\"/bin/sh\"]\n",
            "FROM image:1\nCMD ls\n",
            "FROM image:1\nCMD echo a\n",
            "FROM image:1\nRUN make install\nCMD [\"/a\"]\n",
            "FROM image:1\nCOPY . /app\nCMD [\"/app/b\"]\n",
            "FROM image:1\nVOLUME /app\nCMD [\"/app/b\"]\n",
            "FROM image:1\nARG P\nENV PATH=$P\nCMD a\n",
            "FROM image:1 AS a\nCMD [\"/b\"]\nFROM a\nCOPY b /\n",
            "FROM image:1\nENTRYPOINT [\"/bin/ls\"]\nCMD [\"b\"]\n",
            "FROM image:1\nCMD [\"$X\"]\nCMD []\n",
        ] {
            check_clean_on_image(&RULE, text);
        }
        check_clean(&RULE, "FROM who/knows\nCMD [\"/a\"]\n");
    }

    #[test]
    fn names_what_does_not_have_it() {
        check_message(
            &RULE,
            "FROM scratch\nCMD [\"/a\"]\n",
            "`/a` is not in the image: `scratch` does not have it, and nothing adds it",
        );
    }
}
