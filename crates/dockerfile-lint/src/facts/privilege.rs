//! Programs that start as root and go on as somebody else.

use dockerfile_model::{Command, HeredocBody, Instruction, Keyword, Model, StageId};

use super::command_line::{Argument, CommandLine, command_line, unwrapped};

/// Programs that take off root's rights before they start another. Installing one is a sign as good as calling it.
const TOOLS: &[&str] = &[
    "chpst",
    "fixuid",
    "gosu",
    "runuser",
    "s6-overlay",
    "setpriv",
    "setuidgid",
    "su-exec",
];

/// Servers and supervisors that want to be started by root and look after the rest themselves.
const DAEMONS: &[&str] = &[
    "apache2",
    "apache2-foreground",
    "apache2ctl",
    "apachectl",
    "caddy",
    "chaperone",
    "circusd",
    "cron",
    "crond",
    "dnsmasq",
    "dockerd",
    "dovecot",
    "haproxy",
    "httpd",
    "httpd-foreground",
    "init",
    "keepalived",
    "lighttpd",
    "monit",
    "mosquitto",
    "my_init",
    "mysqld",
    "mysqld_safe",
    "named",
    "nginx",
    "nmbd",
    "nullmailer-send",
    "openvpn",
    "php-fpm",
    "postfix",
    "proftpd",
    "puppetserver",
    "pure-ftpd",
    "rsyslogd",
    "runit",
    "runsvdir",
    "runsvdir-start",
    "s6-svscan",
    "service",
    "smbd",
    "smtpd",
    "squid",
    "sshd",
    "supervisord",
    "systemctl",
    "systemd",
    "varnishd",
    "vsftpd",
    "xinetd",
];

/// What the names of scripts have in them that start a server.
const SCRIPT_NAMES: &[&str] = &[
    ".sh", "boot", "dind", "entry", "init", "launch", "run", "setup", "start", "wrap",
];

/// Images whose own entry point gives up root before it starts the server.
const IMAGES: &[&str] = &[
    "caddy",
    "cassandra",
    "consul",
    "couchbase",
    "couchdb",
    "drupal",
    "eclipse-mosquitto",
    "ghost",
    "httpd",
    "influxdb",
    "mariadb",
    "mongo",
    "mysql",
    "neo4j",
    "nextcloud",
    "nginx",
    "percona",
    "postgres",
    "rabbitmq",
    "redis",
    "traefik",
    "valkey",
    "vault",
    "wordpress",
    "zookeeper",
];

/// Calls `visit` for every text that a shell or the kernel gets to run.
pub(crate) fn for_each_text<'m>(instruction: &'m Instruction, visit: &mut impl FnMut(&'m str)) {
    match instruction.command() {
        Some(Command::Exec(strings, _)) => strings.iter().for_each(|string| visit(&string.value)),
        Some(Command::Shell(script)) => visit(&script.text),
        Some(Command::Opaque { text, .. }) => visit(text),
        Some(Command::Missing) | None => {}
    }
    for heredoc in &instruction.heredocs {
        match &heredoc.body {
            HeredocBody::Script(script) => visit(&script.text),
            HeredocBody::Text { text, .. } => visit(text),
        }
    }
}

/// Returns whether a stage, or one it stands on, has to do with a program that takes off root's rights.
pub(crate) fn uses_privilege_tool(model: &Model, stage: StageId) -> bool {
    let mut is_found = false;
    for ancestor in model.ancestry(stage) {
        for instruction in model.stage_instructions(ancestor.id) {
            for_each_text(instruction, &mut |text| {
                is_found = is_found || TOOLS.iter().any(|tool| text.contains(tool));
            });
        }
    }
    is_found
}

/// Returns whether what the container starts with looks after its user itself: a daemon, a supervisor, `su -c`.
pub(crate) fn starts_with_daemon(model: &Model, stage: StageId) -> bool {
    let Some(line) = command_line(model, stage) else {
        return false;
    };
    let is_daemon = |word: &Argument<'_>| {
        word.file_name().is_some_and(|name| {
            let name = name
                .trim_end_matches(|character: char| character.is_ascii_digit() || character == '.');
            DAEMONS.contains(&name) || DAEMONS.contains(&name.trim_end_matches('-'))
        })
    };
    let words = unwrapped(&line.words);
    if words.first().is_some_and(|word| {
        is_daemon(word) || matches!(word.value, Some("su" | "sudo" | "start-stop-daemon"))
    }) {
        return true;
    }
    // `service nginx start && ...` and `sh -c "..."`.
    let mut is_found = false;
    for_each_text(line.instruction, &mut |text| {
        is_found = is_found
            || text
                .split(|character: char| {
                    character.is_whitespace() || ";&|()\"'".contains(character)
                })
                .any(|word| {
                    let name = word.rsplit('/').next().unwrap_or(word);
                    DAEMONS.contains(&name)
                });
    });
    is_found
}

/// Returns whether a command line starts a script, by its name: what a script does cannot be seen in the file.
pub(crate) fn starts_script(line: &CommandLine<'_>) -> bool {
    let words = unwrapped(&line.words);
    let Some(program) = words.first() else {
        return false;
    };
    let script = if is_shell(program) {
        words.get(1)
    } else {
        Some(program)
    };
    // In `sh -c "/start.sh"` the name stands in the text.
    let text = script.map_or("", |word| {
        if word.is_option() {
            words.get(2).map_or("", |text| text.text)
        } else {
            word.file_name().unwrap_or(word.text)
        }
    });
    SCRIPT_NAMES.iter().any(|part| text.contains(part))
}

/// Returns whether a command line starts a shell for a person to type in.
pub(crate) fn starts_bare_shell(line: &CommandLine<'_>) -> bool {
    match unwrapped(&line.words) {
        [shell, options @ ..] => {
            is_shell(shell)
                && options.iter().all(|word| {
                    word.is_option() && (word.text.starts_with("--") || !word.text.contains('c'))
                })
        }
        [] => false,
    }
}

fn is_shell(word: &Argument<'_>) -> bool {
    matches!(
        word.file_name(),
        Some("sh" | "bash" | "ash" | "dash" | "ksh" | "zsh" | "fish")
    )
}

/// Returns whether an image gives up root in its own entry point, and the stage leaves it that.
pub(crate) fn keeps_entrypoint_of(model: &Model, stage: StageId, image: &str) -> bool {
    let path = image.split(['@', ':']).next().unwrap_or(image);
    let name = path.rsplit('/').next().unwrap_or(path);
    let is_fpm_or_apache = name == "php" && (image.contains("fpm") || image.contains("apache"));
    (IMAGES.contains(&name) || is_fpm_or_apache)
        && model.last_of_stage(Keyword::Entrypoint, stage).is_none()
}
