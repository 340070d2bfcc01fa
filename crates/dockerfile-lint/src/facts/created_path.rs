//! The paths that a stage creates, as far as the file says so.

use dockerfile_model::{Copy, Instruction, Keyword, Model, SmolStr, Word, clean_path};
use dockerfile_source::TextRange;

use super::shell_program::base_name;

/// A stage that stands on more stages than this is not looked through.
const MOST_ANCESTORS: usize = 16;
const MOST_PATHS: usize = 512;

/// What unpacks into more than its own name.
const ARCHIVES: [&str; 9] = [
    ".tar", ".tgz", ".tbz", ".txz", ".gz", ".bz2", ".xz", ".zst", ".zip",
];

/// One path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CreatedPath {
    pub(crate) path: SmolStr,
    /// The word that names it.
    pub(crate) range: TextRange,
    /// Whether a folder is copied there, so that there may be anything below.
    pub(crate) is_tree: bool,
}

/// Returns the paths that the instructions of a stage, and those of the stages below it, create; none when one of the
/// places cannot be told.
pub(crate) fn created_paths(model: &Model, place: &[Instruction]) -> Option<Vec<CreatedPath>> {
    let mut paths = Vec::new();
    let stage = place.first()?.stage;
    let Some(stage) = stage else {
        collect(place, None, &mut paths)?;
        return Some(paths);
    };
    if model.ancestry(stage).nth(MOST_ANCESTORS).is_some() {
        return None;
    }
    for stage in model.ancestry(stage) {
        let workdir = model.workdir_at(stage.from);
        collect(model.stage_instructions(stage.id), workdir, &mut paths)?;
    }
    Some(paths)
}

fn collect(
    place: &[Instruction],
    workdir: Option<SmolStr>,
    paths: &mut Vec<CreatedPath>,
) -> Option<()> {
    let mut workdir = workdir;
    for instruction in place {
        match instruction.keyword {
            Keyword::Workdir => {
                let word = instruction.value()?;
                let path = absolute(word, workdir.as_deref())?;
                paths.push(CreatedPath {
                    path: path.clone(),
                    range: word.range,
                    is_tree: false,
                });
                workdir = Some(path);
            }
            Keyword::Copy | Keyword::Add => {
                if let Some(copy) = instruction.copy() {
                    collect_copy(copy, workdir.as_deref(), paths)?;
                }
            }
            Keyword::Run => collect_folders(instruction, paths),
            _ => {}
        }
        if paths.len() > MOST_PATHS {
            return None;
        }
    }
    Some(())
}

fn collect_copy(copy: &Copy, workdir: Option<&str>, paths: &mut Vec<CreatedPath>) -> Option<()> {
    let Some(destination) = &copy.destination else {
        return Some(());
    };
    let written = destination.value.as_deref()?;
    let path = absolute(destination, workdir)?;
    let is_folder = written.ends_with(['/', '.'])
        || copy.sources.len() > 1
        || paths.iter().any(|known| known.path == path);
    for source in &copy.sources {
        let source = source.value.as_deref()?;
        let is_tree = is_tree(source);
        let path = if is_folder && !is_tree {
            clean_path(&format!("{path}/{}", base_name(source)))
        } else {
            path.clone()
        };
        paths.push(CreatedPath {
            path,
            range: destination.range,
            is_tree,
        });
    }
    Some(())
}

/// Adds what `mkdir` makes.
fn collect_folders(instruction: &Instruction, paths: &mut Vec<CreatedPath>) {
    let commands = instruction.scripts().flat_map(|script| &script.commands);
    for command in commands.filter(|command| command.is(&["mkdir"])) {
        for word in command.operands() {
            if let Some(path) = word.literal().filter(|path| path.starts_with('/')) {
                paths.push(CreatedPath {
                    path: clean_path(path),
                    range: word.range,
                    is_tree: false,
                });
            }
        }
    }
}

fn absolute(word: &Word, workdir: Option<&str>) -> Option<SmolStr> {
    let value = word.value.as_deref()?;
    if value.starts_with('/') {
        return Some(clean_path(value));
    }
    Some(clean_path(&format!("{}/{value}", workdir?)))
}

/// Returns whether a source may be a folder, several files or an archive.
fn is_tree(source: &str) -> bool {
    let name = base_name(source);
    !name.trim_start_matches('.').contains('.')
        || name.contains(['*', '?', '['])
        || source.contains("://")
        || ARCHIVES.iter().any(|archive| name.ends_with(archive))
}

#[cfg(test)]
mod tests {
    use super::*;
    use dockerfile_model::ModelInput;

    fn paths(text: &str) -> Option<Vec<(String, bool)>> {
        let parse = dockerfile_syntax::parse(text);
        let model = Model::new(&parse, &ModelInput::default());
        let stage = model.final_stage()?;
        let paths = created_paths(&model, model.stage_instructions(stage.id))?;
        Some(
            paths
                .into_iter()
                .map(|created| (created.path.to_string(), created.is_tree))
                .collect(),
        )
    }

    #[expect(clippy::unnecessary_wraps, reason = "compared with what may be none")]
    fn some(expected: &[(&str, bool)]) -> Option<Vec<(String, bool)>> {
        Some(
            expected
                .iter()
                .map(|(path, is_tree)| ((*path).to_owned(), *is_tree))
                .collect(),
        )
    }

    #[test]
    fn copies_and_folders_create_paths() {
        assert_eq!(
            paths(
                "FROM a\nWORKDIR /app\nWORKDIR x\nCOPY . .\nCOPY a.py b.py ../\nCOPY run.sh /run.sh\n"
            ),
            some(&[
                ("/app", false),
                ("/app/x", false),
                ("/app/x", true),
                ("/app/a.py", false),
                ("/app/b.py", false),
                ("/run.sh", false),
            ])
        );
    }

    #[test]
    fn stages_below_count_too() {
        assert_eq!(
            paths("FROM a AS b\nWORKDIR /app\nFROM b\nCOPY src src\n"),
            some(&[("/app/src", true), ("/app", false)])
        );
    }

    #[test]
    fn an_unknown_place_may_be_anywhere() {
        assert_eq!(paths("FROM a\nARG D\nCOPY . $D\n"), None);
        assert_eq!(paths("FROM a\nCOPY . .\n"), None);
    }
}
