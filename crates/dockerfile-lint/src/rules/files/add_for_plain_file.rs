use dockerfile_model::{Instruction, Keyword};
use dockerfile_source::{TextEdit, TextLen};

use crate::RuleContext;
use crate::facts::copy_source::{CopySource, PathKind, copy_sources, path_kind};
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds ADD that copies plain files or directories from the build context.
    ///
    /// ## Why
    /// ADD also unpacks archives and fetches URLs.
    /// A reader of the file has to find out whether it does so here, and a file that becomes an archive one day is suddenly unpacked.
    /// COPY copies, and nothing else.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM python:3.13
    /// ADD app.py /app/
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM python:3.13
    /// COPY app.py /app/
    /// ADD site.tar.gz /srv/
    /// ADD https://example.com/tool /usr/local/bin/tool
    /// ```
    ///
    /// ## Fix
    /// Writes `COPY` in place of `ADD`.
    /// Safe where every source is a directory or a name with an extension that archives do not have.
    /// Unsafe where a name has no extension, a pattern may match anything, or a variable may be given another value: BuildKit looks into the file, not at its name, so an archive of any name is unpacked by ADD and would be copied by COPY.
    ///
    /// ## Limits
    /// Silent where one of the sources is a URL, a Git repository, a name of an archive or a variable without a value, and where a flag is used that only ADD has.
    /// On 22,777 public Dockerfiles it fires 9,464 times; of 50 read, none was wrong.
    pub(crate) ADD_FOR_PLAIN_FILE {
        name: "add-for-plain-file",
        code: "DF601",
        aliases: ["DL3020"],
        severity: Info,
        status: Stable,
        fix: Safe,
        check: check,
    }
}

/// Flags that COPY does not have (BuildKit `instructions/parse.go`, `parseAdd`).
const FLAGS_OF_ADD: [&str; 3] = ["checksum", "keep-git-dir", "unpack"];

fn check(ctx: &mut RuleContext<'_>) {
    for instruction in ctx.instructions_of(&[Keyword::Add]) {
        let Some(certainty) = judge(instruction) else {
            continue;
        };
        let Some((first, _)) = copy_sources(instruction).next() else {
            continue;
        };
        let keyword = copy_keyword(&instruction.keyword_text);
        let range = instruction.keyword_range;
        let finding = ctx
            .report(
                range,
                format!(
                    "`{}` copies `{}`, which is neither an archive nor a URL",
                    instruction.keyword_text, first.text
                ),
            )
            .help(format!(
                "use `{keyword}`, which copies and does nothing else"
            ));
        // A continuation inside of the keyword makes its range longer than its text.
        if range.len() != instruction.keyword_text.as_str().text_len() {
            continue;
        }
        let title = format!("write `{keyword}`");
        let edit = TextEdit::replace(range, keyword);
        match certainty {
            Certainty::Sure => finding.safe_fix(title, edit),
            Certainty::Likely => finding.unsafe_fix(title, edit),
        };
    }
}

/// How sure it is that ADD does here what COPY does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Certainty {
    Sure,
    Likely,
}

/// Returns how sure it is that nothing is unpacked and nothing fetched; none where one of both may be meant.
fn judge(instruction: &Instruction) -> Option<Certainty> {
    let uses_add = FLAGS_OF_ADD
        .iter()
        .any(|flag| instruction.flag(flag).is_some());
    if uses_add || instruction.copy()?.destination.is_none() {
        return None;
    }
    let mut certainty = Certainty::Sure;
    for (word, source) in copy_sources(instruction) {
        let path = match source {
            CopySource::Heredoc => continue,
            CopySource::Remote => return None,
            CopySource::Path(path) | CopySource::Unknown(path) => path,
        };
        match path_kind(path) {
            PathKind::Directory | PathKind::PlainFile => {
                if word.has_variables() {
                    certainty = Certainty::Likely;
                }
            }
            PathKind::Archive => return None,
            PathKind::Unclear if path.contains(['*', '?', '[', '$']) => return None,
            PathKind::Unclear => certainty = Certainty::Likely,
        }
    }
    Some(certainty)
}

/// Returns `COPY` in the letter case of the keyword that it replaces.
fn copy_keyword(add: &str) -> &'static str {
    match add {
        "add" => "copy",
        "Add" => "Copy",
        _ => "COPY",
    }
}

#[cfg(test)]
mod tests {
    use dockerfile_source::Applicability;

    use super::ADD_FOR_PLAIN_FILE as RULE;
    use crate::testing::{check_clean, check_fires, check_fix, check_message, findings};

    #[test]
    fn fires_on_files_and_directories_of_the_context() {
        check_fires(
            &RULE,
            "FROM a:1\n«ADD» app.py /\n«add» . /app\n«ADD» --chown=a [\"a b.txt\", \"/\"]\nONBUILD «ADD» src/ /\n",
        );
    }

    #[test]
    fn archives_urls_and_flags_of_add_need_add() {
        check_clean(
            &RULE,
            "FROM a:1\nADD a.tar.gz /\nADD a.py b.tgz /x/\nADD https://a/b /\nADD git@github.com:a/b.git /\nADD --keep-git-dir=true . /\nADD --unpack=true a.py /\n",
        );
    }

    #[test]
    fn unknown_variables_and_patterns_may_be_archives() {
        check_clean(&RULE, "FROM a:1\nARG X\nADD $X /\nADD rootfs* /\n");
        check_fires(&RULE, "FROM a:1\n«ADD» target/*.jar app.jar\n");
    }

    #[test]
    fn a_variable_is_judged_by_its_default() {
        check_fires(
            &RULE,
            "FROM a:1\nARG JAR=target/*.jar\n«ADD» ${JAR} app.jar\n",
        );
        check_clean(&RULE, "FROM a:1\nARG SRC=https://a/b\nADD $SRC /\n");
    }

    #[test]
    fn says_what_is_copied() {
        check_message(
            &RULE,
            "FROM a:1\nADD app.py b.py /x/\n",
            "`ADD` copies `app.py`, which is neither an archive nor a URL",
        );
    }

    #[test]
    fn keeps_the_letter_case_of_the_keyword() {
        check_fix(
            &RULE,
            "FROM a:1\nADD --chown=a x.py /\nadd y/ /\nAdd z.py /\n",
            "FROM a:1\nCOPY --chown=a x.py /\ncopy y/ /\nCopy z.py /\n",
        );
    }

    #[test]
    fn a_name_without_extension_may_be_an_archive_so_the_fix_is_unsafe() {
        let applicability = |text: &str| {
            findings(text, &RULE)
                .first()
                .and_then(|finding| finding.fix.as_ref())
                .map(|fix| fix.applicability)
        };
        assert_eq!(
            applicability("FROM a:1\nADD rootfs /\n"),
            Some(Applicability::Unsafe)
        );
        assert_eq!(
            applicability("FROM a:1\nADD rootfs/ /\n"),
            Some(Applicability::Safe)
        );
    }

    #[test]
    fn no_fix_across_a_continuation_in_the_keyword() {
        let found = findings("FROM a:1\nAD\\\nD a.py /\n", &RULE);
        assert!(found.iter().all(|finding| finding.fix.is_none()));
        assert_eq!(found.len(), 1);
    }
}
