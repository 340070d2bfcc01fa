//! COPY and ADD that bring the sources of a project into the image, and where things lie there.

use dockerfile_model::{Instruction, InstructionId, Keyword, Model, Word, clean_path};
use dockerfile_source::TextRange;

use super::copy_source::{
    CopySource, PathKind, copy_sources, file_name, is_whole_context, path_kind,
};
use super::program_call::ProgramCall;

/// A COPY or ADD of the whole build context or of a folder of it.
#[derive(Clone, Debug)]
pub(crate) struct SourceCopy<'m> {
    pub instruction: &'m Instruction,
    /// The word of the source.
    pub source: &'m Word,
    pub path: &'m str,
    /// The folder in the image that gets the files.
    pub destination: String,
    pub is_whole_context: bool,
}

impl SourceCopy<'_> {
    pub(crate) fn range(&self) -> TextRange {
        self.source.range
    }

    /// Returns the path in the context of a file in the image that this brings.
    pub(crate) fn context_path(&self, file: &str) -> Option<String> {
        let below = if self.destination == "/" {
            file.strip_prefix('/')?
        } else {
            file.strip_prefix(self.destination.as_str())?
                .strip_prefix('/')?
        };
        if self.is_whole_context {
            return Some(below.to_owned());
        }
        let folder = self.path.trim_start_matches("./").trim_matches('/');
        Some(format!("{folder}/{below}"))
    }
}

/// Returns the folders that an instruction copies from the build context.
pub(crate) fn source_copies<'m>(
    model: &'m Model,
    instruction: &'m Instruction,
) -> Vec<SourceCopy<'m>> {
    let is_copy = matches!(instruction.keyword, Keyword::Copy | Keyword::Add);
    let destination = instruction
        .copy()
        .and_then(|copy| copy.destination.as_ref());
    let (true, None, Some(destination)) = (is_copy, instruction.flag("from"), destination) else {
        return Vec::new();
    };
    let folder = resolve(
        &folder_at(model, instruction.id),
        destination.value_or_text(),
    );
    copy_sources(instruction)
        .filter_map(|(source, kind)| {
            let CopySource::Path(path) = kind else {
                return None;
            };
            let is_whole_context = is_whole_context(path);
            let is_folder = is_whole_context
                || match path_kind(path) {
                    PathKind::Directory => true,
                    PathKind::Unclear => !is_known_file(file_name(path)) && !path.contains('*'),
                    _ => false,
                };
            is_folder.then(|| SourceCopy {
                instruction,
                source,
                path,
                destination: folder.clone(),
                is_whole_context,
            })
        })
        .collect()
}

/// Returns whether a name without an extension is that of a file all the same.
fn is_known_file(name: &str) -> bool {
    matches!(
        name,
        "Gemfile"
            | "Makefile"
            | "Rakefile"
            | "Pipfile"
            | "Procfile"
            | "Dockerfile"
            | "Brewfile"
            | "gradlew"
            | "mvnw"
            | "LICENSE"
            | "README"
            | "entrypoint"
            | "Podfile"
            | "configure"
            | "WORKSPACE"
            | "BUILD"
            | "Vagrantfile"
            | "Jenkinsfile"
            | "manage"
    )
}

/// Returns whether a folder is called what folders of source code are called.
pub(crate) fn is_source_folder(path: &str) -> bool {
    matches!(
        file_name(path),
        "src"
            | "source"
            | "sources"
            | "app"
            | "public"
            | "static"
            | "templates"
            | "views"
            | "test"
            | "tests"
            | "client"
            | "server"
            | "frontend"
            | "backend"
            | "cmd"
            | "internal"
    )
}

/// Returns whether a folder is called what folders of manifests are called.
pub(crate) fn is_manifest_folder(path: &str) -> bool {
    let name = file_name(path);
    ["require", "dep", "packages", "manifest"]
        .iter()
        .any(|part| name.starts_with(part))
}

/// Returns the folder in which an instruction runs. A folder that only the base image knows is `/?`.
pub(crate) fn folder_at(model: &Model, at: InstructionId) -> String {
    if let Some(folder) = model.workdir_at(at) {
        return folder.to_string();
    }
    let known = model
        .last_before(Keyword::Workdir, at)
        .and_then(Instruction::value);
    match known {
        Some(word) => resolve("/?", word.value_or_text()),
        None => "/?".to_owned(),
    }
}

/// Returns the folder in which a command runs: that of the instruction, and where `cd` before it leads.
pub(crate) fn folder_of_command(model: &Model, call: &ProgramCall<'_>) -> String {
    // Nobody changes the folder more often; a hostile file may.
    const CHANGES: usize = 32;
    let changes = call.earlier_commands().iter().filter(|command| {
        command.is(&["cd"]) && command.nesting.depth <= call.command.nesting.depth
    });
    let mut folder = folder_at(model, call.instruction.id);
    for command in changes.take(CHANGES) {
        if let [target] = command.arguments() {
            folder = resolve(&folder, target.value());
        }
    }
    folder
}

/// Returns a path as seen from a folder.
pub(crate) fn resolve(folder: &str, path: &str) -> String {
    let path = path.trim_matches(['"', '\'']);
    if path.starts_with('/') {
        return clean_path(path).to_string();
    }
    clean_path(&format!("{folder}/{path}")).to_string()
}

#[cfg(test)]
mod tests {
    use dockerfile_model::ModelInput;

    use super::*;

    fn copies(text: &str) -> Vec<(String, String)> {
        let parse = dockerfile_syntax::parse(text);
        let model = Model::new(&parse, &ModelInput::default());
        model
            .instructions
            .iter()
            .flat_map(|instruction| source_copies(&model, instruction))
            .map(|copy| (copy.path.to_owned(), copy.destination.clone()))
            .collect()
    }

    #[test]
    fn folders_are_copied_into_the_folder_that_is_in_force() {
        let found = copies(
            "FROM a:1\nCOPY . .\nWORKDIR /app\nCOPY . ./x\nCOPY src a.py /y/\nCOPY --from=z . .\nADD https://a/b /\n",
        );
        let expected = [(".", "/?"), (".", "/app/x"), ("src", "/y")];
        let expected: Vec<_> = expected
            .iter()
            .map(|(path, folder)| ((*path).to_owned(), (*folder).to_owned()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_file_in_the_image_has_a_place_in_the_context() {
        let text = "FROM a:1\nCOPY . /app\nCOPY ./web /srv\n";
        let parse = dockerfile_syntax::parse(text);
        let model = Model::new(&parse, &ModelInput::default());
        let found: Vec<_> = model
            .instructions
            .iter()
            .flat_map(|instruction| source_copies(&model, instruction))
            .map(|copy| copy.context_path("/srv/a/b.txt"))
            .collect();
        assert_eq!(found, [None, Some("web/a/b.txt".to_owned())]);
    }
}
