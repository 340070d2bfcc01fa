use dockerfile_model::Keyword;

use super::port_spec::{Protocol, literal_port};
use crate::RuleContext;
use crate::rule::declare_rule;

const PORTS: [(u16, &str); 5] = [
    (22, "SSH"),
    (23, "Telnet"),
    (3389, "remote desktop"),
    (5800, "VNC"),
    (5900, "VNC"),
];

declare_rule! {
    /// ## What it does
    /// Finds EXPOSE of ports that people log in at: 22, 23, 3389, 5800 and 5900.
    ///
    /// ## Why
    /// A login server in a container is one more thing to keep patched, with its own users and passwords.
    /// `docker exec` opens a shell in a running container without it.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM debian:12
    /// EXPOSE 80 22
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM debian:12
    /// EXPOSE 80
    /// ```
    ///
    /// ## Limits
    /// Off by default: most files that expose such a port are there to run the login server.
    /// A range that holds such a port is not judged.
    /// On 22,777 public Dockerfiles it fires 360 times; of 40 read, all are as it says, and 9 of them are desktops for which the port is the purpose.
    pub(crate) ADMIN_PORT {
        name: "admin-port",
        code: "DF307",
        aliases: [],
        severity: Info,
        status: OptIn,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    for instruction in ctx.instructions_of(&[Keyword::Expose]) {
        for word in instruction.words() {
            let Some(spec) = literal_port(word) else {
                continue;
            };
            let found = PORTS.iter().find(|(port, _)| {
                spec.protocol == Protocol::Tcp && spec.first == *port && spec.last == *port
            });
            if let Some((port, service)) = found {
                ctx.report(
                    word.range,
                    format!("port {port} is for logging in by {service}"),
                )
                .help("leave the login server out: `docker exec -it CONTAINER sh` opens a shell in a running container");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ADMIN_PORT as RULE;
    use crate::testing::{check_clean, check_fires};

    #[test]
    fn finds_login_ports() {
        check_fires(
            &RULE,
            "FROM a\nEXPOSE 80 «22» «3389/tcp»\nONBUILD EXPOSE «5900»\n",
        );
    }

    #[test]
    fn other_ports_and_ranges_are_fine() {
        check_clean(&RULE, "FROM a\nEXPOSE 2222 22/udp 20-30 $P\n");
    }
}
