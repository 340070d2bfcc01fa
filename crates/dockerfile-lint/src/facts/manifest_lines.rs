//! The lines that copy a manifest first.

use dockerfile_model::Model;

use super::dependency_install::DependencyInstall;
use super::source_copy::{SourceCopy, folder_at};

/// Returns whether a name that was copied is the manifest: itself, or a pattern such as `package*.json`.
pub(crate) fn is_manifest(file: &str, name: &str, files: &[&str]) -> bool {
    if file == name || files.contains(&file) {
        return true;
    }
    match file.split_once('*') {
        Some((before, behind)) if !(before.is_empty() && behind.is_empty()) => {
            name.len() >= before.len() + behind.trim_start_matches('*').len()
                && name.starts_with(before)
                && name.ends_with(behind.trim_start_matches('*'))
        }
        _ => false,
    }
}

/// Returns what to write: the lines that copy the manifest and install.
pub(crate) fn manifest_help(
    model: &Model,
    copy: &SourceCopy<'_>,
    manifest: &str,
    install: DependencyInstall<'_>,
    is_there: bool,
) -> String {
    let keyword = &copy.instruction.keyword_text;
    let (verb, command) = match install.first_command {
        Some(command) => ("put", format!("`RUN {command}`")),
        None => ("move", "the RUN that installs".to_owned()),
    };
    if is_there {
        return format!(
            "{verb} {command} in front of this {keyword}: the manifest is there already"
        );
    }
    let in_context = copy
        .context_path(manifest)
        .unwrap_or_else(|| install.manifest.to_owned());
    let base = in_context
        .rfind('/')
        .and_then(|at| in_context.get(..=at))
        .unwrap_or("");
    let files: Vec<String> = if install.files.is_empty() {
        vec![in_context.clone()]
    } else {
        install
            .files
            .iter()
            .map(|file| format!("{base}{file}"))
            .collect()
    };
    let target = target_of(&folder_at(model, copy.instruction.id), manifest);
    format!(
        "put `COPY {} {target}` and {command} in front of this {keyword}",
        files.join(" ")
    )
}

/// Returns the folder of a file as COPY writes it: relative to the folder that is in force, where it is below that.
fn target_of(folder: &str, file: &str) -> String {
    let parent = file.rsplit_once('/').map_or("", |(parent, _)| parent);
    match parent.strip_prefix(folder) {
        Some("") => "./".to_owned(),
        Some(below) if below.starts_with('/') => format!(".{below}/"),
        _ => format!("{parent}/"),
    }
}
