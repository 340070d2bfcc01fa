use dockerfile_model::{Base, Model, Origin, Word};
use dockerfile_source::TextEdit;

use super::{is_written_plainly, part_of_word};
use crate::RuleContext;
use crate::facts::image_name::{ImageNameFault, ImageNameFaultKind, image_name_fault};
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds names in FROM that cannot name an image: upper case, an address, stray characters.
    ///
    /// ## Why
    /// The name of an image is `[REGISTRY[:PORT]/]PATH[:TAG][@DIGEST]`, with a path in lower case.
    /// The builder refuses everything else before it looks for the image.
    /// Docker Hub's pages write `Ubuntu`, and the image is called `ubuntu`.
    /// The name of a stage is kept in lower case, and FROM finds it in lower case only: `FROM Build` is an image.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM Ubuntu:24.04
    /// ```
    /// ```dockerfile
    /// FROM https://registry.example.com/app:1.0
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM ubuntu:24.04
    /// ```
    ///
    /// ## Fix
    /// Unsafe: writes the name in lower case, where that makes it a name.
    ///
    /// ## Limits
    /// Names with variables in them are left to `invalid-default-arg-in-from`.
    /// Placeholders of template languages, such as `{{ image }}` or `%%IMAGE%%`, are not judged.
    pub(crate) INVALID_IMAGE_NAME {
        name: "invalid-image-name",
        code: "DF104",
        aliases: [],
        severity: Error,
        status: Stable,
        fix: Unsafe,
        check: check,
    }
}

/// What template languages and build scripts put where a name is to come.
const PLACEHOLDER_MARKS: [&str; 8] = ["{", "}", "%", "<%", "@@", "#", "((", "$"];

fn check(ctx: &mut RuleContext<'_>) {
    let model = ctx.model();
    for stage in &model.stages {
        let Some(image) = stage.image.as_ref().filter(|image| !image.has_variables()) else {
            continue;
        };
        let Some(name) = image.value.as_deref() else {
            continue;
        };
        match &stage.base {
            Base::Image(_) if !is_placeholder(name) => {
                if let Some(fault) = image_name_fault(name) {
                    report(ctx, model, image, name, &fault);
                }
            }
            Base::Stage(_) if name.chars().any(char::is_uppercase) => {
                report_stage(ctx, image, name);
            }
            _ => {}
        }
    }
}

fn is_placeholder(name: &str) -> bool {
    PLACEHOLDER_MARKS.iter().any(|mark| name.contains(mark))
        || (name.len() > 1 && name.starts_with('@') && name.ends_with('@'))
}

/// BuildKit keeps stages by their names in lower case and looks FROM up as it is written (`convert.go`, `addState`).
fn report_stage(ctx: &mut RuleContext<'_>, image: &Word, name: &str) {
    let lower = name.to_lowercase();
    let finding = ctx
        .report(
            image.range,
            format!("`{name}` is read as an image: FROM finds the stage as `{lower}` only"),
        )
        .help(format!("write `{lower}`"));
    if is_written_plainly(image) {
        finding.unsafe_fix(
            format!("write `{lower}`"),
            TextEdit::replace(image.range, lower),
        );
    }
}

fn report(
    ctx: &mut RuleContext<'_>,
    model: &Model,
    image: &Word,
    name: &str,
    fault: &ImageNameFault,
) {
    let range = part_of_word(image, fault.at.clone());
    let part = name.get(fault.at.clone()).unwrap_or(name);
    let finding = ctx.report(range, message(part, name, fault.kind));
    let lower = part.to_lowercase();
    let Some(help) = help(model, name, &lower, fault.kind) else {
        return;
    };
    let finding = finding.help(help);
    let is_case_alone = matches!(
        fault.kind,
        ImageNameFaultKind::UpperCase | ImageNameFaultKind::UpperCaseRegistry
    );
    if is_case_alone
        && is_written_plainly(image)
        && image_name_fault(&lowered(name, fault)).is_none()
    {
        finding.unsafe_fix(format!("write `{lower}`"), TextEdit::replace(range, lower));
    }
}

/// Returns the name with the faulty part in lower case.
fn lowered(name: &str, fault: &ImageNameFault) -> String {
    let piece = |range: std::ops::Range<usize>| name.get(range).unwrap_or("");
    let before = piece(0..fault.at.start);
    let behind = piece(fault.at.end..name.len());
    format!("{before}{}{behind}", piece(fault.at.clone()).to_lowercase())
}

fn message(part: &str, name: &str, kind: ImageNameFaultKind) -> String {
    match kind {
        ImageNameFaultKind::Empty => "the image has no name".to_owned(),
        ImageNameFaultKind::Scheme => format!("`{part}` cannot stand in front of an image name"),
        ImageNameFaultKind::UpperCase => {
            format!("`{part}` cannot be an image name: it is not in lower case")
        }
        ImageNameFaultKind::UpperCaseRegistry => {
            format!("`{part}` is read as a registry, because it is not in lower case")
        }
        ImageNameFaultKind::Character(character) => {
            format!("`{character}` cannot stand here in an image name")
        }
        ImageNameFaultKind::EmptyPart => format!("a part of the image name `{name}` is empty"),
        ImageNameFaultKind::EmptyTag => format!("the tag of `{name}` is empty"),
        ImageNameFaultKind::BadTag(character) => {
            format!("`{character}` cannot stand here in a tag")
        }
        ImageNameFaultKind::LongTag => "a tag has at most 128 characters".to_owned(),
        ImageNameFaultKind::BadDigest => format!("`{part}` is no digest"),
        ImageNameFaultKind::LongName => "an image name has at most 255 characters".to_owned(),
    }
}

fn help(model: &Model, name: &str, lower: &str, kind: ImageNameFaultKind) -> Option<String> {
    match kind {
        ImageNameFaultKind::UpperCase | ImageNameFaultKind::UpperCaseRegistry => {
            let variable = model.variables.iter().find(|variable| {
                variable.origin == Origin::GlobalArg && variable.name.as_str() == name
            });
            Some(match variable {
                Some(variable) => format!("did you mean `${{{}}}`?", variable.name),
                None => format!("did you mean `{lower}`?"),
            })
        }
        ImageNameFaultKind::Scheme => {
            Some("name the registry without it, such as `registry.example.com/app:1.0`".to_owned())
        }
        ImageNameFaultKind::Character('<' | '>' | '[' | ']') => {
            Some("put the name of a real image in the place of the placeholder".to_owned())
        }
        ImageNameFaultKind::EmptyTag => {
            Some("write a tag behind the colon, or leave out the colon".to_owned())
        }
        ImageNameFaultKind::BadDigest => {
            Some("a digest is `sha256:` and 64 hexadecimal digits".to_owned())
        }
        _ => Some("an image name is `REGISTRY/PATH:TAG`, with letters, digits and single `.`, `_`, `-` between them".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::INVALID_IMAGE_NAME as RULE;
    use crate::testing::{check_clean, check_fires, check_fix, check_message, findings};

    #[test]
    fn points_at_the_part_in_upper_case() {
        check_fires(
            &RULE,
            "FROM «Ubuntu»:20.04 AS A\nFROM ghcr.io/«Me/App»:V1\nFROM «Me»/app\n",
        );
    }

    #[test]
    fn points_at_the_character_out_of_place() {
        check_fires(
            &RULE,
            "FROM debian«:»\nFROM «<»image>\nFROM «http://»a.b/c\n",
        );
    }

    #[test]
    fn a_stage_is_found_in_lower_case_only() {
        check_fires(&RULE, "FROM a:1 AS Build\nFROM «Build»\nFROM build\n");
    }

    #[test]
    fn suggests_the_lower_case_name() {
        let found = findings("FROM Ubuntu\n", &RULE);
        let help: Vec<_> = found
            .iter()
            .filter_map(|found| found.help.as_deref())
            .collect();
        assert_eq!(help, ["did you mean `ubuntu`?"]);
        check_message(
            &RULE,
            "FROM Ubuntu\n",
            "`Ubuntu` cannot be an image name: it is not in lower case",
        );
    }

    #[test]
    fn suggests_the_variable_of_that_name() {
        let found = findings("ARG BASE=a:1\nFROM BASE\n", &RULE);
        let help: Vec<_> = found
            .iter()
            .filter_map(|found| found.help.as_deref())
            .collect();
        assert_eq!(help, ["did you mean `${BASE}`?"]);
    }

    #[test]
    fn names_variables_and_placeholders_are_fine() {
        check_clean(
            &RULE,
            "ARG A=X\nFROM a/b:V1\nFROM $A\nFROM {{IMAGE}}\nFROM %%BASE%%\nFROM @BASE@\nFROM scratch\n",
        );
    }

    #[test]
    fn writes_lower_case() {
        check_fix(
            &RULE,
            "FROM Ubuntu:Focal AS b\n",
            "FROM ubuntu:Focal AS b\n",
        );
        check_fix(&RULE, "FROM a:1 AS B\nFROM B\n", "FROM a:1 AS B\nFROM b\n");
        check_fix(&RULE, "FROM MyOrg/app\n", "FROM myorg/app\n");
    }
}
