//! Flags and their values.

use dockerfile_model::Keyword;
use dockerfile_syntax::{FlagType, KEYWORDS, known_flags};

use super::{CompletionItem, CompletionKind, Context, Items, paths, values};
use crate::analysis::keyword_name;
use crate::manual::{MOUNT_TYPES, first_sentence, flag_page, mount_options};

/// Completes a word that starts with `--`.
pub(super) fn complete(context: &Context<'_>, keyword: Keyword) -> Vec<CompletionItem> {
    let word = context.word();
    if let Some((name, value)) = word.trim_start_matches('-').split_once('=') {
        let mut items = Items::replacing(context.last_bytes(value.len()));
        flag_value(context, keyword, name, value, &mut items);
        return items.found;
    }
    let mut items = Items::new(context);
    let kind = KEYWORDS
        .iter()
        .map(|(_, kind)| *kind)
        .find(|kind| Keyword::from_kind(*kind) == keyword);
    let known = kind.and_then(known_flags).unwrap_or_default();
    for (name, flag_type) in known {
        let is_given = context
            .words()
            .any(|word| word.trim_start_matches('-').split('=').next() == Some(name));
        if is_given && *flag_type != FlagType::Strings {
            continue;
        }
        let detail = flag_page(keyword, name).map_or("", |page| first_sentence(page.text));
        let item = items.add(CompletionKind::Flag, &format!("--{name}"), detail);
        if *flag_type != FlagType::Bool {
            item.insert.push('=');
        }
        item.documentation = format!("flag:{} {name}", keyword_name(keyword));
        item.rank = 2;
    }
    items.found
}

fn flag_value(context: &Context<'_>, keyword: Keyword, name: &str, value: &str, items: &mut Items) {
    match name {
        "from" => values::stages_and_images(context, value, items, true),
        "chown" => values::users(context, items),
        "mount" => mount(context, value, items),
        _ => {}
    }
    if let Some(page) = flag_page(keyword, name) {
        for (idx, known) in page.values.iter().enumerate() {
            items.add(CompletionKind::Value, known, "").rank = 2 + idx.min(6) as u8;
        }
    }
}

/// Completes the options of a mount, each behind a comma.
fn mount(context: &Context<'_>, value: &str, items: &mut Items) {
    let done = value.rsplit_once(',').map_or("", |(done, _)| done);
    let last = value.rsplit(',').next().unwrap_or_default();
    let options = || done.split(',').filter(|option| !option.is_empty());
    let mount_type = options()
        .find_map(|option| option.strip_prefix("type="))
        .unwrap_or("bind");
    let Some((key, typed)) = last.split_once('=') else {
        items.replace = context.last_bytes(last.len());
        if done.is_empty() {
            for (name, text) in MOUNT_TYPES {
                let item = items.add(
                    CompletionKind::Value,
                    &format!("type={name}"),
                    first_sentence(text),
                );
                snippet(name).clone_into(&mut item.insert);
                item.is_snippet = true;
                item.documentation = format!("mount-type:{name}");
                item.rank = 1;
            }
        }
        for page in mount_options(mount_type) {
            let is_given = options().any(|option| option.split('=').next() == Some(page.name));
            if is_given || page.name == "type" {
                continue;
            }
            let item = items.add(CompletionKind::Flag, page.name, first_sentence(page.text));
            if !page.value.is_empty() {
                item.insert.push('=');
            }
            item.documentation = format!("mount:{mount_type} {}", page.name);
        }
        return;
    };
    items.replace = context.last_bytes(typed.len());
    match key {
        "type" => {
            for (name, text) in MOUNT_TYPES {
                let item = items.add(CompletionKind::Value, name, first_sentence(text));
                item.documentation = format!("mount-type:{name}");
            }
        }
        "from" => values::stages_and_images(context, typed, items, false),
        "source" | "src" => {
            let from = options().find_map(|option| option.strip_prefix("from="));
            paths::sources(context, typed, from, items);
        }
        "target" | "dst" | "destination" if mount_type == "cache" => {
            for folder in CACHES {
                items.add(CompletionKind::Folder, folder, "");
            }
        }
        "target" | "dst" | "destination" => paths::destinations(context, typed, items),
        _ => {
            if let Some(page) = mount_options(mount_type).find(|page| page.name == key) {
                for known in page.values {
                    items.add(CompletionKind::Value, known, "");
                }
            }
        }
    }
}

fn snippet(mount_type: &str) -> &'static str {
    match mount_type {
        "cache" => "type=cache,target=${1:/root/.cache}",
        "tmpfs" => "type=tmpfs,target=${1:/tmp}",
        "secret" => "type=secret,id=${1:name}",
        "ssh" => "type=ssh",
        _ => "type=bind,source=${1:.},target=${2:/src}",
    }
}

/// Folders that package managers keep between builds.
const CACHES: &[&str] = &[
    "/root/.cache",
    "/root/.cache/pip",
    "/root/.cache/uv",
    "/root/.cache/go-build",
    "/go/pkg/mod",
    "/root/.npm",
    "/usr/local/share/.cache/yarn",
    "/root/.m2",
    "/root/.gradle",
    "/usr/local/cargo/registry",
    "/usr/local/cargo/git",
    "/root/.nuget/packages",
    "/var/cache/apt",
    "/var/lib/apt",
    "/var/cache/apk",
    "/var/cache/dnf",
];
