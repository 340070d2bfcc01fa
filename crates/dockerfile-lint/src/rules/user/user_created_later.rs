use dockerfile_model::{Instruction, Keyword, Model};

use super::accounts::{Account, created_accounts, is_number, is_root, user_part, user_range};
use crate::RuleContext;
use crate::rule::declare_rule;

/// Each candidate costs a look at all that stands before it; no file has that many by hand.
const MOST_USERS: usize = 100;

declare_rule! {
    /// ## What it does
    /// Finds USER that stands before the RUN that creates the user.
    ///
    /// ## Why
    /// Each RUN is run by the user in force.
    /// The RUN that should create the user is started as that user, who does not exist yet, and fails.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM debian:12
    /// USER app
    /// RUN useradd app
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM debian:12
    /// RUN useradd app
    /// USER app
    /// ```
    ///
    /// ## Limits
    /// A user that is created only under a condition is not judged, and neither is one that a script or a package may have created before.
    /// On 22,777 public Dockerfiles it never fires: such a file does not build.
    pub(crate) USER_CREATED_LATER {
        name: "user-created-later",
        code: "DF503",
        aliases: [],
        severity: Error,
        status: Stable,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    let model = ctx.model();
    let mut looks_back = 0;
    for stage in &model.stages {
        let instructions = model.stage_instructions(stage.id);
        let mut pending: Option<&Instruction> = None;
        for instruction in instructions {
            match instruction.keyword {
                Keyword::User => pending = Some(instruction).filter(|user| is_candidate(user)),
                Keyword::Run => {
                    let Some(user) = pending else { continue };
                    let created = created_accounts(model, instruction)
                        .find(|account| is_match(account, user));
                    if let Some(account) = created {
                        looks_back += 1;
                        if looks_back > MOST_USERS {
                            return;
                        }
                        if !is_created_before(model, user) {
                            report(ctx, user, &account);
                        }
                        pending = None;
                    }
                }
                _ => {}
            }
        }
    }
}

fn is_candidate(user: &Instruction) -> bool {
    user.value().is_some_and(|word| {
        let name = user_part(word.value_or_text());
        !name.is_empty() && !is_number(name) && !is_root(name)
    })
}

fn is_match(account: &Account<'_>, user: &Instruction) -> bool {
    account.is_certain && user.value().is_some_and(|word| account.is_user(word))
}

/// Returns whether a RUN before USER creates the account as well.
fn is_created_before(model: &Model, user: &Instruction) -> bool {
    let (Some(stage), Some(word)) = (user.stage, user.value()) else {
        return true;
    };
    model.ancestry(stage).any(|ancestor| {
        model
            .stage_instructions(ancestor.id)
            .iter()
            .take_while(|instruction| instruction.id < user.id)
            .flat_map(|instruction| created_accounts(model, instruction))
            .any(|account| account.is_user(word))
    })
}

fn report(ctx: &mut RuleContext<'_>, user: &Instruction, account: &Account<'_>) {
    let Some(word) = user.value() else { return };
    let name = user_part(word.value_or_text());
    ctx.report(
        user_range(word),
        format!("the user `{name}` is created further down"),
    )
    .label(
        account.range,
        "it is created here, by a step that is to run as this very user",
    )
    .help("move USER below the RUN that creates the user");
}

#[cfg(test)]
mod tests {
    use super::USER_CREATED_LATER as RULE;
    use crate::testing::{check_clean, check_fires};

    #[test]
    fn finds_users_who_do_not_exist_yet() {
        check_fires(&RULE, "FROM a\nUSER «app»\nRUN x && useradd -m app\n");
        check_fires(
            &RULE,
            "FROM a\nARG U=app\nUSER «$U»:x\nRUN adduser -D ${U}\n",
        );
        check_fires(&RULE, "FROM a\nARG U\nUSER «$U»\nRUN adduser -D ${U}\n");
    }

    #[test]
    fn users_created_before_are_fine() {
        check_clean(&RULE, "FROM a\nRUN useradd app\nUSER app\nRUN x\n");
        check_clean(
            &RULE,
            "FROM a AS b\nRUN useradd app\nFROM b\nUSER app\nRUN useradd app || true\n",
        );
    }

    #[test]
    fn another_user_in_force_is_fine() {
        check_clean(&RULE, "FROM a\nUSER app\nUSER root\nRUN useradd app\n");
        check_clean(&RULE, "FROM a\nUSER 1000\nRUN useradd app\n");
        check_clean(&RULE, "FROM a\nUSER app\nFROM a\nRUN useradd app\n");
    }

    #[test]
    fn conditions_are_not_judged() {
        check_clean(&RULE, "FROM a\nUSER app\nRUN id app || useradd app\n");
        check_clean(&RULE, "FROM a\nUSER app\nRUN if x; then useradd app; fi\n");
    }
}
