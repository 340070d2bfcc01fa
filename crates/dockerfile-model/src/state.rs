//! The state at an instruction: who runs it, where, with which shell; through the stages that it stands on.

use smol_str::SmolStr;

use crate::{Base, Body, Instruction, InstructionId, Keyword, Model, StageId, Word};

impl Model {
    /// Returns the last instruction of a kind before `at`, in its stage or in the stages below it.
    pub fn last_before(&self, keyword: Keyword, at: InstructionId) -> Option<&Instruction> {
        let stage = self.instruction(at)?.stage?;
        self.last_in(keyword, stage, at)
    }

    /// Returns the instruction of a kind that counts for the image of a stage.
    pub fn last_of_stage(&self, keyword: Keyword, stage: StageId) -> Option<&Instruction> {
        self.last_in(keyword, stage, self.stage(stage)?.end)
    }

    fn last_in(
        &self,
        keyword: Keyword,
        stage: StageId,
        before: InstructionId,
    ) -> Option<&Instruction> {
        let mut before = before;
        let mut stage = self.stage(stage)?;
        loop {
            let range = stage.from.index()..before.index();
            let found = self
                .instructions
                .get(range)?
                .iter()
                .rfind(|instruction| instruction.keyword == keyword);
            if found.is_some() {
                return found;
            }
            // A stage stands on earlier stages only, so this ends.
            let Base::Stage(parent) = stage.base else {
                return None;
            };
            stage = self.stage(parent)?;
            before = stage.end;
        }
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
        let stage = self.instruction(at)?.stage?;
        self.workdir_in(stage, at)
    }

    fn workdir_in(&self, stage: StageId, before: InstructionId) -> Option<SmolStr> {
        let mut relative: Vec<&str> = Vec::new();
        let mut before = before;
        let mut stage = self.stage(stage)?;
        let mut absolute = None;
        'stages: loop {
            let range = stage.from.index()..before.index();
            for instruction in self.instructions.get(range)?.iter().rev() {
                if instruction.keyword == Keyword::Workdir {
                    let value = instruction.value()?.value.as_deref()?;
                    if value.starts_with('/') {
                        absolute = Some(value);
                        break 'stages;
                    }
                    relative.push(value);
                }
            }
            match stage.base {
                Base::Stage(parent) => {
                    stage = self.stage(parent)?;
                    before = stage.end;
                }
                Base::Scratch => break,
                _ => break,
            }
        }
        let start = match absolute {
            Some(path) => path.to_owned(),
            None if stage.base == Base::Scratch => "/".to_owned(),
            None => self.facts_of(stage.id)?.workdir.clone()?.to_string(),
        };
        let joined = relative
            .iter()
            .rev()
            .fold(start, |path, part| format!("{path}/{part}"));
        Some(clean_path(&joined))
    }
}

/// Returns an absolute path without `.`, `..` and doubled slashes, as Go's `path.Clean` does.
pub fn clean_path(path: &str) -> SmolStr {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleans_paths() {
        assert_eq!(clean_path("/a/./b//../c/"), "/a/c");
        assert_eq!(clean_path("/../.."), "/");
    }
}
