use dockerfile_model::{Keyword, Script};
use dockerfile_source::{TextLen, TextRange, TextSize};

use crate::RuleContext;
use crate::facts::started_service::{service_started_last, start_word};
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds RUN, CMD and ENTRYPOINT that start something and expect it to go on.
    ///
    /// ## Why
    /// A RUN keeps the files that it leaves, not the processes: when its command ends, everything that still runs is stopped.
    /// What has to run in the container is started by CMD or ENTRYPOINT.
    /// `systemctl` does not even work in a build: there is no systemd to talk to.
    /// The container in turn ends with its first command: `CMD service nginx start` starts the server and ends at once.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM debian:12
    /// RUN service mysql start
    /// ```
    ///
    /// ```dockerfile
    /// FROM debian:12
    /// RUN /opt/server --port 80 &
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM debian:12
    /// CMD ["/opt/server", "--port", "80"]
    /// ```
    ///
    /// ## Limits
    /// A service that is started and used in the same RUN is fine: only one that is started last is found.
    /// On 22,777 public Dockerfiles it fires 105 times, 7 of them for CMD; all were read, 4 were wrong: `sudo` and `procps` keep nothing running, and one command ends by itself.
    pub(crate) BACKGROUND_PROCESS {
        name: "background-process",
        code: "DF914",
        aliases: [],
        severity: Warning,
        status: Stable,
        fix: None,
        check: check,
    }
}

const HELP: &str = "start it with CMD or ENTRYPOINT, or use it in the same RUN";

fn check(ctx: &mut RuleContext<'_>) {
    check_starts(ctx);
    for instruction in ctx.instructions_of(&[Keyword::Run]) {
        for script in instruction.scripts() {
            if let Some(range) = last_ampersand(ctx, script) {
                ctx.report(
                    range,
                    "what this puts into the background ends with the RUN",
                )
                .help(HELP);
            }
        }
    }
    let mut last_use: Option<(&Script, Option<usize>)> = None;
    for call in ctx.program_calls() {
        if call.instruction.keyword != Keyword::Run {
            continue;
        }
        let Some(start) = start_word(&call.called) else {
            continue;
        };
        let used_at = match last_use {
            Some((script, used_at)) if std::ptr::eq(script, call.script) => used_at,
            _ => last_use_of_service(call.script),
        };
        last_use = Some((call.script, used_at));
        if used_at.is_some_and(|at| at > call.position) {
            continue;
        }
        let range = call.called.range_to(start);
        ctx.report(range, "the service that this starts ends with the RUN")
            .help(HELP);
    }
}

/// Judges what the container starts: when it ends, so does the container.
fn check_starts(ctx: &mut RuleContext<'_>) {
    for instruction in &ctx.model().instructions {
        if !matches!(instruction.keyword, Keyword::Cmd | Keyword::Entrypoint) {
            continue;
        }
        let start = ctx.start_command(instruction.stage);
        let counts = start.entrypoint.or(start.command);
        if counts.is_some_and(|counts| counts.id == instruction.id)
            && let Some(range) = service_started_last(instruction)
        {
            ctx.report(
                range,
                "this starts a service and ends, and the container ends with it",
            )
            .help("start the server itself in the foreground, such as `nginx -g 'daemon off;'` or `apachectl -D FOREGROUND`");
        }
    }
}

/// Returns where the `&` stands that ends a script.
fn last_ampersand(ctx: &RuleContext<'_>, script: &Script) -> Option<TextRange> {
    let text = ctx.text(script.range).trim_end();
    let before = text.strip_suffix('&')?;
    let last = script.commands.last()?;
    // Behind the last command, so that it stands in no quotes and no comment.
    let at = script.range.start() + before.text_len();
    let is_operator = !before.ends_with(['&', '\\', '>', '<', '|']) && last.range.end() <= at;
    is_operator.then(|| TextRange::at(at, TextSize::of('&')))
}

/// Returns the place of the last command that may need a service: anything but messages and cleaning up.
fn last_use_of_service(script: &Script) -> Option<usize> {
    const IDLE: &[&str] = &[
        ":",
        "apt-get",
        "chmod",
        "chown",
        "cp",
        "echo",
        "exit",
        "mkdir",
        "mv",
        "printf",
        "rm",
        "sleep",
        "true",
        "service",
        "systemctl",
    ];
    script
        .commands
        .iter()
        .rposition(|command| !command.is(IDLE))
}

#[cfg(test)]
mod tests {
    use super::BACKGROUND_PROCESS as RULE;
    use crate::testing::{check_clean, check_fires};

    #[test]
    fn a_container_ends_with_its_start_command() {
        check_fires(&RULE, "FROM a\nCMD «service nginx start»\n");
        check_fires(
            &RULE,
            "FROM a\nENTRYPOINT echo a && «/etc/init.d/x restart»\n",
        );
        check_fires(
            &RULE,
            "FROM a\nCMD [«\"/usr/sbin/service\", \"nginx\", \"start\"»]\n",
        );
        check_clean(
            &RULE,
            "FROM a\nCMD service a start\nCMD service nginx start && tail -f /var/log/x\n",
        );
        check_clean(
            &RULE,
            "FROM a\nENTRYPOINT [\"a\"]\nCMD [\"service\", \"b\", \"start\"]\n",
        );
    }

    #[test]
    fn points_at_what_starts() {
        check_fires(&RULE, "FROM a:1\nRUN a && nohup ./server «&»\n");
        check_fires(
            &RULE,
            "FROM a:1\nRUN apt-get install x && «service x start» && rm -rf /tmp/*\nRUN «systemctl restart» x\nRUN «/etc/init.d/x start»\n",
        );
    }

    #[test]
    fn a_service_may_be_used_in_the_same_run() {
        check_clean(
            &RULE,
            "FROM a:1\nRUN service mysql start && mysql -e 'create database x'\n",
        );
        check_clean(&RULE, "FROM a:1\nRUN mongod & sleep 5 && mongo x\n");
    }

    #[test]
    fn other_words_are_fine() {
        check_clean(
            &RULE,
            "FROM a:1\nRUN systemctl enable x && service x stop && echo 'a &' && a 2>&1\nCMD service x start && tail -f y &\n",
        );
    }
}
