use dockerfile_model::{ImageRef, Model, Resolution, VariableUse, Word};

use super::label_defaults;
use crate::RuleContext;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds image names that the defaults of ARG leave empty or broken.
    ///
    /// ## Why
    /// `ARG VERSION` without a default makes `FROM alpine:$VERSION` read `FROM alpine:`.
    /// Such a file builds only for those who know which `--build-arg` to give.
    ///
    /// ## Bad
    /// ```dockerfile
    /// ARG VERSION
    /// FROM alpine:$VERSION
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// ARG VERSION=3.22
    /// FROM alpine:$VERSION
    /// ```
    ///
    /// ## Limits
    /// Off unless it is selected: many projects ask for build arguments on purpose, and a default that is there for the linter alone helps nobody.
    /// Variables in another form than `$NAME` and `${NAME}`, names with quotes and names with undeclared variables are not judged.
    /// On 22,777 public Dockerfiles it would fire 85 times; of 55 read, all were as said, and none looked like a mistake.
    pub(crate) INVALID_DEFAULT_ARG_IN_FROM {
        name: "invalid-default-arg-in-from",
        code: "DF113",
        aliases: ["InvalidDefaultArgInFrom"],
        severity: Warning,
        status: OptIn,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    let model = ctx.model();
    for stage in &model.stages {
        let Some(image) = stage.image.as_ref().filter(|image| image.has_variables()) else {
            continue;
        };
        let Some(name) = with_defaults(model, image) else {
            continue;
        };
        if ImageRef::parse(&name).is_ok() {
            continue;
        }
        let written = &image.text;
        let message = if name.is_empty() {
            format!("without build arguments `{written}` is empty")
        } else {
            format!(
                "without build arguments `{written}` is `{name}`, which is not the name of an image"
            )
        };
        let empty = image
            .uses
            .iter()
            .find_map(|used| declared_empty(model, used));
        let finding = ctx.report(image.range, message);
        let finding = match empty {
            Some((name, range)) => finding
                .help(format!("give `{name}` a default: `ARG {name}=VALUE`"))
                .label(range, format!("`{name}` has no default")),
            None => finding.help("give the ARG a default that makes it the name of an image"),
        };
        label_defaults(finding, model, image);
    }
}

fn declared_empty<'m>(
    model: &'m Model,
    used: &VariableUse,
) -> Option<(&'m str, dockerfile_source::TextRange)> {
    let Resolution::Declared(id) = used.resolution else {
        return None;
    };
    let variable = model.variable(id)?;
    (!variable.has_value).then_some((variable.name.as_str(), variable.range))
}

/// Returns the word as it reads without build arguments; none where that cannot be told.
fn with_defaults(model: &Model, word: &Word) -> Option<String> {
    let is_plain = usize::from(word.range.len()) == word.text.len()
        && !word.text.contains(['"', '\'', '\\', '`']);
    if !is_plain {
        return None;
    }
    let mut name = String::with_capacity(word.text.len());
    let mut position = 0;
    for used in &word.uses {
        let start = usize::from(used.range.start().checked_sub(word.range.start())?);
        let end = start + usize::from(used.range.len());
        let written = word.text.get(start..end)?;
        let bare = written.strip_prefix('$')?;
        let bare = bare
            .strip_prefix('{')
            .and_then(|bare| bare.strip_suffix('}'))
            .unwrap_or(bare);
        if bare != used.name {
            return None;
        }
        let Resolution::Declared(id) = used.resolution else {
            return None;
        };
        let variable = model.variable(id)?;
        name.push_str(word.text.get(position..start)?);
        if variable.has_value {
            name.push_str(variable.value.as_deref()?);
        }
        position = end;
    }
    name.push_str(word.text.get(position..)?);
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::INVALID_DEFAULT_ARG_IN_FROM as RULE;
    use crate::testing::{check_clean, check_fires, check_message};

    #[test]
    fn an_argument_without_a_default_leaves_a_gap() {
        check_fires(
            &RULE,
            "ARG VERSION\nARG IMAGE\nFROM «busybox:$VERSION»\nFROM «$IMAGE»\nFROM «${IMAGE}:1»\n",
        );
    }

    #[test]
    fn a_default_can_be_broken_as_well() {
        check_message(
            &RULE,
            "ARG SFX=\"box:\"\nFROM busy${SFX}\n",
            "without build arguments `busy${SFX}` is `busybox:`, which is not the name of an image",
        );
    }

    #[test]
    fn a_name_that_stays_a_name_is_fine() {
        check_clean(
            &RULE,
            "ARG V=latest\nARG SUFFIX=\nARG OTHER\nFROM busybox:${V}\nFROM busybox:stable${SUFFIX}\nFROM a:1${OTHER}\nFROM a:${OTHER:-1}\n",
        );
    }

    #[test]
    fn undeclared_variables_are_another_rules_finding() {
        check_clean(&RULE, "FROM a:$X\nFROM $BUILDPLATFORM\n");
    }
}
