use dockerfile_model::Keyword;

use crate::RuleContext;
use crate::facts::copy_source::{CopySource, copy_sources};
use crate::facts::windows::has_drive_letter;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds sources of COPY and ADD that are meant to lie outside of the build context.
    ///
    /// ## Why
    /// The builder sees the build context only.
    /// It drops the leading `..` and reads `../lib` as `lib` in the context, and `/home/me/lib` as `home/me/lib` in the context.
    /// The build fails, or copies something else.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM debian:12
    /// COPY ../lib /lib/app
    /// ```
    ///
    /// ```dockerfile
    /// FROM debian:12
    /// COPY ~/.ssh/config /etc/ssh/
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM debian:12
    /// COPY lib /lib/app
    /// COPY --from=shared lib /lib/shared
    /// ```
    ///
    /// ## Limits
    /// Absolute paths are judged only where they name a home directory, `~`, `/home/NAME/...` or `/Users/NAME/...`, or a drive letter.
    /// With `--from` the path is one of another stage or image, and is not judged.
    /// On 22,777 public Dockerfiles it fires 38 times; all of them read; 30 stand in two files made to test a builder, and the other 8 are right.
    pub(crate) SOURCE_OUTSIDE_CONTEXT {
        name: "source-outside-context",
        code: "DF608",
        aliases: [],
        severity: Error,
        status: Stable,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    for instruction in ctx.instructions_of(&[Keyword::Copy, Keyword::Add]) {
        if instruction.flag("from").is_some() {
            continue;
        }
        for (word, source) in copy_sources(instruction) {
            let (CopySource::Path(path) | CopySource::Unknown(path)) = source else {
                continue;
            };
            let help = if leaves_context(path) {
                format!(
                    "the builder reads it as `{}` in the context; build with a parent directory as the context, or name the other directory with `--build-context`",
                    inside_context(path)
                )
            } else if is_home_path(path) {
                "copy the file into the build context, or mount it with `RUN --mount=type=secret` when it is a secret".to_owned()
            } else {
                continue;
            };
            ctx.report(
                word.range,
                format!("`{path}` lies outside of the build context"),
            )
            .help(help);
        }
    }
}

/// Returns whether `..` leads out of the context.
fn leaves_context(path: &str) -> bool {
    let mut depth = 0_i32;
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if depth == 0 => return true,
            ".." => depth -= 1,
            _ => depth += 1,
        }
    }
    false
}

/// Returns the path that the builder takes: Go's `path.Clean` of `/` and the path.
fn inside_context(path: &str) -> String {
    let cleaned = dockerfile_model::clean_path(path);
    match cleaned.trim_start_matches('/') {
        "" => ".".to_owned(),
        inside => inside.to_owned(),
    }
}

fn is_home_path(path: &str) -> bool {
    if path == "~" || path.starts_with("~/") || (has_drive_letter(path) && path.len() > 2) {
        return true;
    }
    ["/home/", "/Users/"].iter().any(|home| {
        path.strip_prefix(home)
            .and_then(|behind| behind.split_once('/'))
            .is_some_and(|(name, rest)| !name.is_empty() && !rest.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::SOURCE_OUTSIDE_CONTEXT as RULE;
    use crate::testing::{check_clean, check_fires, check_message, findings};

    #[test]
    fn parents_of_the_context_are_out_of_reach() {
        check_fires(
            &RULE,
            "FROM a:1\nCOPY «../x» b/../c «..» «a/../../x» /d/\nADD [\"«../y»\", \"/d/\"]\nARG A\nCOPY «../$A» /d\n".replace("[\"«../y»\"", "[«\"../y\"»").as_str(),
        );
    }

    #[test]
    fn home_directories_are_out_of_reach() {
        check_fires(
            &RULE,
            "FROM a:1\nCOPY «~/.ssh» /x\nCOPY «/home/me/a» /x\nCOPY «/Users/me/a» /x\nCOPY «C:\\a» /x\n",
        );
    }

    #[test]
    fn paths_in_the_context_and_in_other_stages_are_fine() {
        check_clean(
            &RULE,
            "FROM a:1 AS s\nFROM a:1\nCOPY a/../b /x\nCOPY /etc /etc\nCOPY --from=s ../x /home/me/y /z/\nADD https://a/../b /x\nCOPY ..a /x\nCOPY /home/me /x\n",
        );
    }

    #[test]
    fn says_what_the_builder_reads_instead() {
        let text = "FROM a:1\nCOPY ../x/./y /d\n";
        check_message(&RULE, text, "`../x/./y` lies outside of the build context");
        let help = findings(text, &RULE).pop().and_then(|finding| finding.help);
        assert!(help.is_some_and(|help| help.contains("reads it as `x/y` in the context")));
    }
}
