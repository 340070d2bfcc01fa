//! What is known of the files of stages and images: of the image, and of what builds of this very text left.

use dockerfile_model::{Base, FileKind, FileTree, InstructionId, Resolved, StageId};

use crate::Analysis;

/// A folder with more entries than anyone reads is cut.
const MOST_ENTRIES: usize = 300;

/// Returns what is known of the files of a stage before an instruction.
pub(crate) fn tree_of_stage(
    analysis: &Analysis,
    stage: StageId,
    before: InstructionId,
) -> Option<FileTree<'_>> {
    let model = analysis.model();
    let mut layers = Vec::new();
    match model.root_base(stage)? {
        Base::Scratch => {}
        _ => layers.push(model.facts_of(stage)?.files.as_deref()?),
    }
    let built = &analysis.outside().lint.input.built_steps;
    if !built.is_empty() {
        let stages: Vec<StageId> = model.ancestry(stage).map(|stage| stage.id).collect();
        let instructions = stages
            .iter()
            .rev()
            .flat_map(|stage| model.stage_instructions(*stage))
            .take_while(|instruction| instruction.id < before);
        for instruction in instructions {
            let start = instruction.range.start();
            let step = built.binary_search_by_key(&start, |step| step.range.start());
            if let Some(step) = step.ok().and_then(|at| built.get(at)) {
                layers.push(&step.changes);
            }
        }
    }
    Some(FileTree::new(layers))
}

/// Returns what is known of the files of an image that is no stage.
pub(crate) fn tree_of_image<'a>(analysis: &'a Analysis, name: &str) -> Option<FileTree<'a>> {
    let facts = analysis.outside().lint.input.base_images.get(name)?;
    Some(FileTree::new(vec![facts.files.as_deref()?]))
}

/// Returns the names of what lies directly in a folder, sorted, and which of them are folders.
pub(crate) fn entries_of(tree: &FileTree<'_>, folder: &str) -> Vec<(String, bool)> {
    let Resolved::There { path, .. } = tree.resolve(folder) else {
        return Vec::new();
    };
    let folder = path.trim_end_matches('/');
    let mut names: Vec<&str> = Vec::new();
    for layer in tree.layers() {
        for (entry, _) in layer.below(&path) {
            let rest = entry.get(folder.len() + 1..).unwrap_or_default();
            let name = rest.split('/').next().unwrap_or(rest);
            if names.last() != Some(&name) {
                names.push(name);
            }
        }
    }
    names.sort_unstable();
    names.dedup();
    let entries = names.into_iter().filter_map(|name| {
        let kind = match tree.resolve(&format!("{folder}/{name}")) {
            Resolved::There { kind, .. } => kind,
            // A link that leads nowhere is there all the same.
            _ => tree.get(&format!("{folder}/{name}"))?.clone(),
        };
        Some((name.to_owned(), matches!(kind, FileKind::Directory { .. })))
    });
    entries.take(MOST_ENTRIES).collect()
}
