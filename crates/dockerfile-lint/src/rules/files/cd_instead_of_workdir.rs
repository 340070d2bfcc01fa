use dockerfile_model::{Join, Keyword};
use dockerfile_source::TextRange;

use crate::RuleContext;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds RUN that begins with `cd`.
    ///
    /// ## Why
    /// WORKDIR says once, for all that follows, where the commands run.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM debian:12
    /// RUN cd /src && make
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM debian:12
    /// WORKDIR /src
    /// RUN make
    /// ```
    ///
    /// ## Limits
    /// A matter of taste: `cd` in one RUN does not change the folder of the others, and often that is wanted.
    /// A `cd` behind other commands or in parentheses is not reported; hadolint (DL3003) reports every one.
    /// On 22,777 public Dockerfiles it fires 2,852 times, which is why it is off.
    pub(crate) CD_INSTEAD_OF_WORKDIR {
        name: "cd-instead-of-workdir",
        code: "DF605",
        aliases: ["DL3003"],
        severity: Info,
        status: OptIn,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    for instruction in ctx.instructions_of(&[Keyword::Run]) {
        for script in instruction.scripts() {
            let Some(command) = script.commands.first() else {
                continue;
            };
            let (true, [program, folder, ..]) = (command.is(&["cd"]), command.words.as_slice())
            else {
                continue;
            };
            if command.join == Join::First && command.nesting.depth == 0 {
                let range = TextRange::new(program.range.start(), folder.range.end());
                ctx.report(
                    range,
                    format!("`cd {}` changes the folder for this RUN alone", folder.text),
                )
                .help(format!("use `WORKDIR {}` before it", folder.text));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::CD_INSTEAD_OF_WORKDIR as RULE;
    use crate::testing::{check_clean, check_fires, check_message};

    #[test]
    fn fires_on_cd_at_the_beginning() {
        check_fires(
            &RULE,
            "RUN «cd /opt»\nRUN «cd \"$X\"» && make\nONBUILD RUN «cd a»; b\n",
        );
    }

    #[test]
    fn cd_in_the_middle_or_in_parentheses_is_fine() {
        check_clean(
            &RULE,
            "RUN make && cd /x && make\nRUN (cd /x && make)\nRUN cd\nCMD cd /x && y\nWORKDIR /opt\n",
        );
    }

    #[test]
    fn names_the_folder() {
        check_message(
            &RULE,
            "RUN cd /opt && make\n",
            "`cd /opt` changes the folder for this RUN alone",
        );
    }
}
