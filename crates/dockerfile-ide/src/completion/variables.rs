//! Variables behind `$`.

use dockerfile_model::{Keyword, Origin};
use dockerfile_source::TextSize;

use super::{CompletionItem, CompletionKind, Context, Items};

/// What the builder sets by itself, for FROM at once and in a stage behind `ARG NAME`.
pub(super) const PLATFORM_ARGUMENTS: [&str; 8] = [
    "TARGETPLATFORM",
    "TARGETOS",
    "TARGETARCH",
    "TARGETVARIANT",
    "BUILDPLATFORM",
    "BUILDOS",
    "BUILDARCH",
    "BUILDVARIANT",
];

/// Completes a name behind `$` or `${`; none where the cursor stands elsewhere.
pub(super) fn complete(context: &Context<'_>) -> Option<Vec<CompletionItem>> {
    if context.is_in_keyword {
        return None;
    }
    let name_len = context
        .before
        .bytes()
        .rev()
        .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        .count();
    let in_front = context.before.get(..context.before.len() - name_len)?;
    if !in_front.ends_with('$') && !in_front.ends_with("${") {
        return None;
    }
    if matches!(
        context.keyword,
        Some(Keyword::Onbuild | Keyword::Unknown) | None
    ) {
        return None;
    }
    let mut items = Items::replacing(context.last_bytes(name_len));
    // The brace is closed where it is not yet.
    let closing = if in_front.ends_with("${") && !closes(context) {
        "}"
    } else {
        ""
    };
    let analysis = context.analysis;
    let model = analysis.model();
    let is_from = context.keyword == Some(Keyword::From);
    let mut seen: Vec<&str> = Vec::new();
    let mut add = |name: &'_ str, detail: String, rank| {
        let item = items.add(CompletionKind::Variable, name, &detail);
        item.insert.push_str(closing);
        item.rank = rank;
    };
    if !is_from && let Some(stage) = context.stage {
        for ancestor in model.ancestry(stage).take(64) {
            for variable in model.variables.iter().rev() {
                let is_visible = variable.stage == Some(ancestor.id)
                    && (ancestor.id != stage || variable.instruction < context.at);
                if !is_visible || seen.contains(&variable.name.as_str()) {
                    continue;
                }
                seen.push(&variable.name);
                let origin = match variable.origin {
                    Origin::Env => "ENV",
                    Origin::Arg | Origin::GlobalArg => "ARG",
                };
                let detail = match &variable.value {
                    Some(value) => format!("{origin} {}={value}", variable.name),
                    None => format!("{origin} {}", variable.name),
                };
                add(&variable.name, detail, 1);
            }
        }
        for (name, value) in model
            .facts_of(stage)
            .into_iter()
            .flat_map(|facts| &facts.environment)
        {
            if !seen.contains(&name.as_str()) {
                seen.push(name);
                add(name, format!("{name}={value}, of the base image"), 3);
            }
        }
        if !seen.contains(&"PATH") {
            add("PATH", "of the base image".to_owned(), 4);
        }
    } else {
        for variable in model.variables.iter().filter(|each| each.stage.is_none()) {
            if variable.instruction < context.at && !seen.contains(&variable.name.as_str()) {
                seen.push(&variable.name);
                let value = variable.value.as_deref().unwrap_or_default();
                add(&variable.name, format!("ARG {}={value}", variable.name), 1);
            }
        }
        for name in PLATFORM_ARGUMENTS {
            add(name, "set by the builder".to_owned(), 4);
        }
    }
    if let Some(instruction) = context.instruction {
        for command in instruction.scripts().flat_map(|script| &script.commands) {
            for assignment in &command.assignments {
                if assignment.range.end() < context.offset
                    && !seen.contains(&assignment.name.as_str())
                {
                    seen.push(&assignment.name);
                    add(&assignment.name, "set by this command".to_owned(), 0);
                }
            }
        }
    }
    Some(items.found)
}

fn closes(context: &Context<'_>) -> bool {
    let line = context.analysis.line_at(context.offset);
    let rest = dockerfile_source::TextRange::new(
        context.offset,
        line.end().max(context.offset + TextSize::new(0)),
    );
    context.analysis.slice(rest).starts_with('}')
}
