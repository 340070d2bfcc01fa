//! The words behind a keyword.

use dockerfile_model::Keyword;

use super::variables::PLATFORM_ARGUMENTS;
use super::{CompletionKind, Context, Items, keywords, paths};
use crate::document_symbol::base_title;
use crate::image_tree::tree_of_stage;
use crate::manual::instruction_page;

/// Offers what an instruction takes at the cursor.
pub(super) fn complete(context: &Context<'_>, keyword: Keyword, items: &mut Items) {
    let count = context.arguments().count();
    let typed = context.word();
    match keyword {
        Keyword::From if count == 0 => {
            stages_and_images(context, typed, items, false);
            items
                .add(
                    CompletionKind::Image,
                    "scratch",
                    "Nothing: an empty file system.",
                )
                .rank = 4;
        }
        Keyword::From if count == 1 => {
            let item = items.add(CompletionKind::Keyword, "AS", "Names the stage.");
            "AS ${1:name}".clone_into(&mut item.insert);
            item.is_snippet = true;
        }
        Keyword::Copy | Keyword::Add => {
            if count > 0 {
                paths::destinations(context, typed, items);
            }
            paths::sources(
                context,
                typed.trim_matches(['"', '[']),
                context.flag("from"),
                items,
            );
        }
        Keyword::Workdir => paths::destinations(context, typed, items),
        Keyword::User => users(context, items),
        Keyword::Expose => ports(items),
        Keyword::Stopsignal => {
            for signal in [
                "SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGKILL",
                "SIGWINCH",
            ] {
                items.add(CompletionKind::Value, signal, "");
            }
        }
        Keyword::Shell if count == 0 => {
            for shell in [
                "[\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]",
                "[\"/bin/ash\", \"-eo\", \"pipefail\", \"-c\"]",
                "[\"/bin/sh\", \"-c\"]",
                "[\"powershell\", \"-Command\"]",
                "[\"cmd\", \"/S\", \"/C\"]",
            ] {
                items.add(CompletionKind::Value, shell, "");
            }
        }
        Keyword::Healthcheck if count == 0 => {
            items.add(CompletionKind::Keyword, "CMD", "The command that checks.");
            items.add(
                CompletionKind::Keyword,
                "NONE",
                "No check, whatever the base image says.",
            );
        }
        Keyword::Arg => arguments(context, items),
        Keyword::Label => labels(typed, items),
        Keyword::Onbuild => items.found.extend(keywords(context)),
        _ => {}
    }
    // Nothing is written yet: the flags can still come.
    if count == 0 && typed.is_empty() {
        flags_too(context, keyword, items);
    }
}

fn flags_too(context: &Context<'_>, keyword: Keyword, items: &mut Items) {
    if instruction_page(keyword).is_some() {
        for mut flag in super::flags::complete(context, keyword) {
            flag.rank = 8;
            items.found.push(flag);
        }
    }
}

/// Offers the stages that can be named here, and images that are there.
pub(super) fn stages_and_images(
    context: &Context<'_>,
    typed: &str,
    items: &mut Items,
    with_numbers: bool,
) {
    let model = context.analysis.model();
    let own = context
        .instruction
        .and_then(|instruction| instruction.stage);
    let earlier = model
        .stages
        .iter()
        .filter(|stage| own.is_none_or(|own| stage.id < own));
    for stage in earlier {
        let detail = format!("stage, on {}", base_title(context.analysis, stage));
        if let Some(name) = &stage.name {
            let written = stage
                .name_range
                .map_or(name.as_str(), |range| context.analysis.slice(range));
            items.add(CompletionKind::Stage, written, &detail).rank = 1;
        } else if with_numbers {
            items
                .add(
                    CompletionKind::Stage,
                    &stage.id.index().to_string(),
                    &detail,
                )
                .rank = 2;
        }
    }
    let name = typed.split(':').next().unwrap_or_default();
    for image in &context.analysis.outside().images {
        if typed.contains(':') && image.name == name {
            for tag in &image.tags {
                items
                    .add(CompletionKind::Image, &format!("{name}:{tag}"), "")
                    .rank = 2;
            }
        } else {
            items.add(CompletionKind::Image, &image.name, "image").rank = 3;
        }
    }
}

/// Offers users that the file makes or names, and those that every image has.
pub(super) fn users(context: &Context<'_>, items: &mut Items) {
    let model = context.analysis.model();
    let mut seen: Vec<&str> = Vec::new();
    for instruction in &model.instructions {
        if instruction.keyword == Keyword::User
            && instruction.id != context.at
            && let Some(value) = instruction.value().and_then(|word| word.value.as_deref())
            && !seen.contains(&value)
        {
            seen.push(value);
            items
                .add(CompletionKind::Value, value, "used in this file")
                .rank = 1;
        }
        for command in instruction.scripts().flat_map(|script| &script.commands) {
            if !command.is(&["useradd", "adduser"]) {
                continue;
            }
            let name = command.words.last().and_then(|word| word.literal());
            if let Some(name) = name.filter(|name| !name.starts_with('-') && !seen.contains(name)) {
                seen.push(name);
                items
                    .add(CompletionKind::Value, name, "made in this file")
                    .rank = 1;
            }
        }
    }
    let tree = context
        .stage
        .and_then(|stage| tree_of_stage(context.analysis, stage, context.at));
    let of_image = tree.as_ref().and_then(dockerfile_model::FileTree::users);
    for name in of_image.unwrap_or_default() {
        if !seen.contains(&name.as_str()) {
            seen.push(name);
            items.add(CompletionKind::Value, name, "in the image").rank = 2;
        }
    }
    for (name, detail) in [
        ("root", "0"),
        ("nobody", "65534 on most"),
        ("1000", "a number needs no entry in /etc/passwd"),
        ("65532:65532", "`nonroot` of distroless images"),
    ] {
        if !seen.contains(&name) {
            items.add(CompletionKind::Value, name, detail);
        }
    }
}

fn ports(items: &mut Items) {
    for (port, what) in [
        ("80", "HTTP"),
        ("443", "HTTPS"),
        ("3000", "Node, Rails"),
        ("5000", "Flask"),
        ("8000", "Django, uvicorn"),
        ("8080", "HTTP without privileges"),
        ("5432", "PostgreSQL"),
        ("3306", "MySQL"),
        ("6379", "Redis"),
        ("53/udp", "DNS"),
    ] {
        items.add(CompletionKind::Value, port, what);
    }
}

/// Offers the names of ARG: those from before the first FROM, and those that the builder sets.
fn arguments(context: &Context<'_>, items: &mut Items) {
    if context.stage.is_none() {
        return;
    }
    let model = context.analysis.model();
    for variable in model.variables.iter().filter(|each| each.stage.is_none()) {
        items
            .add(
                CompletionKind::Variable,
                &variable.name,
                "declared before the first FROM",
            )
            .rank = 1;
    }
    for name in PLATFORM_ARGUMENTS {
        items.add(CompletionKind::Variable, name, "set by the builder");
    }
}

/// Offers the keys that the OCI image specification names (`annotations.md`).
fn labels(typed: &str, items: &mut Items) {
    if typed.contains('=') {
        return;
    }
    for key in [
        "authors",
        "created",
        "description",
        "documentation",
        "licenses",
        "revision",
        "source",
        "title",
        "url",
        "vendor",
        "version",
    ] {
        let item = items.add(
            CompletionKind::Value,
            &format!("org.opencontainers.image.{key}"),
            "",
        );
        item.insert.push('=');
    }
}
