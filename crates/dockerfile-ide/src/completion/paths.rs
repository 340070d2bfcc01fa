//! Paths: in the build context, in stages and images, and in the image that is being built.

use dockerfile_model::{FileTree, IgnoreFile, Keyword};

use super::{CompletionKind, Context, Items};
use crate::IgnoreFileFact;
use crate::image_tree::{entries_of, tree_of_image, tree_of_stage};

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
    let tree = match stage {
        Some(stage) => {
            written_paths(context, stage, items);
            let end = model.stage(stage).map(|stage| stage.end);
            end.and_then(|end| tree_of_stage(context.analysis, stage, end))
        }
        None => tree_of_image(context.analysis, from),
    };
    if let Some(tree) = tree {
        image_entries(&tree, typed, false, items);
    }
}

/// Offers what lies directly in the folder of an image that is typed.
fn image_entries(tree: &FileTree<'_>, typed: &str, only_folders: bool, items: &mut Items) {
    let path = typed.trim_start_matches('/');
    let folder = path
        .rfind('/')
        .and_then(|idx| path.get(..=idx))
        .unwrap_or("");
    let entries = entries_of(tree, &format!("/{folder}"));
    let entries = entries
        .iter()
        .filter(|(_, is_folder)| *is_folder || !only_folders)
        .map(|(name, is_folder)| (format!("{folder}{name}"), *is_folder));
    let entries: Vec<(String, bool)> = entries.collect();
    let entries = entries
        .iter()
        .map(|(path, is_folder)| (path.as_str(), *is_folder));
    entries_below(entries, path, "/", items);
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
    match tree_of_stage(context.analysis, stage, context.at) {
        Some(tree) if typed.starts_with('/') && !tree.layers().is_empty() => {
            image_entries(&tree, typed, true, items);
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
