use dockerfile_model::{Join, Keyword, ShellWord};

use super::unquoted;
use crate::RuleContext;
use crate::facts::called_program::called_program;
use crate::facts::package_action::is_python;
use crate::facts::program_call::ProgramCall;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds scripts that are downloaded and run in one go.
    ///
    /// ## Why
    /// Whoever answers at that address decides what runs in the build, today and on every later build.
    /// When the download breaks off, the shell has already run the first half of the script.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM debian:12
    /// RUN curl -fsSL https://example.com/install.sh | sh
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM debian:12
    /// ADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d https://example.com/install.sh /tmp/
    /// RUN sh /tmp/install.sh
    /// ```
    ///
    /// ## Limits
    /// Knows `curl URL | sh`, `sh -c "$(curl URL)"`, `eval "$(curl URL)"` and `bash <(curl URL)`, with curl or wget and the usual interpreters.
    /// A script that is first written to a file and never checked is the same danger, and is not found.
    /// On 22,777 public Dockerfiles it fires 1353 times; of 60 read, none was wrong.
    pub(crate) PIPED_INSTALLER {
        name: "piped-installer",
        code: "DF908",
        aliases: [],
        severity: Warning,
        status: Preview,
        fix: None,
        check: check,
    }
}

/// A pipe may be as long as the file; every interpreter in it looks back.
const LONGEST_PIPE: usize = 64;

const SHELLS: &[&str] = &["sh", "bash", "ash", "dash", "zsh", "ksh"];

fn check(ctx: &mut RuleContext<'_>) {
    for call in ctx.program_calls() {
        if call.instruction.keyword != Keyword::Run {
            continue;
        }
        let Some((word, download)) = piped(call).or_else(|| substituted(call)) else {
            continue;
        };
        let name = call.called.name;
        ctx.report(word.range, format!("`{name}` runs whatever the download brings"))
            .label(download.range, "the script comes from here")
            .help("download the script to a file, check its checksum (`ADD --checksum` does), then run it");
    }
}

/// Finds `curl URL | sh`: the interpreter, and the program that downloads.
fn piped<'m>(call: &ProgramCall<'m>) -> Option<(&'m ShellWord, &'m ShellWord)> {
    if call.command.join != Join::Pipe || !reads_script(call) {
        return None;
    }
    let download = call
        .pipeline_before()
        .take(LONGEST_PIPE)
        .filter_map(called_program)
        .find(|writer| writer.is(&["curl", "wget"]))?;
    Some((call.called.word, download.word))
}

/// Returns whether an interpreter reads its script from the pipe.
fn reads_script(call: &ProgramCall<'_>) -> bool {
    let name = call.called.name;
    let words = call.called.arguments;
    let reads = |words: &[ShellWord]| {
        words
            .iter()
            .all(|word| word.is_option() || word.value() == "-")
    };
    if SHELLS.contains(&name) {
        // Behind `-s`, words are arguments of the script.
        return call.called.option(&["-s"]).is_some()
            || (call.called.option(&["-c"]).is_none() && reads(words))
            || words
                .first()
                .is_some_and(|word| matches!(word.value(), "-" | "/dev/stdin"));
    }
    let takes_code = call
        .called
        .option(&["-c", "-e", "-m", "-n", "-p", "-E", "-r", "--version"])
        .is_some();
    (is_python(name) || matches!(name, "perl" | "ruby" | "node" | "php"))
        && !takes_code
        && (reads(words) || words.first().is_some_and(|word| word.value() == "-"))
}

/// Finds `sh -c "$(curl URL)"`, `eval "$(curl URL)"` and `bash <(curl URL)`.
fn substituted<'m>(call: &ProgramCall<'m>) -> Option<(&'m ShellWord, &'m ShellWord)> {
    if !SHELLS.contains(&call.called.name) && !call.is(&["eval", "source", "."]) {
        return None;
    }
    let word = call.called.arguments.iter().find(|word| {
        word.has_expansion()
            && ["$(", "`", "<("]
                .iter()
                .any(|start| unquoted(word).starts_with(start))
    })?;
    let inner = call
        .later_commands()
        .first()
        .filter(|inner| word.range.contains_range(inner.range))?;
    let download = called_program(inner).filter(|inner| inner.is(&["curl", "wget"]))?;
    Some((call.called.word, download.word))
}

#[cfg(test)]
mod tests {
    use super::PIPED_INSTALLER as RULE;
    use crate::testing::{check_clean, check_fires};

    #[test]
    fn points_at_the_interpreter() {
        check_fires(&RULE, "FROM a:1\nRUN curl -fsSL https://x.example | «sh»\n");
        check_fires(
            &RULE,
            "FROM a:1\nRUN wget -qO- x | A=b sudo -E «bash» -s -- -y && curl y | «python3» -\n",
        );
        check_fires(&RULE, "FROM a:1\nRUN curl x | sed s/a/b/ | «bash» -\n");
        check_fires(
            &RULE,
            "FROM a:1\nRUN curl https://x.example/$(uname -m) | «sh»\n",
        );
        check_fires(&RULE, "FROM a:1\nRUN (curl x || wget y) | «sh»\n");
    }

    #[test]
    fn substitutions_run_downloads_too() {
        check_fires(
            &RULE,
            "FROM a:1\nRUN «sh» -c \"$(curl -fsSL x)\" && «bash» <(curl y)\n",
        );
    }

    #[test]
    fn other_uses_of_a_download_are_fine() {
        check_clean(
            &RULE,
            "FROM a:1\nRUN curl x | tar xz && curl x | python3 -m json.tool && curl x | bash install.sh\n",
        );
        check_clean(
            &RULE,
            "FROM a:1\nRUN curl -o i.sh x && sh i.sh && echo a | sh && sh -c \"echo $(curl x)\"\n",
        );
        check_clean(
            &RULE,
            "FROM a:1\nRUN if a; then curl x; fi; b | sh && echo $(curl x) | sh\n",
        );
    }
}
