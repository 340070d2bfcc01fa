use dockerfile_model::{Keyword, ShellCommand, ShellWord};
use dockerfile_source::TextRange;

use crate::RuleContext;
use crate::facts::called_program::CalledProgram;
use crate::facts::options::{Argument, OptionSyntax, arguments};
use crate::facts::package_action::{Manager, is_python};
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds downloads that do not check who they talk to.
    ///
    /// ## Why
    /// Without the check of its certificate, a server can be anybody on the way, and what it sends becomes part of the image.
    /// Set as a variable of the image, the check is off for every program that runs in it later.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM debian:12
    /// RUN curl -k -o /tool https://example.com/tool
    /// ```
    ///
    /// ```dockerfile
    /// FROM node:22
    /// ENV NODE_TLS_REJECT_UNAUTHORIZED=0
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM debian:12
    /// COPY company-ca.crt /usr/local/share/ca-certificates/
    /// RUN update-ca-certificates && curl -o /tool https://example.com/tool
    /// ```
    ///
    /// ## Limits
    /// Knows the options and settings of curl, wget, git, pip, npm, yarn, pnpm, conda, apt, dnf, composer and bundler, and the variables that they and Node, Python and Perl read.
    /// Silent in HEALTHCHECK, and for curl and wget where all addresses are those of the container itself, such as `https://localhost`.
    /// A variable without a known value is not judged.
    /// Configuration files that are written with `echo` are not read.
    /// On 22,777 public Dockerfiles it fires 496 times; of 55 read, none was wrong.
    pub(crate) DISABLED_TLS_VERIFICATION {
        name: "disabled-tls-verification",
        code: "DF906",
        aliases: ["CKV2_DOCKER_2", "CKV2_DOCKER_3", "CKV2_DOCKER_4", "CKV2_DOCKER_5", "CKV2_DOCKER_6"],
        severity: Warning,
        status: Stable,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    for instruction in ctx.instructions_of(&[Keyword::Env, Keyword::Arg]) {
        for pair in instruction.pairs() {
            if let Some(value) = &pair.value
                && let Some(value) = &value.value
                && turns_off(&pair.key.text, value)
            {
                report(ctx, pair.range, &pair.key.text);
            }
        }
    }
    for command in &ctx.commands().settings {
        check_assignments(ctx, command);
    }
    for call in ctx.calls_of_names(has_culprits) {
        // A health check talks to the container that it stands in.
        if call.instruction.keyword == Keyword::Healthcheck {
            continue;
        }
        if let Some(word) = culprit(&call.called) {
            let text = word.value();
            let name = text.split('=').next().filter(|name| name.starts_with("--"));
            report(ctx, word.range, name.unwrap_or(text));
        }
    }
}

fn report(ctx: &mut RuleContext<'_>, range: TextRange, what: &str) {
    ctx.report(
        range,
        format!("`{what}` turns off the check of the server's certificate"),
    )
    .help("remove it; for a server with a certificate of your own, add the authority to the image");
}

/// Reports `NAME=value` in front of a command, alone, and behind `export`.
fn check_assignments(ctx: &mut RuleContext<'_>, command: &ShellCommand) {
    for assignment in &command.assignments {
        let value = assignment.value.as_ref().map_or("", |value| value.value());
        if turns_off(&assignment.name, value) {
            report(ctx, assignment.range, &assignment.name);
        }
    }
    if command.is(&["export", "env"]) {
        for word in command.arguments() {
            if let Some((name, value)) = word.value().split_once('=')
                && turns_off(name, value)
            {
                report(ctx, word.range, name);
            }
        }
    }
}

/// Returns whether a variable with this value turns the check off.
fn turns_off(name: &str, value: &str) -> bool {
    match name {
        "NODE_TLS_REJECT_UNAUTHORIZED"
        | "PYTHONHTTPSVERIFY"
        | "PERL_LWP_SSL_VERIFY_HOSTNAME"
        | "BUNDLE_SSL_VERIFY_MODE" => value == "0",
        "GIT_SSL_NO_VERIFY" => !is_no(value) && !value.is_empty(),
        "PIP_TRUSTED_HOST" => !value.is_empty(),
        "NPM_CONFIG_STRICT_SSL"
        | "npm_config_strict_ssl"
        | "YARN_STRICT_SSL"
        | "YARN_ENABLE_STRICT_SSL"
        | "CONDA_SSL_VERIFY" => is_no(value),
        _ => false,
    }
}

fn is_no(value: &str) -> bool {
    ["0", "false", "no", "off"]
        .iter()
        .any(|no| value.eq_ignore_ascii_case(no))
}

const CURL: OptionSyntax = OptionSyntax::new(
    "AbcCdDeEFhHKmoPQrtTuUwxXyYz",
    &[
        "--header",
        "--output",
        "--data",
        "--request",
        "--user",
        "--user-agent",
        "--proxy",
        "--referer",
        "--cookie",
        "--form",
        "--max-time",
        "--retry",
        "--connect-timeout",
        "--cacert",
        "--cert",
        "--key",
        "--write-out",
        "--url",
        "--range",
        "--retry-delay",
        "--retry-max-time",
    ],
);

/// Returns whether `culprit` knows a program.
fn has_culprits(program: &str) -> bool {
    matches!(
        program,
        "curl"
            | "wget"
            | "git"
            | "npm"
            | "yarn"
            | "pnpm"
            | "conda"
            | "mamba"
            | "micromamba"
            | "composer"
            | "bundle"
            | "apt-get"
            | "apt"
            | "dnf"
            | "yum"
            | "microdnf"
    ) || Manager::from_program(program) == Some(Manager::Pip)
        || is_python(program)
}

/// Returns the word of a call that turns the check off.
fn culprit<'m>(called: &CalledProgram<'m>) -> Option<&'m ShellWord> {
    let words = called.arguments;
    match called.name {
        "curl" => arguments(words, CURL)
            .find_map(|argument| match argument {
                Argument::Option { word, .. } if is_insecure(word.value()) => Some(word),
                _ => None,
            })
            .filter(|_| !talks_to_itself(called, CURL)),
        "wget" => called
            .option(&["--no-check-certificate"])
            .filter(|_| !talks_to_itself(called, OptionSyntax::new("OoPaTtU", &[]))),
        "git" => git(words),
        "npm" | "yarn" | "pnpm" => strict_ssl(words),
        "conda" | "mamba" | "micromamba" => setting(words, &["ssl_verify"], is_no),
        "composer" => setting(words, &["disable-tls"], |value| value == "true"),
        "bundle" => setting(words, &["ssl_verify_mode"], |value| value == "0"),
        "apt-get" | "apt" => words.iter().find(|word| {
            if !word.value().contains("::") {
                return false;
            }
            let text = word.value().to_ascii_lowercase();
            text.contains("::verify-peer=false") || text.contains("::verify-host=false")
        }),
        "dnf" | "yum" | "microdnf" => words.iter().find(|word| {
            let value = word.value().rsplit_once("sslverify=");
            value.is_some_and(|(_, value)| is_no(value))
        }),
        _ if Manager::from_program(called.name) == Some(Manager::Pip) => trusted_host(called),
        _ if is_python(called.name) => {
            let is_pip = words.iter().any(|word| word.value() == "pip");
            trusted_host(called).filter(|_| is_pip)
        }
        _ => None,
    }
}

fn trusted_host<'m>(called: &CalledProgram<'m>) -> Option<&'m ShellWord> {
    called.option(&["--trusted-host"]).or_else(|| {
        setting(
            called.arguments,
            &["global.trusted-host", "trusted-host"],
            |_| true,
        )
    })
}

/// Returns whether an option is `--insecure`, or a group with `k` in front of any letter that takes a value.
fn is_insecure(option: &str) -> bool {
    if option == "--insecure" {
        return true;
    }
    let Some(group) = option
        .strip_prefix('-')
        .filter(|group| !group.starts_with('-'))
    else {
        return false;
    };
    let value_at = group.find(|letter: char| CURL.takes_next(&format!("-{letter}")));
    group
        .find('k')
        .is_some_and(|at| value_at.is_none_or(|value| at < value))
}

/// Returns whether all addresses of a download are those of the container itself.
fn talks_to_itself(called: &CalledProgram<'_>, syntax: OptionSyntax) -> bool {
    let mut addresses = called.operands(syntax).peekable();
    addresses.peek().is_some()
        && addresses.all(|address| {
            let text = address.value();
            let host = text.split_once("://").map_or(text, |(_, host)| host);
            ["localhost", "127.0.0.1", "[::1]", "0.0.0.0"]
                .iter()
                .any(|own| host.starts_with(own))
        })
}

fn git(words: &[ShellWord]) -> Option<&ShellWord> {
    let is_key = |key: &str| {
        let key = key.as_bytes();
        let ends = |end: Option<&[u8]>, text: &str| {
            end.is_some_and(|end| end.eq_ignore_ascii_case(text.as_bytes()))
        };
        ends(key.get(.."http.".len()), "http.")
            && ends(
                key.len()
                    .checked_sub("sslverify".len())
                    .and_then(|at| key.get(at..)),
                "sslverify",
            )
    };
    words.iter().enumerate().find_map(|(at, word)| {
        let found = match word.value().split_once('=') {
            Some((key, value)) => is_key(key) && is_no(value),
            None => is_key(word.value()) && is_no(words.get(at + 1)?.value()),
        };
        found.then_some(word)
    })
}

fn strict_ssl(words: &[ShellWord]) -> Option<&ShellWord> {
    let keys = ["strict-ssl", "enableStrictSsl", "--strict-ssl"];
    let no = words.iter().find(|word| word.value() == "--no-strict-ssl");
    no.or_else(|| setting(words, &keys, is_no))
}

/// Returns the word that names one of these keys with a value that `is_off` says yes to: `key=value` or `key value`.
fn setting<'m>(
    words: &'m [ShellWord],
    keys: &[&str],
    is_off: impl Fn(&str) -> bool,
) -> Option<&'m ShellWord> {
    words.iter().enumerate().find_map(|(at, word)| {
        let found = match word.value().split_once('=') {
            Some((key, value)) => keys.contains(&key) && is_off(value),
            None => keys.contains(&word.value()) && is_off(words.get(at + 1)?.value()),
        };
        found.then_some(word)
    })
}

#[cfg(test)]
mod tests {
    use super::DISABLED_TLS_VERIFICATION as RULE;
    use crate::testing::{check_clean, check_fires, check_message};

    #[test]
    fn points_at_the_option() {
        check_fires(
            &RULE,
            "FROM a:1\nRUN curl «-fsSLk» https://x.example && wget «--no-check-certificate» y && pip install «--trusted-host» z a\n",
        );
        check_fires(
            &RULE,
            "FROM a:1\nRUN git config --global «http.sslVerify» false && git -c «http.sslVerify=false» clone x\n",
        );
        check_fires(
            &RULE,
            "FROM a:1\nRUN npm config set «strict-ssl» false && npm set «strict-ssl=false» && yum «--setopt=sslverify=false» update\n",
        );
    }

    #[test]
    fn variables_turn_the_check_off_too() {
        check_fires(
            &RULE,
            "FROM a:1\nENV A=b «NODE_TLS_REJECT_UNAUTHORIZED=0»\nARG «PYTHONHTTPSVERIFY=0»\nRUN «GIT_SSL_NO_VERIFY=1» git clone x && export «NPM_CONFIG_STRICT_SSL=false»\n",
        );
    }

    #[test]
    fn letters_behind_an_option_with_a_value_are_its_value() {
        check_clean(
            &RULE,
            "FROM a:1\nRUN curl -okubectl https://x.example && curl -H -k x\n",
        );
    }

    #[test]
    fn values_that_keep_the_check_are_fine() {
        check_clean(
            &RULE,
            "FROM a:1\nARG HOSTS\nENV NODE_TLS_REJECT_UNAUTHORIZED=1 GIT_SSL_NO_VERIFY=false PIP_TRUSTED_HOST=$HOSTS\nRUN git config http.sslVerify true && npm config set strict-ssl true\n",
        );
    }

    #[test]
    fn a_container_may_trust_itself() {
        check_clean(
            &RULE,
            "FROM a:1\nHEALTHCHECK CMD curl -kf https://$HOST/health\nCMD curl -k https://localhost:80\n",
        );
    }

    #[test]
    fn names_the_option_without_its_value() {
        check_message(
            &RULE,
            "FROM a:1\nRUN pip install --trusted-host=x a\n",
            "`--trusted-host` turns off the check of the server's certificate",
        );
    }
}
