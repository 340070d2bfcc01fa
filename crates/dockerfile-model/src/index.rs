//! What the file declares, found by name instead of by looking through all of it.
//!
//! A file may hold thousands of declarations and as many uses: each question here takes a logarithm of that at most.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use crate::{
    Base, BaseImageFacts, Instruction, InstructionId, Keyword, StageId, Variable, VariableId,
};
use crate::{Stage, clean_path};

/// How many stages below its own a variable is looked for in. What is declared further down is not known.
pub(crate) const MOST_ANCESTORS: usize = 64;

/// The longest path that Linux takes; a longer working directory is not known.
const LONGEST_PATH: usize = 4096;

/// How much text the working directories of a file may take that stand below others.
const MOST_PATH_TEXT: usize = 16 << 20;

/// Names to declarations; filled while the file is lowered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    /// ARG before the first FROM, in the order of the file.
    globals: FxHashMap<SmolStr, Vec<VariableId>>,
    /// ARG and ENV in stages, in the order of the file.
    in_stages: FxHashMap<SmolStr, Vec<VariableId>>,
    /// The last stage of each name so far.
    stages: FxHashMap<SmolStr, StageId>,
    /// For each stage, the one at the bottom of those that it stands on.
    roots: Vec<StageId>,
}

impl Names {
    pub(crate) fn add_global(&mut self, name: SmolStr, id: VariableId) {
        self.globals.entry(name).or_default().push(id);
    }

    pub(crate) fn add_in_stage(&mut self, name: SmolStr, id: VariableId) {
        self.in_stages.entry(name).or_default().push(id);
    }

    pub(crate) fn add_stage(&mut self, name: SmolStr, id: StageId) {
        self.stages.insert(name, id);
    }

    /// Notes what the next stage stands on; none for what is no stage.
    pub(crate) fn add_base(&mut self, parent: Option<StageId>) {
        let own = StageId(self.roots.len() as u32);
        let root = parent.and_then(|parent| self.root(parent));
        self.roots.push(root.unwrap_or(own));
    }

    pub(crate) fn root(&self, stage: StageId) -> Option<StageId> {
        self.roots.get(stage.index()).copied()
    }

    pub(crate) fn stage(&self, name: &str) -> Option<StageId> {
        self.stages.get(name).copied()
    }

    /// Returns the last ARG of a name before the first FROM that stands before an instruction.
    pub(crate) fn global<'v>(
        &self,
        variables: &'v [Variable],
        name: &str,
        before: InstructionId,
    ) -> Option<(VariableId, &'v Variable)> {
        last_while(self.globals.get(name)?, variables, |variable| {
            variable.instruction < before
        })
    }

    /// Returns the declarations of a name in stages.
    pub(crate) fn in_stages(&self, name: &str) -> &[VariableId] {
        self.in_stages.get(name).map_or(&[], Vec::as_slice)
    }
}

/// Returns the last of several declarations, which stand in the order of the file, that are early enough.
pub(crate) fn last_while<'v>(
    ids: &[VariableId],
    variables: &'v [Variable],
    is_early: impl Fn(&Variable) -> bool,
) -> Option<(VariableId, &'v Variable)> {
    let variable = |id: VariableId| variables.get(id.0 as usize);
    let end = ids.partition_point(|id| variable(*id).is_some_and(&is_early));
    let id = *ids.get(end.checked_sub(1)?)?;
    Some((id, variable(id)?))
}

/// What instructions find above them; made when all of the file is lowered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    /// All instructions, sorted by keyword and then by place.
    by_keyword: Vec<InstructionId>,
    /// Where each keyword starts in `by_keyword`, and the end.
    starts: [u32; Keyword::COUNT + 1],
    stages: Vec<StagePlaces>,
    /// The working directory behind each WORKDIR, in the order of the file.
    workdirs: Vec<Option<SmolStr>>,
    path_text: usize,
}

#[derive(Clone, Debug)]
struct StagePlaces {
    /// The last instruction of each keyword in it or below.
    last: [Option<InstructionId>; Keyword::COUNT],
    /// The working directory before its first WORKDIR.
    workdir: Option<SmolStr>,
    /// The working directory behind its last WORKDIR.
    last_workdir: Option<SmolStr>,
}

impl Places {
    pub(crate) fn new(
        instructions: &[Instruction],
        stages: &[Stage],
        base_facts: &[Option<Arc<BaseImageFacts>>],
    ) -> Places {
        let mut places = Places::default();
        places.sort_by_keyword(instructions);
        for stage in stages {
            places.add_stage(stage, instructions, base_facts);
        }
        places
    }

    fn sort_by_keyword(&mut self, instructions: &[Instruction]) {
        for instruction in instructions {
            if let Some(count) = self.starts.get_mut(instruction.keyword as usize + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for start in &mut self.starts {
            sum += *start;
            *start = sum;
        }
        let mut next = self.starts;
        self.by_keyword = vec![InstructionId(0); instructions.len()];
        for instruction in instructions {
            if let Some(place) = next.get_mut(instruction.keyword as usize) {
                if let Some(slot) = self.by_keyword.get_mut(*place as usize) {
                    *slot = instruction.id;
                }
                *place += 1;
            }
        }
    }

    fn add_stage(
        &mut self,
        stage: &Stage,
        instructions: &[Instruction],
        base_facts: &[Option<Arc<BaseImageFacts>>],
    ) {
        // A stage stands on an earlier one.
        let parent = match stage.base {
            Base::Stage(parent) => self.stages.get(parent.index()),
            _ => None,
        };
        let mut last = parent.map_or([None; Keyword::COUNT], |parent| parent.last);
        let workdir = match parent {
            Some(parent) => parent.last_workdir.clone(),
            None if stage.base == Base::Scratch => Some(SmolStr::new_static("/")),
            None => base_facts
                .get(stage.id.index())
                .and_then(Option::as_ref)
                .and_then(|facts| facts.first_workdir()),
        };
        let mut now = workdir.clone();
        let own = instructions.get(stage.from.index()..stage.end.index());
        for instruction in own.unwrap_or(&[]) {
            if let Some(slot) = last.get_mut(instruction.keyword as usize) {
                *slot = Some(instruction.id);
            }
            if instruction.keyword == Keyword::Workdir {
                now = self.workdir_after(instruction, now.as_deref());
                self.workdirs.push(now.clone());
            }
        }
        self.stages.push(StagePlaces {
            last,
            workdir,
            last_workdir: now,
        });
    }

    /// Returns the last instruction of a keyword in a stage or below it.
    pub(crate) fn last_of_stage(&self, keyword: Keyword, stage: StageId) -> Option<InstructionId> {
        *self.stages.get(stage.index())?.last.get(keyword as usize)?
    }

    /// Returns the last instruction of a keyword before `before`, wherever it stands.
    pub(crate) fn last_before(
        &self,
        keyword: Keyword,
        before: InstructionId,
    ) -> Option<InstructionId> {
        let ids = self.of_keyword(keyword);
        let end = ids.partition_point(|id| *id < before);
        ids.get(end.checked_sub(1)?).copied()
    }

    /// Returns the instructions of a keyword, those behind ONBUILD left out.
    pub(crate) fn of_keyword(&self, keyword: Keyword) -> &[InstructionId] {
        let bound = |idx: usize| self.starts.get(idx).map_or(0, |start| *start as usize);
        self.by_keyword
            .get(bound(keyword as usize)..bound(keyword as usize + 1))
            .unwrap_or(&[])
    }

    /// Returns the working directory behind a WORKDIR of a stage.
    pub(crate) fn workdir_behind(&self, id: InstructionId) -> Option<SmolStr> {
        let ids = self.of_keyword(Keyword::Workdir);
        // What stands before the first FROM has no place in `workdirs`.
        let outside = ids.len().saturating_sub(self.workdirs.len());
        let idx = ids.binary_search(&id).ok()?.checked_sub(outside)?;
        self.workdirs.get(idx)?.clone()
    }

    /// Returns the working directory of a stage before its first WORKDIR.
    pub(crate) fn workdir_of_base(&self, stage: StageId) -> Option<SmolStr> {
        self.stages.get(stage.index())?.workdir.clone()
    }

    /// Returns the working directory of a stage behind its last WORKDIR.
    pub(crate) fn last_workdir_of_stage(&self, stage: StageId) -> Option<SmolStr> {
        self.stages.get(stage.index())?.last_workdir.clone()
    }

    fn workdir_after(
        &mut self,
        instruction: &Instruction,
        before: Option<&str>,
    ) -> Option<SmolStr> {
        let value = instruction.value()?.value.as_deref()?;
        if value.starts_with('/') {
            return Some(clean_path(value));
        }
        let joined = format!("{}/{value}", before?);
        self.path_text += joined.len();
        (joined.len() <= LONGEST_PATH && self.path_text <= MOST_PATH_TEXT)
            .then(|| clean_path(&joined))
    }
}
