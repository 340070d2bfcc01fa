use dockerfile_model::Keyword;

use crate::facts::copy_source::{CopySource, copy_sources, is_whole_context};
use crate::rule::declare_rule;
use crate::{IgnoreFileFact, RuleContext};

declare_rule! {
    /// ## What it does
    /// Finds COPY of the whole build context where there is no `.dockerignore`.
    ///
    /// ## Why
    /// `.git`, results of earlier builds, local settings and secrets get into the image.
    /// Each of them makes the builder copy everything again when it changes.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM node:22
    /// WORKDIR /app
    /// COPY . .
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM node:22
    /// WORKDIR /app
    /// COPY package.json src ./
    /// ```
    ///
    /// ## Limits
    /// The ignore file is looked for beside the Dockerfile; a build with another folder as its context may have one there.
    /// Silent where nobody has looked for an ignore file, as for text from standard input.
    /// One finding for each file.
    /// On 22,777 public Dockerfiles, which stand there without their projects, it fires 4,148 times: that is how many copy the whole context, not how many lack an ignore file; of 50 read, none copied less.
    pub(crate) COPY_WITHOUT_IGNORE_FILE {
        name: "copy-without-ignore-file",
        code: "DF405",
        aliases: [],
        severity: Info,
        status: Stable,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    if !matches!(ctx.options().ignore_file, IgnoreFileFact::Absent) {
        return;
    }
    for instruction in &ctx.model().instructions {
        let is_copy = matches!(instruction.keyword, Keyword::Copy | Keyword::Add);
        let has_choice =
            instruction.flag("from").is_some() || instruction.flag("exclude").is_some();
        if !is_copy || has_choice {
            continue;
        }
        let whole = copy_sources(instruction)
            .find(|(_, source)| matches!(source, CopySource::Path(path) if is_whole_context(path)));
        if let Some((word, _)) = whole {
            ctx.report(
                word.range,
                format!(
                    "`{}` copies all of the context, and there is no `.dockerignore`",
                    word.text
                ),
            )
            .help("write a `.dockerignore` with at least `.git`, or name what is needed");
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::COPY_WITHOUT_IGNORE_FILE as RULE;
    use crate::testing::{check_clean, check_fires, check_message, only};
    use crate::{IgnoreFileFact, Options, check};

    #[test]
    fn fires_once_at_the_first_copy_of_all() {
        check_fires(&RULE, "FROM a:1\nCOPY a /a\nCOPY «.» /app\nCOPY . /b\n");
        check_fires(&RULE, "FROM a:1\nADD a «./» /app/\n");
    }

    #[test]
    fn parts_other_stages_and_exclusions_are_fine() {
        check_clean(
            &RULE,
            "FROM a:1 AS s\nCOPY src /app\nCOPY --from=s . /x\nCOPY --exclude=.git . /y\n",
        );
    }

    #[test]
    fn silent_with_an_ignore_file_and_where_nobody_looked() {
        for ignore_file in [
            IgnoreFileFact::Unknown,
            IgnoreFileFact::Present(String::new()),
        ] {
            let options = Options {
                ignore_file,
                ..only(&RULE)
            };
            let source = dockerfile_source::SourceFile::new("Dockerfile", "FROM a:1\nCOPY . /\n");
            assert!(check(&source, &options).is_empty());
        }
    }

    #[test]
    fn says_what_is_missing() {
        check_message(
            &RULE,
            "FROM a:1\nCOPY . /app\n",
            "`.` copies all of the context, and there is no `.dockerignore`",
        );
    }
}
