use dockerfile_model::{IgnoreFile, Keyword};

use crate::facts::copy_source::{CopySource, copy_sources, is_pattern};
use crate::rule::declare_rule;
use crate::{IgnoreFileFact, RuleContext};

declare_rule! {
    /// ## What it does
    /// Finds sources of COPY and ADD that the ignore file keeps out of the build context.
    ///
    /// ## Why
    /// The builder does not see the file, so the build fails with "not found".
    ///
    /// ## Bad
    /// With a `.dockerignore` that says `node_modules`:
    /// ```dockerfile
    /// FROM node:22
    /// COPY node_modules /app/node_modules
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM node:22
    /// COPY --from=build /app/node_modules /app/node_modules
    /// ```
    ///
    /// ## Limits
    /// Silent where the ignore file has exceptions (lines that begin with `!`), as BuildKit is: a directory that is ignored may hold files that are not.
    /// Silent for patterns and for names with variables of unknown value.
    pub(crate) IGNORED_COPY_SOURCE {
        name: "ignored-copy-source",
        code: "DF609",
        aliases: ["CopyIgnoredFile"],
        severity: Warning,
        status: Stable,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    let IgnoreFileFact::Present(text) = &ctx.options().ignore_file else {
        return;
    };
    let Ok(ignore_file) = IgnoreFile::parse(text) else {
        return;
    };
    let patterns = ignore_file.patterns();
    if patterns.is_empty() || patterns.iter().any(|pattern| pattern.is_exception) {
        return;
    }
    for instruction in &ctx.model().instructions {
        let is_copy = matches!(instruction.keyword, Keyword::Copy | Keyword::Add);
        if !is_copy || instruction.flag("from").is_some() {
            continue;
        }
        for (word, source) in copy_sources(instruction) {
            let CopySource::Path(path) = source else {
                continue;
            };
            let path = dockerfile_model::clean_path(path);
            let path = path.trim_start_matches('/');
            let everything = ignore_file.everything_pattern().filter(|_| path.is_empty());
            let is_ignored = everything.is_some() || ignore_file.is_ignored(path);
            if !is_ignored || is_pattern(path) {
                continue;
            }
            let pattern =
                everything.or_else(|| patterns.iter().find(|pattern| pattern.matches(path)));
            let message = format!(
                "`{}` is kept out of the build context by the ignore file",
                word.text
            );
            let help = match pattern {
                Some(pattern) => format!(
                    "take it out of the ignore file, where line {} says `{}`",
                    pattern.line + 1,
                    pattern.pattern
                ),
                None => "take it out of the ignore file".to_owned(),
            };
            ctx.report(word.range, message).help(help);
        }
    }
}

#[cfg(test)]
mod tests {
    use dockerfile_source::SourceFile;

    use super::IGNORED_COPY_SOURCE as RULE;
    use crate::testing::{check_clean, only};
    use crate::{IgnoreFileFact, Options, check};

    fn found(text: &str, ignore_file: &str) -> Vec<(String, Option<String>)> {
        let options = Options {
            ignore_file: IgnoreFileFact::Present(ignore_file.to_owned()),
            ..only(&RULE)
        };
        let source = SourceFile::new("Dockerfile", text);
        check(&source, &options)
            .into_iter()
            .map(|finding| (source.slice(finding.range).to_owned(), finding.help))
            .collect()
    }

    fn sources(text: &str, ignore_file: &str) -> Vec<String> {
        found(text, ignore_file)
            .into_iter()
            .map(|(source, _)| source)
            .collect()
    }

    #[test]
    fn points_at_the_source_that_is_ignored() {
        let text =
            "FROM scratch\nCOPY ./Dockerfile a .\nADD x/Dockerfile /y\nCOPY node_modules/z /z\n";
        assert_eq!(
            sources(text, "Dockerfile\nnode_modules\n"),
            ["./Dockerfile", "node_modules/z"]
        );
    }

    #[test]
    fn the_whole_context_is_ignored_by_a_star_alone() {
        assert_eq!(sources("FROM scratch\nCOPY . .\n", "*\n"), ["."]);
        assert!(sources("FROM scratch\nCOPY . .\n", ".*\n").is_empty());
    }

    #[test]
    fn other_stages_urls_and_patterns_are_not_in_the_context() {
        let text = "FROM scratch AS a\nCOPY --from=a /x /x\nADD https://a/x /x\nCOPY *.x /x\nARG V\nCOPY $V /x\nCOPY <<E /x\nE\n";
        assert!(sources(text, "x\n**/*.x\n").is_empty());
    }

    #[test]
    fn exceptions_keep_it_silent() {
        assert!(sources("FROM scratch\nCOPY a .\n", "*\n!b\n").is_empty());
        check_clean(&RULE, "FROM scratch\nCOPY a .\n");
    }

    #[test]
    fn names_the_line_that_does_it() {
        let found = found("FROM scratch\nCOPY a/b .\n", "# x\n\na\n");
        let help = found.first().and_then(|(_, help)| help.as_deref());
        assert!(
            help.is_none_or(|help| help.contains("ignore file")),
            "{help:?}"
        );
    }
}
