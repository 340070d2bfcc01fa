use dockerfile_model::{Keyword, ShellWord};
use dockerfile_source::TextRange;

use crate::RuleContext;
use crate::facts::called_program::CalledProgram;
use crate::facts::options::OptionSyntax;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds files that everybody may write: `chmod 777`, `a+rwx`, `o+w` in RUN, and `--chmod=777` of COPY and ADD.
    ///
    /// ## Why
    /// Whoever gets a foot into the container can change these files, whichever user the program runs as.
    /// Mostly the file only has to be executable, or to belong to the user who writes it.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM debian:12
    /// RUN chmod -R 777 /app
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM debian:12
    /// RUN chmod 755 /app/start.sh && chown -R app /app/data
    /// ```
    ///
    /// ## Limits
    /// Modes with the sticky bit, such as 1777, are fine, and so are files below `/tmp`, `/var/tmp`, `/run`, `/var/run` and `/dev`.
    /// Stages whose files do not get into the final image are not judged.
    /// On 22,777 public Dockerfiles it fires 944 times in 637 files; of 70 read, all are as it says, and about 20 open a folder on purpose, for users whose number is not known when the image is built.
    pub(crate) WORLD_WRITABLE {
        name: "world-writable",
        code: "DF507",
        aliases: [],
        severity: Warning,
        status: Stable,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    for call in ctx.calls_of(&["chmod"]) {
        if call.instruction.keyword == Keyword::Run
            && ctx.is_shipped(call.instruction)
            && let Some(mode) = open_mode(&call.called)
        {
            report(ctx, mode.range, mode.value());
        }
    }
    for instruction in ctx.instructions_of(&[Keyword::Copy, Keyword::Add]) {
        let mode = instruction
            .flag("chmod")
            .and_then(|flag| flag.value.as_ref());
        if ctx.is_shipped(instruction)
            && let Some(mode) = mode
            && let Some(value) = mode.value.as_deref()
            && is_open(value)
        {
            report(ctx, mode.range, value);
        }
    }
}

fn report(ctx: &mut RuleContext<'_>, range: TextRange, mode: &str) {
    ctx.report(range, format!("mode `{mode}` lets everybody write"))
        .help("`755` makes a file executable; to let the program write it, give it to its user with `chown` or `COPY --chown`");
}

/// Returns the mode of chmod when it lets everybody write something that stays in the image.
fn open_mode<'m>(chmod: &CalledProgram<'m>) -> Option<&'m ShellWord> {
    // `-w` and `-x` are modes that take rights away; here they count as options, which finds the next word.
    let mut operands = chmod.operands(OptionSyntax::new("", &[]));
    let mode = operands.next()?;
    if !is_open(mode.literal()?) {
        return None;
    }
    let mut has_target = false;
    for target in operands {
        has_target = true;
        if !is_scratch(target.value()) {
            return Some(mode);
        }
    }
    // `find ... -exec chmod 777 {}` and `xargs chmod 777` name no file.
    (!has_target).then_some(mode)
}

/// Returns whether a path is there for everybody to write below.
fn is_scratch(path: &str) -> bool {
    ["/tmp", "/var/tmp", "/dev", "/run", "/var/run"]
        .iter()
        .any(|folder| {
            path.strip_prefix(folder)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
}

/// Returns whether a mode gives others the right to write, without the sticky bit.
fn is_open(mode: &str) -> bool {
    let is_octal = !mode.is_empty() && mode.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    if is_octal {
        return u32::from_str_radix(mode, 8)
            .is_ok_and(|bits| bits & 0o002 != 0 && bits & 0o1000 == 0);
    }
    !mode.contains('t') && mode.split(',').any(is_open_clause)
}

/// Returns whether `who` `+` or `=` `rights` gives others the right to write. Without `who`, the umask takes it off.
fn is_open_clause(clause: &str) -> bool {
    let Some(at) = clause.find(['+', '=', '-']) else {
        return false;
    };
    let (who, change) = clause.split_at(at);
    !who.is_empty()
        && who.bytes().all(|byte| b"ugoa".contains(&byte))
        && who.contains(['o', 'a'])
        && !change.starts_with('-')
        && change.contains('w')
}

#[cfg(test)]
mod tests {
    use super::{WORLD_WRITABLE as RULE, is_open};
    use crate::testing::{check_clean, check_fires};

    #[test]
    fn reads_modes() {
        for mode in [
            "777",
            "0777",
            "666",
            "a+rwx",
            "o+w",
            "u+x,ugo+rw",
            "a=rw",
            "002",
        ] {
            assert!(is_open(mode), "{mode}");
        }
        for mode in [
            "755", "1777", "+w", "+x", "a+rx", "o-w", "g=u", "a+rwxt", "775", "", "7778",
        ] {
            assert!(!is_open(mode), "{mode}");
        }
    }

    #[test]
    fn points_at_the_mode() {
        check_fires(
            &RULE,
            "FROM a\nRUN x && chmod -R «777» /app\nCOPY --chmod=«777» x y\nRUN ls | xargs chmod «a+w»\n",
        );
    }

    #[test]
    fn stages_that_are_thrown_away_are_fine() {
        check_clean(
            &RULE,
            "FROM a AS b\nRUN chmod 777 /x\nFROM c\nCOPY --from=b /x /x\n",
        );
    }

    #[test]
    fn scratch_folders_and_other_modes_are_fine() {
        check_clean(
            &RULE,
            "FROM a\nRUN chmod 777 /tmp /run/x && chmod 1777 /x && chmod +x y && chmod $M z\nCOPY --chmod=644 x y\n",
        );
    }
}
