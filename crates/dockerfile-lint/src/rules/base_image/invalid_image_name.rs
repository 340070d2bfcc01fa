use dockerfile_model::image_ref::{ImageRefError, ImageRefErrorKind, ImageRefParts};
use dockerfile_model::{Base, ImageRef, Model, Word};
use dockerfile_source::{TextEdit, TextRange};

use super::{global_argument, is_placeholder, is_written_plainly, label_defaults, part_of_word};
use crate::RuleContext;
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
    /// Placeholders of template languages and build scripts, such as `{{ image }}`, `%%IMAGE%%` or `BASEIMAGE`, are not judged.
    /// On 22,777 public Dockerfiles it fires 42 times, mostly on test inputs; all were read, none was wrong.
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

fn check(ctx: &mut RuleContext<'_>) {
    let model = ctx.model();
    for stage in &model.stages {
        let Some(image) = &stage.image else {
            continue;
        };
        let Some(name) = image.value.as_deref() else {
            continue;
        };
        if image.has_variables() {
            if matches!(stage.base, Base::Image(_)) {
                check_default(ctx, model, image, name);
            }
            continue;
        }
        match &stage.base {
            Base::Image(_) if !is_placeholder(model, name) => match ImageRef::parse(name) {
                Ok(parsed) => check_registry(ctx, model, image, &parsed),
                Err(error) => report(ctx, model, image, name, &error),
            },
            Base::Stage(_) if stage.is_base_miscased => {
                report_stage(ctx, image, name);
            }
            _ => {}
        }
    }
}

/// Reports a name in upper case that the default of a variable gives. What else a default may lack is the business of
/// `invalid-default-arg-in-from`: a build argument is often meant to bring it.
fn check_default(ctx: &mut RuleContext<'_>, model: &Model, image: &Word, name: &str) {
    let is_upper = matches!(
        ImageRef::parse(name),
        Err(error) if error.kind == ImageRefErrorKind::UppercasePath
    );
    if !is_upper || is_placeholder(model, name) {
        return;
    }
    let text = part(name, ImageRefParts::split(name).path);
    let finding = ctx
        .report(
            image.range,
            format!("`{text}` cannot be an image name: it is not in lower case"),
        )
        .help(lower_case_help(name, &text.to_lowercase()));
    label_defaults(finding, model, image);
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

/// A first part in upper case makes a name, but one that no registry has.
fn check_registry(ctx: &mut RuleContext<'_>, model: &Model, image: &Word, parsed: &ImageRef) {
    let is_shouted =
        |host: &str| !host.contains(['.', ':']) && host.chars().any(char::is_uppercase);
    if let (Some(host), Some(range)) = (parsed.host(), parsed.parts().host)
        && is_shouted(host)
    {
        let message = format!("`{host}` is read as a registry, because it is not in lower case");
        report_case(ctx, model, image, range, &message);
    }
}

fn report(
    ctx: &mut RuleContext<'_>,
    model: &Model,
    image: &Word,
    name: &str,
    error: &ImageRefError,
) {
    match error.kind {
        ImageRefErrorKind::HoldsVariable => {}
        ImageRefErrorKind::UppercasePath => {
            let path = ImageRefParts::split(name).path;
            let text = part(name, path);
            let message = format!("`{text}` cannot be an image name: it is not in lower case");
            report_case(ctx, model, image, path, &message);
        }
        _ => {
            let range = part_of_word(image, error.range.into());
            ctx.report(range, error.kind.to_string())
                .help(help(&error.kind));
        }
    }
}

/// Reports a part that should be in lower case.
fn report_case(
    ctx: &mut RuleContext<'_>,
    model: &Model,
    image: &Word,
    at: TextRange,
    message: &str,
) {
    let name = image.value_or_text();
    let lower = part(name, at).to_lowercase();
    let range = part_of_word(image, at.into());
    let finding = ctx.report(range, message);
    if let Some(variable) = global_argument(model, name) {
        finding.help(format!("did you mean `${{{variable}}}`?"));
        return;
    }
    let finding = finding.help(lower_case_help(name, &lower));
    let before = name.get(..usize::from(at.start())).unwrap_or("");
    let behind = name.get(usize::from(at.end())..).unwrap_or("");
    let is_name = ImageRef::parse(&format!("{before}{lower}{behind}")).is_ok();
    if is_name && is_written_plainly(image) {
        finding.unsafe_fix(format!("write `{lower}`"), TextEdit::replace(range, lower));
    }
}

/// `untagged-base-image` is silent where the name is wrong, so this speaks of the tag, too.
fn lower_case_help(name: &str, lower: &str) -> String {
    let last = name.rsplit('/').next().unwrap_or(name);
    if last.contains([':', '@']) {
        format!("did you mean `{lower}`?")
    } else {
        format!(
            "did you mean `{lower}`? name a version, too, such as `{}:TAG`",
            name.to_lowercase()
        )
    }
}

fn part(name: &str, range: TextRange) -> &str {
    name.get(std::ops::Range::<usize>::from(range))
        .unwrap_or(name)
}

fn help(kind: &ImageRefErrorKind) -> &'static str {
    match kind {
        ImageRefErrorKind::Scheme => {
            "name the registry without it, such as `registry.example.com/app:1.0`"
        }
        ImageRefErrorKind::PathCharacter('<' | '>' | '[' | ']') => {
            "put the name of a real image in the place of the placeholder"
        }
        ImageRefErrorKind::EmptyTag => "write a tag after the colon, or leave out the colon",
        ImageRefErrorKind::EmptyDigest
        | ImageRefErrorKind::DigestWithoutAlgorithm
        | ImageRefErrorKind::DigestAlgorithm(_)
        | ImageRefErrorKind::DigestCharacter(_)
        | ImageRefErrorKind::DigestLength { .. } => {
            "a digest is `sha256:` and 64 hexadecimal digits"
        }
        ImageRefErrorKind::ImageId => "name the image that the ID belongs to, or tag it first",
        _ => {
            "an image name is `REGISTRY/PATH:TAG`, in lower-case letters and digits with single `.`, `_` or `-` between them"
        }
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
            "FROM «Ubuntu»:20.04 AS A\nFROM «UBUNTU»\nFROM ghcr.io/«Me/App»:V1\nFROM «Me»/app\n",
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
        assert_eq!(
            help,
            ["did you mean `ubuntu`? name a version, too, such as `ubuntu:TAG`"]
        );
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
            "ARG A=X\nFROM a/b:V1\nFROM $A\nFROM {{IMAGE}}\nFROM %%BASE%%\nFROM @BASE@\nFROM BASE_IMAGE\nFROM scratch\n",
        );
    }

    #[test]
    fn a_default_in_upper_case_is_no_name() {
        check_fires(&RULE, "ARG A=Ubuntu\nFROM «$A»\nFROM «${A}:22.04»\n");
        check_message(
            &RULE,
            "ARG A=MyOrg\nFROM docker.io/$A/app:1\n",
            "`MyOrg/app` cannot be an image name: it is not in lower case",
        );
        check_clean(
            &RULE,
            "ARG A=BASE\nARG B=a_:1\nARG C\nFROM $A\nFROM $B\nFROM $C\n",
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
