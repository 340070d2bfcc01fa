//! The state at an instruction: who runs it, where, with which shell; through the stages that it stands on.

use smol_str::SmolStr;

use crate::{Base, Body, Instruction, InstructionId, Keyword, Model, StageId, Word};

impl Model {
    /// Returns the last instruction of a kind before `at`, in its stage or in the stages below it.
    pub fn last_before(&self, keyword: Keyword, at: InstructionId) -> Option<&Instruction> {
        let stage = self.stage(self.instruction(at)?.stage?)?;
        let found = match self.places.last_before(keyword, at) {
            Some(own) if own >= stage.from => own,
            _ => match stage.base {
                Base::Stage(parent) => self.places.last_of_stage(keyword, parent)?,
                _ => return None,
            },
        };
        self.instruction(found)
    }

    /// Returns the instruction of a kind that counts for the image of a stage.
    pub fn last_of_stage(&self, keyword: Keyword, stage: StageId) -> Option<&Instruction> {
        self.instruction(self.places.last_of_stage(keyword, stage)?)
    }

    /// Returns the working directory behind the last instruction of a stage, where it is known.
    pub fn workdir_of_stage(&self, stage: StageId) -> Option<SmolStr> {
        self.places.last_workdir_of_stage(stage)
    }

    /// Returns the USER word that is in force at an instruction.
    pub fn user_at(&self, at: InstructionId) -> Option<&Word> {
        self.last_before(Keyword::User, at)?.value()
    }

    /// Returns the program of the shell that is in force at an instruction, such as `/bin/bash`; none for the default.
    pub fn shell_at(&self, at: InstructionId) -> Option<&[crate::JsonString]> {
        match &self.last_before(Keyword::Shell, at)?.body {
            Body::Shell(words) => Some(words),
            _ => None,
        }
    }

    /// Returns the working directory after all WORKDIR instructions before `at`: none when it depends on the base image
    /// or on a variable without a known value.
    pub fn workdir_at(&self, at: InstructionId) -> Option<SmolStr> {
        let stage = self.stage(self.instruction(at)?.stage?)?;
        match self.places.last_before(Keyword::Workdir, at) {
            Some(own) if own >= stage.from => self.places.workdir_behind(own),
            _ => self.places.workdir_of_base(stage.id),
        }
    }
}

/// Returns an absolute path without `.`, `..` and doubled slashes, as Go's `path.Clean` does.
pub fn clean_path(path: &str) -> SmolStr {
    if is_clean(path) {
        return SmolStr::new(path);
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    SmolStr::new(format!("/{}", parts.join("/")))
}

fn is_clean(path: &str) -> bool {
    path.strip_prefix('/').is_some_and(|parts| {
        parts.is_empty()
            || parts
                .split('/')
                .all(|part| !matches!(part, "" | "." | ".."))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleans_paths() {
        assert_eq!(clean_path("/a/./b//../c/"), "/a/c");
        assert_eq!(clean_path("/../.."), "/");
        assert_eq!(clean_path("/"), "/");
        assert_eq!(clean_path("/a/b"), "/a/b");
        assert_eq!(clean_path("/a/"), "/a");
    }
}
