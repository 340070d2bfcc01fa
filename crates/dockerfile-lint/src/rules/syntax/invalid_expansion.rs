use dockerfile_model::{Body, Instruction, Word};

use crate::RuleContext;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds words that the builder cannot expand: a quote or a brace that is not closed, an operator it does not know.
    ///
    /// ## Why
    /// The builder replaces variables in most instructions by itself, without a shell, and knows fewer forms than a shell does.
    /// `${NAME:0:3}`, `${#NAME}` and `${NAME^^}` work in RUN and fail in ENV.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM alpine:3.22
    /// ENV VERSION=1.2.3
    /// ENV MAJOR=${VERSION:0:1}
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM alpine:3.22
    /// ENV VERSION=1.2.3
    /// ENV MAJOR=${VERSION%%.*}
    /// ```
    ///
    /// ## Limits
    /// The text of RUN, CMD, ENTRYPOINT and HEALTHCHECK is left to the shell.
    pub(crate) INVALID_EXPANSION {
        name: "invalid-expansion",
        code: "DF007",
        aliases: [],
        severity: Error,
        status: Stable,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    for instruction in ctx.instructions() {
        for_each_word(instruction, &mut |word| {
            if let Some(error) = &word.error {
                ctx.report(error.range, error.message.clone())
                    .help("the builder expands this word itself; it knows `${X}`, `:-`, `:+`, `:?`, `#`, `%` and `/`");
            }
        });
    }
}

/// Calls `visit` for every word that the builder expands.
fn for_each_word(instruction: &Instruction, visit: &mut impl FnMut(&Word)) {
    instruction
        .flags
        .iter()
        .filter_map(|flag| flag.value.as_ref())
        .for_each(&mut *visit);
    match &instruction.body {
        Body::From(from) => from.image.iter().for_each(visit),
        Body::Copy(copy) => copy.sources.iter().chain(&copy.destination).for_each(visit),
        Body::Pairs(pairs) => {
            for pair in pairs {
                visit(&pair.key);
                pair.value.iter().for_each(&mut *visit);
            }
        }
        Body::Words(words) => words.iter().for_each(visit),
        Body::Value(value) => value.iter().for_each(visit),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::INVALID_EXPANSION as RULE;
    use crate::testing::{check_clean, check_fires};

    #[test]
    fn points_at_the_expansion() {
        check_fires(&RULE, "FROM a\nENV A=x${B«:0»:1}y\n");
    }

    #[test]
    fn what_the_builder_knows_is_fine() {
        check_clean(
            &RULE,
            "FROM a\nENV A=${B:-x}${C%%.*}${D//a/b} E='${'\nRUN echo ${F:0:1}\n",
        );
    }
}
