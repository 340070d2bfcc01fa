use dockerfile_model::{Base, Instruction, InstructionId, Keyword, Model, SmolStr, StageId};
use dockerfile_source::closest_match;

use super::accounts::{created_accounts, is_number, user_part, user_range};
use crate::RuleContext;
use crate::facts::known_images::{KnownImage, known_image};
use crate::facts::privilege::for_each_text;
use crate::rule::declare_rule;

/// Programs that may create any account: they run what the file does not show.
const OPAQUE_PROGRAMS: &[&str] = &[
    ".",
    "ansible-playbook",
    "bash",
    "chef-client",
    "chef-solo",
    "chroot",
    "cp",
    "dpkg",
    "make",
    "mv",
    "perl",
    "puppet",
    "python",
    "python3",
    "rpm",
    "rsync",
    "salt-call",
    "sed",
    "sh",
    "source",
    "tar",
    "unzip",
    "zsh",
];

/// Each USER costs a look at all that stands before it; no file has that many by hand.
const MOST_USERS: usize = 20;

declare_rule! {
    /// ## What it does
    /// Finds USER with a name that nothing creates, on a base image that is known not to have it.
    ///
    /// ## Why
    /// Names are looked up in `/etc/passwd` of the image when a step or the container starts.
    /// The instruction itself succeeds; the next RUN, or `docker run`, fails with "unable to find user".
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM python:3.13
    /// COPY app.py .
    /// USER appuser
    /// CMD ["python", "app.py"]
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM python:3.13
    /// RUN useradd appuser
    /// COPY app.py .
    /// USER appuser
    /// CMD ["python", "app.py"]
    /// ```
    ///
    /// ## Limits
    /// Judges official images whose accounts are known, `scratch`, files without FROM, and [images in the local store](../image-facts.md), of which it reads `/etc/passwd`.
    /// Silent as soon as any command mentions the name, a script from elsewhere runs, or something is copied to `/` or `/etc`.
    /// On 22,777 public Dockerfiles it fires 25 times, mostly in examples of what not to do; none is wrong.
    pub(crate) UNKNOWN_USER {
        name: "unknown-user",
        code: "DF502",
        aliases: [],
        severity: Warning,
        status: Stable,
        fix: None,
        check: check,
    }
}

/// What accounts there are before the file adds any.
enum Accounts<'c> {
    None,
    Of(KnownImage),
    /// Somebody has looked: these, after this instruction.
    Exact(&'c [SmolStr], Option<InstructionId>),
}

fn check(ctx: &mut RuleContext<'_>) {
    let model = ctx.model();
    for instruction in model.instructions_of(Keyword::User).take(MOST_USERS) {
        let Some(word) = instruction.value() else {
            continue;
        };
        let Some(user) = word.value.as_deref().map(user_part) else {
            continue;
        };
        let is_name = !user.is_empty()
            && !is_number(user)
            && user
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
        if !is_name {
            continue;
        }
        let exact = exact_accounts(ctx, instruction);
        let Some((accounts, base)) = exact.or_else(|| accounts_of_base(model, instruction.stage))
        else {
            continue;
        };
        let is_known = match &accounts {
            // The runtime takes `root` for 0 without looking it up only where there is no passwd at all.
            Accounts::None => user == "root",
            Accounts::Of(image) => image.has_user(user),
            Accounts::Exact(names, _) => names.iter().any(|name| name == user),
        };
        let seen = match &accounts {
            Accounts::Exact(_, seen) => *seen,
            _ => None,
        };
        if is_known || may_create(model, instruction, user, seen) {
            continue;
        }
        let message = match base {
            Some(base) => {
                format!("nothing creates the user `{user}`, and `{base}` has none of that name")
            }
            None => format!("nothing in this file creates the user `{user}`"),
        };
        let meant = meant_account(model, instruction, user);
        let help = match accounts {
            _ if meant.is_some() => format!("did you mean `{}`?", meant.unwrap_or_default()),
            Accounts::None if base == Some("scratch") => format!(
                "write a number, such as `USER 1000`, or copy an `/etc/passwd` that names `{user}`"
            ),
            _ => format!(
                "create it above, such as `RUN useradd {user}` (Alpine: `RUN adduser -D {user}`), or write a number"
            ),
        };
        let range = user_range(word);
        ctx.report(range, message).help(help);
    }
}

/// Returns the accounts that the image certainly has, or what was built of it.
fn exact_accounts<'c>(
    ctx: &RuleContext<'c>,
    user: &Instruction,
) -> Option<(Accounts<'c>, Option<&'c str>)> {
    let model = ctx.model();
    let stage = user.stage?;
    let Base::Image(name) = model.root_base(stage)? else {
        return None;
    };
    let has_triggers = model
        .facts_of(stage)
        .is_none_or(|facts| !facts.triggers.is_empty());
    let files = ctx.files_at(stage, user.id)?;
    if has_triggers || !files.is_complete() {
        return None;
    }
    let names = files.tree().users()?;
    let accounts = Accounts::Exact(names, files.built_until());
    Some((accounts, Some(name.as_str())))
}

fn accounts_of_base(model: &Model, stage: Option<StageId>) -> Option<(Accounts<'_>, Option<&str>)> {
    let Some(stage) = stage else {
        // A fragment, such as a tutorial shows: it creates the user or nobody does.
        return model.stages.is_empty().then_some((Accounts::None, None));
    };
    match model.root_base(stage)? {
        Base::Scratch => Some((Accounts::None, Some("scratch"))),
        Base::Image(name) => Some((Accounts::Of(known_image(name)?), Some(name.as_str()))),
        _ => None,
    }
}

/// Returns a user that the file creates before USER under a name like this one.
fn meant_account<'m>(model: &'m Model, user: &Instruction, name: &str) -> Option<&'m str> {
    let created = model
        .ancestry(user.stage?)
        .flat_map(|stage| model.stage_instructions(stage.id))
        .filter(|instruction| instruction.id < user.id)
        .flat_map(|instruction| created_accounts(model, instruction))
        .filter_map(|account| account.name);
    closest_match(name, created)
}

/// Returns whether something before USER may create the account; what stands up to `seen` was looked at already.
fn may_create(model: &Model, user: &Instruction, name: &str, seen: Option<InstructionId>) -> bool {
    let Some(stage) = user.stage else {
        return model.instructions.iter().any(|instruction| {
            instruction.id != user.id && may_create_here(model, instruction, name)
        });
    };
    model.ancestry(stage).any(|ancestor| {
        model
            .stage_instructions(ancestor.id)
            .iter()
            .filter(|instruction| seen.is_none_or(|seen| instruction.id > seen))
            .any(|instruction| may_create_here(model, instruction, name))
    })
}

fn may_create_here(model: &Model, instruction: &Instruction, name: &str) -> bool {
    match instruction.keyword {
        Keyword::Run => run_may_create(model, instruction, name),
        Keyword::Copy | Keyword::Add => {
            let Some(copy) = instruction.copy() else {
                return true;
            };
            let Some(destination) = copy
                .destination
                .as_ref()
                .and_then(|word| word.value.as_deref())
            else {
                return true;
            };
            let is_passwd = |path: &str| path.contains("passwd");
            destination == "/"
                || destination == "/etc"
                || destination.starts_with("/etc/")
                || is_passwd(destination)
                || copy
                    .sources
                    .iter()
                    .any(|source| is_passwd(source.value_or_text()))
        }
        _ => false,
    }
}

fn run_may_create(model: &Model, instruction: &Instruction, name: &str) -> bool {
    let mut is_mentioned = false;
    for_each_text(instruction, &mut |text| {
        is_mentioned = is_mentioned || mentions(text, name) || text.contains("passwd");
    });
    if is_mentioned {
        return true;
    }
    if created_accounts(model, instruction)
        .any(|account| account.name.is_none_or(|created| created == name))
    {
        return true;
    }
    // What cannot be read may do anything.
    let mut is_read = false;
    for script in instruction.scripts() {
        is_read = true;
        for command in &script.commands {
            if command.words.is_empty() {
                continue;
            }
            let Some(word) = command.words.first().and_then(|word| word.literal()) else {
                return true;
            };
            let is_opaque = (word.contains('/')
                && !word.starts_with("/usr/")
                && !word.starts_with("/bin/")
                && !word.starts_with("/sbin/"))
                || word.ends_with(".sh")
                || OPAQUE_PROGRAMS.binary_search(&word).is_ok();
            if is_opaque {
                return true;
            }
        }
        if script.has_errors {
            return true;
        }
    }
    !is_read
}

/// Returns whether a name stands in a text other than as a part of a path: a package of that name may create the user.
fn mentions(text: &str, name: &str) -> bool {
    // The package `quassel-core` creates `quasselcore`.
    if text.replace('-', "").contains(name) && !text.contains(name) {
        return true;
    }
    text.match_indices(name)
        .any(|(at, _)| !text.get(..at).is_some_and(|before| before.ends_with('/')))
}

#[cfg(test)]
mod tests {
    use super::UNKNOWN_USER as RULE;
    use crate::testing::{
        check_clean, check_clean_on_image, check_fires, check_fires_on_image, check_message,
        findings,
    };

    #[test]
    fn finds_names_that_nobody_creates() {
        check_fires(
            &RULE,
            "FROM python:3.13\nRUN pip install flask && mkdir -p /usr/src/app\nUSER «app»:app\n",
        );
        check_fires(&RULE, "FROM alpine:3.22 AS a\nFROM a\nUSER «www-data»\n");
        check_fires(&RULE, "FROM scratch\nUSER «nobody»\n");
        check_fires(&RULE, "FROM debian\nARG U=app\nUSER «$U»\n");
    }

    #[test]
    fn suggests_the_user_that_is_created() {
        for text in [
            "FROM debian\nRUN useradd -m appuser\nUSER apuser\n",
            "FROM debian\nRUN adduser --disabled-password Appuser\nUSER appuser\n",
        ] {
            let found = findings(text, &RULE);
            let help = found.first().and_then(|found| found.help.as_deref());
            assert!(
                help.is_some_and(|help| help.starts_with("did you mean")),
                "{found:?}"
            );
        }
    }

    #[test]
    fn a_fragment_is_judged_by_itself() {
        check_fires(&RULE, "USER «appuser»\n");
        check_message(
            &RULE,
            "USER appuser\n",
            "nothing in this file creates the user `appuser`",
        );
        check_clean(&RULE, "RUN useradd appuser\nUSER appuser\n");
    }

    #[test]
    fn an_image_that_somebody_has_looked_at_is_known_exactly() {
        check_fires_on_image(&RULE, "FROM image:1\nUSER root\nUSER «www-data»\n");
        check_clean_on_image(&RULE, "FROM image:1\nUSER nobody\n");
        check_clean_on_image(&RULE, "FROM image:1\nRUN adduser -D app\nUSER app\n");
        check_clean_on_image(&RULE, "FROM image:1\nRUN ./setup\nUSER app\n");
    }

    #[test]
    fn users_of_the_image_and_numbers_are_fine() {
        check_clean(
            &RULE,
            "FROM node:22\nUSER node\nUSER root\nUSER 1000\nUSER nobody\nUSER $X\n",
        );
    }

    #[test]
    fn created_users_are_fine() {
        check_clean(
            &RULE,
            "FROM debian AS a\nRUN useradd app\nFROM a\nUSER app\n",
        );
        check_clean(&RULE, "FROM debian\nARG N=app\nRUN useradd $N\nUSER app\n");
        check_clean(
            &RULE,
            "FROM debian\nRUN echo 'app:x:1:1::/:' >> /etc/passwd\nUSER app\n",
        );
        check_clean(
            &RULE,
            "FROM scratch\nCOPY --from=b /etc/passwd /etc/passwd\nUSER app\n",
        );
        check_clean(
            &RULE,
            "FROM debian\nRUN apt-get install -y postgresql\nUSER postgres\n",
        );
    }

    #[test]
    fn what_cannot_be_seen_may_create_it() {
        check_clean(&RULE, "FROM debian\nRUN ./setup\nUSER app\n");
        check_clean(&RULE, "FROM debian\nRUN curl x | sh\nUSER app\n");
        check_clean(&RULE, "FROM debian\nRUN [\"setup\"]\nUSER app\n");
        check_clean(&RULE, "FROM debian\nCOPY rootfs /\nUSER app\n");
        check_clean(&RULE, "FROM somebody/base\nUSER app\n");
    }
}
