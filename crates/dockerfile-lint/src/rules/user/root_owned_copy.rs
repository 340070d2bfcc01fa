use dockerfile_model::{Instruction, Keyword, Word};
use dockerfile_source::TextEdit;

use super::accounts::{is_root, user_part};
use crate::RuleContext;
use crate::facts::windows::may_be_windows;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds COPY and ADD without `--chown` behind a USER that is not root.
    ///
    /// ## Why
    /// USER changes who runs RUN, CMD and ENTRYPOINT, but not whose files COPY makes: they belong to root.
    /// The program can read them, but not write them, and a later RUN cannot change or remove them.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM node:22
    /// USER node
    /// COPY . /app
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM node:22
    /// USER node
    /// COPY --chown=node . /app
    /// ```
    ///
    /// ## Fix
    /// Unsafe: adds `--chown` with the user in force; the files belong to that user then.
    ///
    /// ## Limits
    /// Files that the program only reads are better owned by root; that cannot be seen here.
    /// Destinations below `/usr`, `/etc`, `/bin`, `/tmp` and the like, and files right below `/`, are left out.
    /// A user whom the base image sets is not known.
    /// On 22,777 public Dockerfiles it fires 410 times; of 50 read, about a third copy what the program only reads.
    pub(crate) ROOT_OWNED_COPY {
        name: "root-owned-copy",
        code: "DF505",
        aliases: [],
        severity: Warning,
        status: Preview,
        fix: Unsafe,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    for instruction in ctx
        .model()
        .instructions
        .iter()
        .filter(|instruction| matches!(instruction.keyword, Keyword::Copy | Keyword::Add))
    {
        if let Some(user) = ctx.user_in_force(instruction.id) {
            check_copy(ctx, instruction, user);
        }
    }
}

fn check_copy(ctx: &mut RuleContext<'_>, instruction: &Instruction, user: &Word) {
    let Some(value) = user.value.as_deref() else {
        return;
    };
    let destination = instruction
        .copy()
        .and_then(|copy| copy.destination.as_ref());
    // The accounts of Windows containers own what they copy.
    if value.is_empty()
        || value.starts_with("Container")
        || is_root(user_part(value))
        || destination.is_none_or(|destination| is_system_path(destination.value_or_text()))
        || instruction.flag("chown").is_some()
        || may_be_windows(ctx.model(), instruction)
    {
        return;
    }
    let keyword = &instruction.keyword_text;
    let finding = ctx
        .report(
            instruction.keyword_range,
            format!("these files belong to root, not to `{}`", user_part(value)),
        )
        .label(user.range, format!("USER does not count for {keyword}"))
        .help(format!(
            "add `--chown={}` if the program has to write them",
            user.text
        ));
    let is_one_word = !user
        .text
        .contains(|character: char| character.is_whitespace() || "\"'\\`".contains(character));
    if is_one_word {
        finding.unsafe_fix(
            format!("add `--chown={}`", user.text),
            TextEdit::insert(
                instruction.keyword_range.end(),
                format!(" --chown={}", user.text),
            ),
        );
    }
}

/// Returns whether what is copied to a path is for the system, which root may well own: programs, settings, scratch files.
fn is_system_path(path: &str) -> bool {
    if path.starts_with("/usr/src/") {
        return false;
    }
    let is_top_level_file = path.strip_prefix('/').is_some_and(|name| {
        !name.contains('/')
            && (name.is_empty() || name.contains('.') || name.contains("entrypoint"))
    });
    is_top_level_file
        || [
            "/bin", "/dev", "/etc", "/lib", "/run", "/sbin", "/tmp", "/usr",
        ]
        .iter()
        .any(|folder| {
            path.strip_prefix(folder)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
}

#[cfg(test)]
mod tests {
    use super::ROOT_OWNED_COPY as RULE;
    use crate::testing::{check_clean, check_fires, check_fix};

    #[test]
    fn finds_files_of_root_behind_another_user() {
        check_fires(
            &RULE,
            "FROM a AS b\nUSER app\n«COPY» x y\nFROM b\n«ADD» x y\nUSER root\nCOPY x y\n",
        );
    }

    #[test]
    fn owned_files_and_root_are_fine() {
        check_clean(
            &RULE,
            "FROM a\nCOPY x y\nUSER 0\nCOPY x y\nUSER app\nCOPY --chown=app x y\nUSER $U\nCOPY x y\n",
        );
        check_clean(
            &RULE,
            "FROM a\nUSER app\nCOPY x /usr/local/bin/\nCOPY x /entrypoint.sh\nCOPY x /\n",
        );
        check_clean(&RULE, "FROM windows/x\nUSER app\nCOPY x y\n");
        check_clean(&RULE, "FROM a\nUSER ContainerUser\nCOPY x y\n");
    }

    #[test]
    fn gives_the_files_to_the_user() {
        check_fix(
            &RULE,
            "FROM a\nARG U=app\nUSER $U:g\nCOPY --from=x \\\n  x y\n",
            "FROM a\nARG U=app\nUSER $U:g\nCOPY --chown=$U:g --from=x \\\n  x y\n",
        );
    }
}
