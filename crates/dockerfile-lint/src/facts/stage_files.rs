//! What is known of the files of each stage, instruction by instruction: the base image, what earlier builds of the same text
//! left, and what an instruction may have added that nobody has run yet.
//!
//! A rule asks what is certainly not there. Wherever an instruction may have made it, the answer is no.

use dockerfile_model::{
    Base, BuiltStep, FileKind, FileTree, Instruction, InstructionId, Keyword, LayerFiles, Model,
    ModelInput, Resolved, SmolStr, Stage, clean_path,
};

use super::copy_source::{CopySource, copy_sources};
use super::known_images::has_no_shell;
use super::run_effect::{RunEffect, run_effect};
use super::shell_program::base_name;

/// A stage with more places that are written to counts as one that nobody knows.
const MOST_WRITES: usize = 256;
/// PATH with more folders is not searched.
const MOST_FOLDERS: usize = 32;

/// The programs that a shell finds where the image says nothing (BuildKit `util/system/path.go`, `DefaultPathEnvUnix`).
pub(crate) const DEFAULT_PATH: &str =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Steps that were built, beyond which nothing counts as built.
const MOST_STEPS: usize = 512;

/// How the names of files end that no folder has, in order.
const FILES: [&str; 30] = [
    "c",
    "cfg",
    "cjs",
    "conf",
    "crt",
    "css",
    "csv",
    "go",
    "h",
    "html",
    "ini",
    "jar",
    "java",
    "js",
    "json",
    "key",
    "lock",
    "md",
    "mjs",
    "pem",
    "php",
    "pl",
    "properties",
    "py",
    "rb",
    "rs",
    "sh",
    "sql",
    "txt",
    "xml",
];

/// What is known of the files of one stage.
#[derive(Clone, Debug)]
pub(crate) struct StageFiles<'c> {
    /// None for `scratch`.
    base: Option<&'c LayerFiles>,
    /// Whether all files of the base are known, or only that it has no shell.
    is_complete: bool,
    steps: Vec<(InstructionId, &'c LayerFiles)>,
    /// Whether an instruction that makes a layer was not built.
    has_gap: bool,
    writes: Vec<Write>,
    /// Behind this instruction there may be any file.
    any_file_behind: Option<InstructionId>,
    /// Behind this instruction there may be any program.
    any_program_behind: Option<InstructionId>,
}

/// A place that something is written to.
#[derive(Clone, Debug)]
struct Write {
    by: InstructionId,
    /// Without links, as far as it exists.
    path: SmolStr,
    /// Whether there may be anything below.
    is_tree: bool,
}

/// What is known of the files before an instruction.
pub(crate) struct FilesAt<'f, 'c> {
    files: &'f StageFiles<'c>,
    at: InstructionId,
    tree: FileTree<'c>,
}

/// Returns what is known of the files of each stage; nothing for a stage on an image that nobody has looked at.
pub(crate) fn stage_files<'c>(
    model: &'c Model,
    input: &'c ModelInput,
) -> Vec<Option<StageFiles<'c>>> {
    let mut all: Vec<Option<StageFiles<'c>>> = Vec::with_capacity(model.stages.len());
    for stage in &model.stages {
        // A stage stands on an earlier one.
        let below = match &stage.base {
            Base::Stage(parent) => all.get(parent.index()).cloned().flatten(),
            base => of_base(model, stage, base),
        };
        all.push(below.map(|mut files| {
            files.go_through(model, stage, &input.built_steps);
            files
        }));
    }
    all
}

fn of_base<'c>(model: &'c Model, stage: &Stage, base: &Base) -> Option<StageFiles<'c>> {
    let mut files = StageFiles {
        base: None,
        is_complete: true,
        steps: Vec::new(),
        has_gap: false,
        writes: Vec::new(),
        any_file_behind: None,
        any_program_behind: None,
    };
    let Base::Image(name) = base else {
        return (*base == Base::Scratch).then_some(files);
    };
    match model.facts_of(stage.id) {
        Some(facts) => {
            files.base = Some(facts.files.as_deref()?);
            if !facts.triggers.is_empty() {
                files.any_file_behind = Some(stage.from);
                files.any_program_behind = Some(stage.from);
            }
        }
        None if has_no_shell(name) => files.is_complete = false,
        None => return None,
    }
    Some(files)
}

impl<'c> StageFiles<'c> {
    /// Returns what is known before an instruction.
    pub(crate) fn at(&self, at: InstructionId) -> FilesAt<'_, 'c> {
        FilesAt {
            files: self,
            at,
            tree: self.tree(at),
        }
    }

    fn tree(&self, at: InstructionId) -> FileTree<'c> {
        let steps = self.steps.iter().take_while(|(by, _)| *by < at);
        let steps = steps.map(|(_, changes)| *changes);
        FileTree::new(self.base.into_iter().chain(steps).collect())
    }

    fn go_through(&mut self, model: &'c Model, stage: &Stage, built: &'c [BuiltStep]) {
        let mut workdir = model.workdir_at(stage.from);
        for instruction in model.stage_instructions(stage.id) {
            let makes_layer = matches!(
                instruction.keyword,
                Keyword::Run | Keyword::Copy | Keyword::Add | Keyword::Workdir
            );
            if !makes_layer {
                continue;
            }
            if instruction.keyword == Keyword::Workdir {
                workdir = instruction
                    .value()
                    .and_then(|word| absolute(word.value.as_deref()?, workdir.as_deref()));
            }
            let step = built_step(built, instruction)
                .filter(|_| !self.has_gap && self.any_file_behind.is_none())
                .filter(|_| self.steps.len() < MOST_STEPS);
            if let Some(step) = step {
                self.steps.push((instruction.id, &step.changes));
                continue;
            }
            self.has_gap = true;
            self.note(instruction, workdir.as_deref());
        }
    }

    /// Notes what an instruction may add.
    fn note(&mut self, instruction: &Instruction, workdir: Option<&str>) {
        let by = instruction.id;
        match instruction.keyword {
            Keyword::Run => match run_effect(instruction) {
                RunEffect::Nothing => {}
                RunEffect::NoProgram => self.any_file(by),
                RunEffect::Anything => self.anything(by),
            },
            Keyword::Workdir => match workdir {
                Some(path) => self.write(by, path, false),
                None => self.any_file(by),
            },
            _ => {
                if self.copy(instruction, workdir).is_none() {
                    self.anything(by);
                }
            }
        }
    }

    fn any_file(&mut self, by: InstructionId) {
        self.any_file_behind.get_or_insert(by);
    }

    fn anything(&mut self, by: InstructionId) {
        self.any_file(by);
        self.any_program_behind.get_or_insert(by);
    }

    fn write(&mut self, by: InstructionId, path: &str, is_tree: bool) {
        let path = match self.tree(by).resolve(path) {
            Resolved::There { path, .. } | Resolved::Missing { path } => path,
            Resolved::Unknown => return self.anything(by),
        };
        if self.writes.len() >= MOST_WRITES {
            return self.anything(by);
        }
        self.writes.push(Write { by, path, is_tree });
    }

    /// Notes where COPY or ADD writes to; none where nobody knows.
    fn copy(&mut self, instruction: &Instruction, workdir: Option<&str>) -> Option<()> {
        let copy = instruction.copy()?;
        let destination = copy.destination.as_ref()?.value.as_deref()?;
        let path = absolute(destination, workdir)?;
        let keeps_parents = instruction.flag("parents").is_some();
        for (_, source) in copy_sources(instruction) {
            let name = match source {
                CopySource::Path(source) if is_one_file(source) && !keeps_parents => {
                    base_name(source)
                }
                _ => {
                    self.write(instruction.id, &path, true);
                    continue;
                }
            };
            self.write(instruction.id, &path, false);
            self.write(instruction.id, &format!("{path}/{name}"), false);
        }
        Some(())
    }
}

impl<'c> FilesAt<'_, 'c> {
    /// Returns whether all files of the base image are known.
    pub(crate) fn is_complete(&self) -> bool {
        self.files.is_complete
    }

    pub(crate) fn tree(&self) -> &FileTree<'c> {
        &self.tree
    }

    /// Returns the last instruction that was built; what comes behind it nobody has run.
    pub(crate) fn built_until(&self) -> Option<InstructionId> {
        let steps = self.files.steps.iter();
        steps.map(|(by, _)| *by).rfind(|by| *by < self.at)
    }

    /// Returns whether there is certainly nothing at an absolute path.
    pub(crate) fn is_missing(&self, path: &str) -> bool {
        self.knows_files() && self.is_absent(path)
    }

    /// Returns what is certainly at an absolute path, links followed.
    pub(crate) fn kind(&self, path: &str) -> Option<FileKind> {
        match self.tree.resolve(path) {
            Resolved::There { path, kind } if self.knows_files() && !self.may_be_written(&path) => {
                Some(kind)
            }
            _ => None,
        }
    }

    /// Returns whether none of the folders of a PATH certainly has a program.
    pub(crate) fn lacks_program(&self, name: &str, path: &str) -> bool {
        let is_known = is_before(self.files.any_program_behind, self.at) && self.is_complete();
        is_known
            && path.split(':').count() <= MOST_FOLDERS
            && path.split(':').all(|folder| {
                folder.starts_with('/') && self.is_absent(&format!("{folder}/{name}"))
            })
    }

    /// Returns whether a shell that stands at an absolute path is certainly not there.
    pub(crate) fn lacks_shell(&self, path: &str) -> bool {
        self.knows_files() && self.is_absent(path)
    }

    fn knows_files(&self) -> bool {
        is_before(self.files.any_file_behind, self.at)
    }

    /// Returns whether nothing that is known is at a path, or writes there.
    fn is_absent(&self, path: &str) -> bool {
        match self.tree.resolve(path) {
            Resolved::Missing { path: real } => {
                !self.may_be_written(&real) && !self.may_be_written(&clean_path(path))
            }
            Resolved::There { .. } | Resolved::Unknown => false,
        }
    }

    fn may_be_written(&self, path: &str) -> bool {
        let writes = self.files.writes.iter();
        writes.take_while(|write| write.by < self.at).any(|write| {
            write.path == path
                || is_below(&write.path, path)
                || (write.is_tree && is_below(path, &write.path))
        })
    }
}

/// Returns whether an instruction stands before what makes something unknown, or is that itself.
fn is_before(unknown_behind: Option<InstructionId>, at: InstructionId) -> bool {
    unknown_behind.is_none_or(|by| at <= by)
}

/// Returns whether a path is below a folder.
fn is_below(path: &str, folder: &str) -> bool {
    let folder = folder.trim_end_matches('/');
    path.strip_prefix(folder)
        .is_some_and(|behind| behind.starts_with('/'))
}

fn absolute(path: &str, workdir: Option<&str>) -> Option<SmolStr> {
    if path.starts_with('/') {
        return Some(clean_path(path));
    }
    Some(clean_path(&format!("{}/{path}", workdir?)))
}

/// Returns whether a source is certainly one file: `conf.d` and `.venv` are folders, and so may be what has no such ending.
fn is_one_file(source: &str) -> bool {
    let name = base_name(source).trim_start_matches('.');
    let Some((_, extension)) = name.rsplit_once('.') else {
        return false;
    };
    !source.contains(['*', '?', '[']) && FILES.binary_search(&extension).is_ok()
}

fn built_step<'c>(built: &'c [BuiltStep], instruction: &Instruction) -> Option<&'c BuiltStep> {
    let start = instruction.range.start();
    let at = built
        .binary_search_by_key(&start, |step| step.range.start())
        .ok()?;
    built.get(at).filter(|step| step.range == instruction.range)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{image, with_image};

    /// Returns which of these are certainly missing at the end of the last stage: a path, or else the name of a program.
    fn missing<'n>(text: &str, names: &[&'n str]) -> Vec<&'n str> {
        let image = image(&["/bin>usr/bin", "/usr/bin/sh*", "/etc/passwd"], &["root"]);
        let input = with_image("a:1", image);
        let parse = dockerfile_syntax::parse(text);
        let model = Model::new(&parse, &input);
        let all = stage_files(&model, &input);
        let stage = model.final_stage().expect("there is a stage");
        let Some(Some(files)) = all.get(stage.id.index()) else {
            return Vec::new();
        };
        let files = files.at(stage.end);
        let is_missing = |name: &&&str| {
            if name.starts_with('/') {
                files.is_missing(name)
            } else {
                files.lacks_program(name, DEFAULT_PATH)
            }
        };
        names.iter().filter(is_missing).copied().collect()
    }

    #[test]
    fn the_files_of_the_image_are_there() {
        let names = ["/bin/sh", "/bin/bash", "sh", "bash", "/etc/passwd/x"];
        let found = missing("FROM a:1\n", &names);
        assert_eq!(found, ["/bin/bash", "bash", "/etc/passwd/x"]);
        assert!(missing("FROM b:1\n", &names).is_empty());
        assert_eq!(missing("FROM scratch\n", &names), names);
    }

    #[test]
    fn copies_may_bring_what_lies_where_they_go() {
        let names = ["/bin/bash", "bash", "/app/x", "/app"];
        let on = |lines: &str| missing(&format!("FROM a:1 AS b\n{lines}\nFROM b\n"), &names);
        assert!(on("COPY rootfs /").is_empty());
        assert!(on("ARG D\nCOPY rootfs $D").is_empty());
        assert_eq!(on("COPY tools /usr/bin/"), ["/app/x", "/app"]);
        assert_eq!(on("COPY run.sh /usr/bin/"), names);
        assert_eq!(on("COPY run.sh /usr/bin/bash"), ["/app/x", "/app"]);
        assert_eq!(
            on("WORKDIR /app\nCOPY y.sh ."),
            ["/bin/bash", "bash", "/app/x"]
        );
        assert_eq!(on("COPY .venv /app/"), ["/bin/bash", "bash"]);
    }

    #[test]
    fn commands_may_bring_anything() {
        let names = ["/bin/bash", "bash"];
        let on = |lines: &str| missing(&format!("FROM a:1\n{lines}\n"), &names);
        assert!(on("RUN apk add bash").is_empty());
        assert!(on("RUN [\"setup\"]").is_empty());
        assert!(on("RUN <<EOF python3\nx\nEOF").is_empty());
        assert_eq!(on("RUN mkdir -p /app"), ["bash"]);
        assert_eq!(on("RUN echo a && rm -f b"), names);
    }

    #[test]
    fn what_was_built_is_known() {
        let text = "FROM a:1\nRUN apk add bash\nRUN x\nCOPY . /\n";
        let mut input = with_image("a:1", image(&["/bin/sh*"], &[]));
        let mut step = |line: &str, paths: &[&str]| {
            let start = text.find(line).expect("it is there") as u32;
            let len = dockerfile_source::TextSize::of(line);
            input.built_steps.push(BuiltStep {
                range: dockerfile_source::TextRange::at(start.into(), len),
                changes: std::sync::Arc::new(crate::testing::layer(paths)),
            });
        };
        step("RUN apk add bash", &["/bin/bash*"]);
        step("COPY . /", &["/y"]);
        let parse = dockerfile_syntax::parse(text);
        let model = Model::new(&parse, &input);
        let all = stage_files(&model, &input);
        let files = all[0].as_ref().expect("the image is known");
        let second = files.at(InstructionId(2));
        assert!(!second.is_missing("/bin/bash") && second.is_missing("/bin/zsh"));
        assert_eq!(second.built_until(), Some(InstructionId(1)));
        // A step is missing in between: nothing is known behind it.
        assert!(!files.at(InstructionId(4)).is_missing("/bin/zsh"));
    }
}
