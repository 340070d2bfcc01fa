//! Paths: in the build context, in stages and images, and in the image that is being built.

use dockerfile_model::{IgnoreFile, Keyword};

use super::{CompletionKind, Context, Items};
use crate::IgnoreFileFact;

/// A folder with more entries than anyone reads is cut.
const MOST_ENTRIES: usize = 300;

/// Offers the files of the context, or of the stage or image that `from` names.
pub(super) fn sources(context: &Context<'_>, typed: &str, from: Option<&str>, items: &mut Items) {
    let Some(from) = from else {
        context_files(context, typed, items);
        return;
    };
    let model = context.analysis.model();
    let stage = context
        .stage
        .and_then(|stage| model.stage_named(from, stage));
    let files = match stage {
        Some(stage) => {
            written_paths(context, stage, items);
            model
                .root_stage(stage)
                .and_then(|root| image_files(context, root.image.as_ref()?.value_or_text()))
        }
        None => image_files(context, from),
    };
    if let Some(files) = files {
        entries_below(
            files
                .iter()
                .map(|file| (file.trim_start_matches('/'), file.ends_with('/'))),
            typed,
            "/",
            items,
        );
    }
}

fn image_files<'a>(context: &Context<'a>, image: &str) -> Option<&'a Vec<String>> {
    context.analysis.outside().image_files.get(image)
}

/// Offers the entries of one folder of the build context, those that the ignore file leaves out excepted.
fn context_files(context: &Context<'_>, typed: &str, items: &mut Items) {
    let outside = context.analysis.outside();
    let ignore = match &outside.lint.ignore_file {
        IgnoreFileFact::Present(text) => IgnoreFile::parse(text).ok(),
        _ => None,
    };
    let prefix = if typed.starts_with("./") {
        "./"
    } else if typed.starts_with('/') {
        "/"
    } else {
        ""
    };
    let is_kept = |path: &str, is_folder: bool| {
        ignore.as_ref().is_none_or(|ignore| {
            !ignore.is_ignored(path) || (is_folder && !ignore.can_skip_directory(path))
        })
    };
    let entries = outside
        .context
        .iter()
        .filter(|entry| is_kept(&entry.path, entry.is_folder))
        .map(|entry| (entry.path.as_str(), entry.is_folder));
    entries_below(entries, typed, prefix, items);
}

/// Offers what lies directly in the folder that is typed.
fn entries_below<'p>(
    entries: impl Iterator<Item = (&'p str, bool)>,
    typed: &str,
    prefix: &str,
    items: &mut Items,
) {
    let path = typed.strip_prefix(prefix).unwrap_or(typed);
    let folder = path
        .rfind('/')
        .and_then(|idx| path.get(..=idx))
        .unwrap_or("");
    let mut last = String::new();
    let mut count = 0;
    for (entry, is_folder) in entries {
        let Some(rest) = entry.strip_prefix(folder) else {
            continue;
        };
        let rest = rest.trim_end_matches('/');
        let name = rest.split('/').next().unwrap_or_default();
        if name.is_empty() || name == last {
            continue;
        }
        let is_folder = is_folder || rest.len() > name.len();
        name.clone_into(&mut last);
        count += 1;
        if count > MOST_ENTRIES {
            return;
        }
        let slash = if is_folder { "/" } else { "" };
        let kind = if is_folder {
            CompletionKind::Folder
        } else {
            CompletionKind::File
        };
        let item = items.add(kind, &format!("{prefix}{folder}{name}{slash}"), "");
        item.rank = if name.starts_with('.') { 6 } else { 2 };
    }
}

/// Offers paths that the instructions of a stage write to.
fn written_paths(context: &Context<'_>, stage: dockerfile_model::StageId, items: &mut Items) {
    let model = context.analysis.model();
    let mut seen: Vec<String> = Vec::new();
    for instruction in model.stage_instructions(stage) {
        let path = match instruction.keyword {
            Keyword::Workdir => instruction
                .value()
                .and_then(|_| {
                    model.workdir_at(dockerfile_model::InstructionId(instruction.id.0 + 1))
                })
                .map(|folder| folder.to_string()),
            Keyword::Copy | Keyword::Add => instruction
                .copy()
                .and_then(|copy| copy.destination.as_ref()?.value.as_ref())
                .filter(|path| path.starts_with('/'))
                .map(ToString::to_string),
            _ => None,
        };
        if let Some(path) = path.filter(|path| !seen.contains(path)) {
            items
                .add(CompletionKind::Folder, &path, "written by that stage")
                .rank = 1;
            seen.push(path);
        }
    }
}

/// Offers where files can go: the working directory, folders of this stage, folders of the base image.
pub(super) fn destinations(context: &Context<'_>, typed: &str, items: &mut Items) {
    let model = context.analysis.model();
    let Some(stage) = context.stage else { return };
    let workdir = model.workdir_at(context.at);
    if let Some(folder) = &workdir {
        items
            .add(
                CompletionKind::Folder,
                "./",
                &format!("{folder}, the working directory"),
            )
            .rank = 1;
        if typed.starts_with('/') {
            items
                .add(
                    CompletionKind::Folder,
                    &format!("{}/", folder.trim_end_matches('/')),
                    "the working directory",
                )
                .rank = 1;
        }
    }
    written_paths(context, stage, items);
    let image = model.root_stage(stage).and_then(|root| root.image.as_ref());
    match image.and_then(|image| image_files(context, image.value_or_text())) {
        Some(files) if typed.starts_with('/') => {
            let folders = files.iter().filter(|file| file.ends_with('/'));
            entries_below(
                folders.map(|file| (file.trim_start_matches('/'), true)),
                typed,
                "/",
                items,
            );
        }
        _ => {
            for folder in [
                "/app/",
                "/etc/",
                "/opt/",
                "/srv/",
                "/usr/local/bin/",
                "/tmp/",
            ] {
                items.add(CompletionKind::Folder, folder, "").rank = 7;
            }
        }
    }
}
