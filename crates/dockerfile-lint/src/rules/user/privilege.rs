//! Programs that start as root and go on as somebody else.

use dockerfile_model::{Command, HeredocBody, Instruction, Keyword, Model, StageId};

use crate::facts::command_line::{Argument, command_line, unwrapped};

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
    "monit",
    "my_init",
    "mysqld",
    "mysqld_safe",
    "named",
    "nginx",
    "nmbd",
    "openvpn",
    "php-fpm",
    "postfix",
    "proftpd",
    "pure-ftpd",
    "rsyslogd",
    "runit",
    "runsvdir",
    "runsvdir-start",
    "s6-svscan",
    "service",
    "smbd",
    "squid",
    "sshd",
    "supervisord",
    "systemctl",
    "systemd",
    "varnishd",
    "vsftpd",
    "xinetd",
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
pub(super) fn for_each_text<'m>(instruction: &'m Instruction, visit: &mut impl FnMut(&'m str)) {
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
pub(super) fn uses_privilege_tool(model: &Model, stage: StageId) -> bool {
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
pub(super) fn starts_with_daemon(model: &Model, stage: StageId) -> bool {
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

/// Returns whether an image gives up root in its own entry point, and the stage leaves it that.
pub(super) fn keeps_entrypoint_of(model: &Model, stage: StageId, image: &str) -> bool {
    let path = image.split(['@', ':']).next().unwrap_or(image);
    let name = path.rsplit('/').next().unwrap_or(path);
    let is_fpm_or_apache = name == "php" && (image.contains("fpm") || image.contains("apache"));
    (IMAGES.contains(&name) || is_fpm_or_apache)
        && model.last_of_stage(Keyword::Entrypoint, stage).is_none()
}
