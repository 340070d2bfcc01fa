use std::net::Ipv4Addr;

use dockerfile_model::{Instruction, Keyword, Resolution, Word};
use dockerfile_source::{TextEdit, TextRange};

use super::port_spec::{FaultKind, PortFault, Protocol, is_plain, parse_port, range_in_word};
use crate::RuleContext;
use crate::rule::declare_rule;

/// Names that people write for well-known ports.
const SERVICES: [(&str, u16); 14] = [
    ("amqp", 5672),
    ("dns", 53),
    ("ftp", 21),
    ("http", 80),
    ("https", 443),
    ("ldap", 389),
    ("mongodb", 27017),
    ("mysql", 3306),
    ("postgres", 5432),
    ("postgresql", 5432),
    ("rdp", 3389),
    ("redis", 6379),
    ("smtp", 25),
    ("ssh", 22),
];

declare_rule! {
    /// ## What it does
    /// Finds ports of EXPOSE that the builder refuses: no number, above 65535, a range that runs backwards, an unknown protocol.
    ///
    /// ## Why
    /// The build fails.
    /// Ports are separated by blanks, not by commas; a comment cannot stand behind them; and EXPOSE takes no JSON array.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM nginx:1.27
    /// EXPOSE 80,443
    /// ```
    /// ```dockerfile
    /// FROM nginx:1.27
    /// EXPOSE 80 # the web server
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM nginx:1.27
    /// EXPOSE 80 443
    /// ```
    ///
    /// ## Fix
    /// Unsafe: separates ports by blanks, takes the brackets of a JSON array off, moves a comment above the instruction.
    /// The build fails before and succeeds afterwards.
    ///
    /// ## Limits
    /// A port that is a variable without a known value is not judged; one with a default is judged by its default.
    /// Port 0, which the builder takes, is reported too: no program can listen on it.
    /// On 22,777 public Dockerfiles, most of which the builder takes, it fires 6 times; none is wrong.
    pub(crate) INVALID_PORT {
        name: "invalid-port",
        code: "DF303",
        aliases: ["DL3011"],
        severity: Error,
        status: Stable,
        fix: Unsafe,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    for instruction in ctx.instructions_of(&[Keyword::Expose]) {
        if report_array(ctx, instruction) {
            continue;
        }
        for word in instruction.words() {
            if word.text.starts_with('#') {
                report_comment(ctx, instruction, word);
                break;
            }
            check_word(ctx, word);
        }
    }
}

fn check_word(ctx: &mut RuleContext<'_>, word: &Word) {
    let Some(value) = word.value.as_deref() else {
        return;
    };
    // What a variable that is not set makes of the port is for `undefined-port-variable` to say.
    let is_incomplete = word.uses.iter().any(|variable| {
        !variable.handles_unset
            && matches!(
                variable.resolution,
                Resolution::Undeclared | Resolution::GlobalOnly(_)
            )
    });
    if word.error.is_some() || is_incomplete {
        return;
    }
    if word.has_variables() && !word.text.contains('"') {
        // What an unquoted variable holds is split at blanks (`shell.Lex.ProcessWords`).
        for part in value.split_ascii_whitespace() {
            check_value(ctx, word, part);
        }
    } else {
        check_value(ctx, word, value);
    }
}

fn check_value(ctx: &mut RuleContext<'_>, word: &Word, value: &str) {
    let fault = match parse_port(value) {
        Err(fault) => fault,
        Ok(spec) => {
            if spec.first == 0 && spec.last == 0 {
                ctx.report(word.range, "no program can listen on port 0")
                    .help("write the port that the program in the container listens on");
            }
            return;
        }
    };
    if let Some(ports) = separated_by_commas(value) {
        let finding = ctx
            .report(word.range, format!("`{value}` is not a port"))
            .help(format!(
                "separate ports by blanks, without commas: `{ports}`"
            ));
        if is_plain(word) {
            finding.unsafe_fix(
                format!("write `{ports}`"),
                TextEdit::replace(word.range, ports),
            );
        }
        return;
    }
    report_fault(ctx, word, value, fault);
}

fn report_fault(ctx: &mut RuleContext<'_>, word: &Word, value: &str, fault: PortFault) {
    let part = value.get(fault.range.clone()).unwrap_or(value);
    let range = range_in_word(word, fault.range.clone());
    let written = if word.has_variables() {
        format!("`{}` is `{value}`, ", word.text)
    } else {
        String::new()
    };
    let (message, help) = match fault.kind {
        FaultKind::Empty => (
            format!("{written}`{value}` names no port"),
            "write the number of the port, such as `80` or `53/udp`".to_owned(),
        ),
        FaultKind::NotANumber if part.parse::<Ipv4Addr>().is_ok() => (
            format!("{written}`{part}` is an address, not a port"),
            address_help(value),
        ),
        FaultKind::NotANumber => (
            format!("{written}`{part}` is not a port number"),
            number_help(value),
        ),
        FaultKind::TooLarge => (
            format!("{written}there is no port {part}"),
            "ports go up to 65535".to_owned(),
        ),
        FaultKind::Reversed => (
            format!("{written}the range `{part}` runs backwards"),
            match part.split_once('-') {
                Some((first, last)) => format!("write the lower port first: `{last}-{first}`"),
                None => "write the lower port first".to_owned(),
            },
        ),
        FaultKind::Protocol => (
            format!("{written}`{part}` is not a protocol"),
            protocol_help(value, part),
        ),
        FaultKind::Address => (
            format!("{written}`{part}` is not an address"),
            "write the container port alone; addresses and host ports belong to `docker run -p`"
                .to_owned(),
        ),
        FaultKind::Lengths => (
            format!("{written}the two ranges of `{value}` differ in length"),
            "write the container ports alone; host ports belong to `docker run -p`".to_owned(),
        ),
    };
    ctx.report(range, message).help(help);
}

/// Says what to write for `0.0.0.0:80`.
fn address_help(value: &str) -> String {
    match value.rsplit_once(':') {
        Some((address, port)) if parse_port(port).is_ok() => {
            let number = port.split('/').next().unwrap_or(port);
            format!(
                "write `{port}`; the address belongs to `docker run -p {address}:{number}:{number}`"
            )
        }
        _ => "write the port that the program listens on; addresses belong to `docker run -p`"
            .to_owned(),
    }
}

fn number_help(value: &str) -> String {
    if let Some((_, port)) = SERVICES
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(value))
    {
        return format!("write the number: `{port}`");
    }
    "EXPOSE takes numbers, such as `80`, `53/udp` or `8000-8010`".to_owned()
}

fn protocol_help(value: &str, protocol: &str) -> String {
    let port = value.split('/').next().unwrap_or(value);
    if Protocol::from_name(port).is_some() && parse_port(protocol).is_ok() {
        return format!("write the port first: `{protocol}/{}`", port.to_lowercase());
    }
    let several: Option<Vec<_>> = protocol
        .split(['/', ',', '|', '+'])
        .map(Protocol::from_name)
        .collect();
    match several {
        Some(several) => {
            let words: Vec<_> = several
                .into_iter()
                .map(|protocol| format!("{port}/{}", protocol.as_str()))
                .collect();
            format!("write one word for each protocol: `{}`", words.join(" "))
        }
        None => "the protocols are `tcp`, `udp` and `sctp`; HTTP runs over `tcp`".to_owned(),
    }
}

/// Returns `80 443` for `80,443`, `80;` and the like, when all parts are ports.
fn separated_by_commas(value: &str) -> Option<String> {
    if !value.contains([',', ';']) {
        return None;
    }
    let ports: Vec<_> = value
        .split([',', ';'])
        .filter(|port| !port.is_empty())
        .collect();
    let is_sound = !ports.is_empty() && ports.iter().all(|port| parse_port(port).is_ok());
    is_sound.then(|| ports.join(" "))
}

/// Reports `["80", "443"]` once, not once a word.
fn report_array(ctx: &mut RuleContext<'_>, instruction: &Instruction) -> bool {
    let (Some(first), Some(last)) = (instruction.words().first(), instruction.words().last())
    else {
        return false;
    };
    // `[::1]:80:80` is an address.
    if !first.text.starts_with('[') || !last.text.ends_with(']') {
        return false;
    }
    let range = TextRange::new(first.range.start(), last.range.end());
    let text = ctx.text(range);
    let ports: Vec<_> = text
        .split(|character: char| {
            character.is_ascii_whitespace() || matches!(character, '[' | ']' | ',' | '"' | '\'')
        })
        .filter(|port| !port.is_empty())
        .collect();
    let is_sound = !ports.is_empty() && ports.iter().all(|port| parse_port(port).is_ok());
    let finding = ctx
        .report(range, "EXPOSE takes no JSON array")
        .help("write the ports behind each other, separated by blanks");
    if is_sound {
        let ports = ports.join(" ");
        finding.unsafe_fix(format!("write `{ports}`"), TextEdit::replace(range, ports));
    }
    true
}

fn report_comment(ctx: &mut RuleContext<'_>, instruction: &Instruction, word: &Word) {
    let range = TextRange::new(word.range.start(), instruction.range.end());
    let comment = ctx.text(range).trim_end();
    let is_one_line = !comment.contains('\n');
    let before = instruction
        .words()
        .iter()
        .take_while(|other| other.range.end() <= word.range.start())
        .last()
        .map(|other| other.range.end());
    let finding = ctx
        .report(range, "a comment cannot stand behind an instruction")
        .help("move it to a line of its own; here the builder takes each of its words for a port");
    if let Some(before) = before
        && is_one_line
        && !instruction.is_trigger
    {
        let mut edit = TextEdit::builder();
        edit.insert(instruction.range.start(), format!("{comment}\n"))
            .delete(TextRange::new(before, range.end()));
        if let Ok(edit) = edit.finish() {
            finding.unsafe_fix("move the comment above the instruction", edit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::INVALID_PORT as RULE;
    use crate::testing::{check_clean, check_fires, check_fix, check_message, findings};

    #[test]
    fn an_address_is_told_from_a_number() {
        let found = findings("FROM a\nEXPOSE 0.0.0.0:80/tcp 10.0.0.1\n", &RULE);
        let said: Vec<_> = found
            .iter()
            .map(|found| (found.message.as_str(), found.help.as_deref().unwrap_or("")))
            .collect();
        assert_eq!(
            said,
            [
                (
                    "`0.0.0.0` is an address, not a port",
                    "write `80/tcp`; the address belongs to `docker run -p 0.0.0.0:80:80`"
                ),
                (
                    "`10.0.0.1` is an address, not a port",
                    "write the port that the program listens on; addresses belong to `docker run -p`"
                ),
            ]
        );
    }

    #[test]
    fn points_at_the_exact_word() {
        check_fires(
            &RULE,
            "FROM a\nEXPOSE «http» «80000» 1-«80000»/tcp «90-80» 80/«http» «/tcp» 80 «0» «localhost»:80:80\n",
        );
        check_fires(
            &RULE,
            "FROM a\nONBUILD EXPOSE «x»\nEXPOSE \\\n  80 \\\n  «y»\n",
        );
    }

    #[test]
    fn judges_variables_by_their_values() {
        check_fires(
            &RULE,
            "FROM a\nARG P=http Q=\"80 443\" R=80000\nEXPOSE «$P» $Q «${R}»/tcp $S 40000-$S\n"
                .replace("«${R}»/tcp", "«${R}/tcp»")
                .as_str(),
        );
        check_message(
            &RULE,
            "FROM a\nENV P=http\nEXPOSE $P\n",
            "`$P` is `http`, `http` is not a port number",
        );
    }

    #[test]
    fn quoted_and_mapped_ports_are_fine() {
        check_clean(
            &RULE,
            "FROM scratch\nEXPOSE 1-$UNSET 80 \"443\" '53/udp' 80/ 8080:80 [::1]:8080:8080 1-65535 0-9 ${P:-9}\n",
        );
    }

    #[test]
    fn commas_give_way_to_blanks() {
        check_fires(&RULE, "FROM a\nEXPOSE «80/tcp,443» «80,» «443;»\n");
        check_fix(
            &RULE,
            "FROM a\nEXPOSE 80,443/tcp, 53/udp;\n",
            "FROM a\nEXPOSE 80 443/tcp 53/udp\n",
        );
    }

    #[test]
    fn an_array_is_one_finding() {
        check_fires(&RULE, "FROM a\nEXPOSE «[\"80\", \"443\"]»\n");
        check_fix(
            &RULE,
            "FROM a\nEXPOSE [\"80\", \"443\"]\n",
            "FROM a\nEXPOSE 80 443\n",
        );
    }

    #[test]
    fn a_comment_moves_to_its_own_line() {
        check_fires(&RULE, "FROM a\nEXPOSE 80 «# for http»\nRUN x\n");
        check_fix(
            &RULE,
            "FROM a\nEXPOSE 80 # for http\nRUN x\n",
            "FROM a\n# for http\nEXPOSE 80\nRUN x\n",
        );
    }

    #[test]
    fn helps_with_names_and_protocols() {
        let help = |text: &str| {
            findings(text, &RULE)
                .pop()
                .and_then(|finding| finding.help)
                .unwrap_or_default()
        };
        assert_eq!(help("FROM a\nEXPOSE https\n"), "write the number: `443`");
        assert_eq!(
            help("FROM a\nEXPOSE tcp/80\n"),
            "write the port first: `80/tcp`"
        );
        assert_eq!(
            help("FROM a\nEXPOSE 53/tcp/udp\n"),
            "write one word for each protocol: `53/tcp 53/udp`"
        );
    }
}
