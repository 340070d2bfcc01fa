//! Where the programs are that instructions call: PATH, the shell, and the stages that containers are made of.

use dockerfile_model::{
    Base, InstructionId, JsonString, Keyword, Model, Resolution, Stage, StageId,
};

use super::stage_files::{DEFAULT_PATH, FilesAt};

/// What every shell can do by itself, in order.
const BUILTINS: &[&str] = &[
    "!",
    ".",
    ":",
    "[",
    "[[",
    "alias",
    "bg",
    "bind",
    "break",
    "builtin",
    "caller",
    "case",
    "cd",
    "chdir",
    "command",
    "compgen",
    "complete",
    "compopt",
    "continue",
    "coproc",
    "declare",
    "dirs",
    "disown",
    "do",
    "done",
    "echo",
    "elif",
    "else",
    "enable",
    "esac",
    "eval",
    "exec",
    "exit",
    "export",
    "false",
    "fc",
    "fg",
    "fi",
    "for",
    "function",
    "getopts",
    "hash",
    "help",
    "history",
    "if",
    "jobs",
    "kill",
    "let",
    "local",
    "logout",
    "mapfile",
    "popd",
    "printf",
    "pushd",
    "pwd",
    "read",
    "readarray",
    "readonly",
    "return",
    "select",
    "set",
    "shift",
    "shopt",
    "source",
    "suspend",
    "test",
    "then",
    "time",
    "times",
    "trap",
    "true",
    "type",
    "typeset",
    "ulimit",
    "umask",
    "unalias",
    "unset",
    "until",
    "wait",
    "while",
    "{",
    "}",
];

/// Returns whether a shell does something without a program.
pub(crate) fn is_builtin(name: &str) -> bool {
    BUILTINS.binary_search(&name).is_ok()
}

/// Returns whether a word may be the name of a program, and nothing that a shell or a template reads in another way.
pub(crate) fn is_program_name(word: &str) -> bool {
    !word.is_empty()
        && word
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'+'))
}

/// Returns whether a word is an absolute path that means nothing but itself.
pub(crate) fn is_plain_path(word: &str) -> bool {
    word.len() > 1
        && word.starts_with('/')
        && word
            .split('/')
            .skip(1)
            .all(|part| part.is_empty() || is_program_name(part))
}

/// Returns the folders in which programs are looked for before an instruction; for the end of a stage `at` is `Stage::end`.
pub(crate) fn search_path(model: &Model, stage: StageId, at: InstructionId) -> Option<&str> {
    match model.resolve("PATH", at, Some(stage)) {
        Resolution::Declared(id) => model.variable(id)?.value.as_deref(),
        Resolution::BaseImage => Some(model.facts_of(stage)?.variable("PATH")?.as_str()),
        Resolution::Predefined => {
            let is_known = model.facts_of(stage).is_some()
                || matches!(model.root_base(stage), Some(Base::Scratch));
            is_known.then_some(DEFAULT_PATH)
        }
        _ => None,
    }
}

/// The shell that is in force, and where the file says so.
pub(crate) struct ShellInForce<'m> {
    pub(crate) program: &'m str,
    arguments: Vec<&'m str>,
    pub(crate) declared: Option<&'m JsonString>,
}

impl<'m> ShellInForce<'m> {
    /// Returns the shell before an instruction, or with `None` at the end of a stage.
    pub(crate) fn new(model: &'m Model, stage: StageId, at: Option<InstructionId>) -> Self {
        let declared = match at {
            Some(at) => model.shell_at(at),
            None => model
                .last_of_stage(Keyword::Shell, stage)
                .and_then(|shell| match &shell.body {
                    dockerfile_model::Body::Shell(words) => Some(words.as_slice()),
                    _ => None,
                }),
        };
        if let Some((first, rest)) = declared.and_then(<[JsonString]>::split_first) {
            return ShellInForce {
                program: &first.value,
                arguments: rest.iter().map(|word| word.value.as_str()).collect(),
                declared: Some(first),
            };
        }
        let of_image = model.facts_of(stage).and_then(|facts| facts.shell.as_ref());
        let (program, arguments) = match of_image.and_then(|words| words.split_first()) {
            Some((first, rest)) => (first.as_str(), rest.iter().map(AsRef::as_ref).collect()),
            None => ("/bin/sh", Vec::new()),
        };
        ShellInForce {
            program,
            arguments,
            declared: None,
        }
    }

    /// Returns whether the shell reads files at its start that may change PATH or define functions.
    pub(crate) fn reads_profiles(&self) -> bool {
        self.arguments.iter().any(|word| {
            *word == "--login"
                || (word.starts_with('-') && !word.starts_with("--") && word.contains(['l', 'i']))
        })
    }

    /// Returns whether the shell is certainly not there.
    pub(crate) fn is_missing(&self, files: &FilesAt<'_, '_>, path: Option<&str>) -> bool {
        if is_plain_path(self.program) {
            return files.lacks_shell(self.program);
        }
        is_program_name(self.program)
            && path.is_some_and(|path| files.lacks_program(self.program, path))
    }
}

/// Returns the stages that no other stage stands on: images are made of them.
pub(crate) fn leaf_stages(model: &Model) -> impl Iterator<Item = &Stage> {
    let mut is_base = vec![false; model.stages.len()];
    for stage in &model.stages {
        if let Base::Stage(parent) = stage.base
            && let Some(slot) = is_base.get_mut(parent.index())
        {
            *slot = true;
        }
    }
    model
        .stages
        .iter()
        .filter(move |stage| is_base.get(stage.id.index()) == Some(&false))
}

/// Returns how to call what a stage stands on.
pub(crate) fn base_name_of(model: &Model, stage: StageId) -> String {
    match model.root_base(stage) {
        Some(Base::Image(name)) => format!("`{name}`"),
        Some(Base::Scratch) => "`scratch`".to_owned(),
        _ => "the image".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_in_order() {
        assert!(BUILTINS.is_sorted());
    }

    #[test]
    fn names_and_paths_are_plain() {
        assert!(is_program_name("g++") && !is_program_name("$X") && !is_program_name(""));
        assert!(is_plain_path("/bin/sh") && !is_plain_path("/b*n/x") && !is_plain_path("/"));
    }
}
