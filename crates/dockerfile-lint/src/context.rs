//! What a rule sees, and where it puts what it finds.

use std::cell::OnceCell;

use dockerfile_model::{Instruction, InstructionId, Keyword, Model, StageId, Word};
use dockerfile_source::{
    Applicability, Diagnostic, Fix, Label, Severity, SourceFile, TextEdit, TextRange,
};
use dockerfile_syntax::Parse;

use crate::facts::calls_by_name::CallsByName;
use crate::facts::instructions_by_keyword::{InstructionsByKeyword, instructions_by_keyword};
use crate::facts::package_call::{PackageCall, package_calls};
use crate::facts::program_call::{Commands, ProgramCall, commands};
use crate::facts::stage_files::{FilesAt, StageFiles, stage_files};
use crate::facts::start_command::{StartCommand, start_commands};
use crate::facts::users_in_force::users_in_force;
use crate::{Options, Rule};

/// The file under check, and the findings so far.
pub struct RuleContext<'c> {
    pub(crate) source: &'c SourceFile,
    pub(crate) parse: &'c Parse,
    pub(crate) model: &'c Model,
    pub(crate) options: &'c Options,
    pub(crate) rule: &'static Rule,
    pub(crate) findings: Vec<Diagnostic>,
    pub(crate) facts: &'c Facts<'c>,
}

/// What several rules need and none should work out twice.
#[derive(Default)]
pub(crate) struct Facts<'c> {
    needed_stages: OnceCell<Vec<bool>>,
    shipped_stages: OnceCell<Vec<bool>>,
    instructions: OnceCell<InstructionsByKeyword<'c>>,
    commands: OnceCell<Commands<'c>>,
    calls_by_name: OnceCell<CallsByName<'c>>,
    package_calls: OnceCell<Vec<PackageCall<'c>>>,
    start_commands: OnceCell<Vec<StartCommand<'c>>>,
    users_in_force: OnceCell<Vec<Option<InstructionId>>>,
    stage_files: OnceCell<Vec<Option<StageFiles<'c>>>>,
}

/// A finding that was just made, to add to.
pub struct Finding<'f> {
    diagnostic: &'f mut Diagnostic,
}

impl<'c> RuleContext<'c> {
    pub fn model(&self) -> &'c Model {
        self.model
    }

    pub fn source(&self) -> &'c SourceFile {
        self.source
    }

    pub fn parse(&self) -> &'c Parse {
        self.parse
    }

    pub fn options(&self) -> &'c Options {
        self.options
    }

    /// Returns the text of a range of the file.
    pub fn text(&self, range: TextRange) -> &'c str {
        self.source.slice(range)
    }

    /// Returns whether the final stage needs a stage.
    pub fn is_stage_needed(&self, stage: StageId) -> bool {
        let needed = self
            .facts
            .needed_stages
            .get_or_init(|| self.model.needed_stages());
        needed.get(stage.index()).copied().unwrap_or(false)
    }

    /// Returns whether the layers of an instruction end up in the final image: its stage is the last one or below it.
    /// True before the first FROM.
    pub(crate) fn is_shipped(&self, instruction: &Instruction) -> bool {
        let Some(stage) = instruction.stage else {
            return true;
        };
        let shipped = self.facts.shipped_stages.get_or_init(|| {
            let mut shipped = vec![false; self.model.stages.len()];
            let last = self.model.final_stage().map(|stage| stage.id);
            for stage in last.into_iter().flat_map(|last| self.model.ancestry(last)) {
                if let Some(slot) = shipped.get_mut(stage.id.index()) {
                    *slot = true;
                }
            }
            shipped
        });
        shipped.get(stage.index()).copied().unwrap_or(true)
    }

    /// Returns the calls of programs in all scripts, in the order of the file.
    pub(crate) fn program_calls(&self) -> &'c [ProgramCall<'c>] {
        &self.commands().calls
    }

    /// Returns what rules look for among the commands of all scripts.
    pub(crate) fn commands(&self) -> &'c Commands<'c> {
        self.facts.commands.get_or_init(|| commands(self.model))
    }

    /// Returns the calls of package managers in RUN instructions, in the order of the file.
    pub(crate) fn package_calls(&self) -> &'c [PackageCall<'c>] {
        self.facts
            .package_calls
            .get_or_init(|| package_calls(self.program_calls(), self.calls_by_name()))
    }

    /// Returns the calls of these programs, in the order of the file.
    pub(crate) fn calls_of(
        &self,
        names: &[&str],
    ) -> impl Iterator<Item = &'c ProgramCall<'c>> + use<'c> {
        self.calls_at(self.calls_by_name().of(names))
    }

    /// Returns the calls of all programs with such a name, in the order of the file.
    pub(crate) fn calls_of_names(
        &self,
        is_wanted: fn(&str) -> bool,
    ) -> impl Iterator<Item = &'c ProgramCall<'c>> + use<'c> {
        self.calls_at(self.calls_by_name().of_names(is_wanted))
    }

    fn calls_at(&self, places: Vec<u32>) -> impl Iterator<Item = &'c ProgramCall<'c>> + use<'c> {
        let calls = self.program_calls();
        places.into_iter().filter_map(|at| calls.get(at as usize))
    }

    fn calls_by_name(&self) -> &'c CallsByName<'c> {
        self.facts
            .calls_by_name
            .get_or_init(|| CallsByName::new(self.program_calls()))
    }

    /// Returns what a container of a stage starts; of none, for what stands before the first FROM.
    pub(crate) fn start_command(&self, stage: Option<StageId>) -> StartCommand<'c> {
        let starts = self
            .facts
            .start_commands
            .get_or_init(|| start_commands(self.model));
        let idx = stage.map_or(0, |stage| stage.index() + 1);
        starts.get(idx).copied().unwrap_or_default()
    }

    /// Returns the word of the USER that is in force at an instruction.
    pub(crate) fn user_in_force(&self, at: InstructionId) -> Option<&'c Word> {
        let users = self
            .facts
            .users_in_force
            .get_or_init(|| users_in_force(self.model));
        let user = users.get(at.index()).copied().flatten()?;
        self.model.instruction(user)?.value()
    }

    /// Returns what is known of the files of a stage before an instruction, that of its end for `Stage::end`; none where the
    /// base image is not known.
    pub(crate) fn files_at(&self, stage: StageId, at: InstructionId) -> Option<FilesAt<'c, 'c>> {
        let (model, options) = (self.model, self.options);
        let files = self
            .facts
            .stage_files
            .get_or_init(|| stage_files(model, &options.input));
        Some(files.get(stage.index())?.as_ref()?.at(at))
    }

    /// Returns all instructions that run or count in this build or, behind ONBUILD, in a later one.
    pub fn instructions(&self) -> impl Iterator<Item = &'c Instruction> + use<'c> {
        self.model.instructions_with_triggers()
    }

    /// Returns the instructions of some keywords, also behind ONBUILD: one keyword after another, each in the order of
    /// the file.
    pub(crate) fn instructions_of(
        &self,
        keywords: &'static [Keyword],
    ) -> impl Iterator<Item = &'c Instruction> + use<'c> {
        let sorted = self
            .facts
            .instructions
            .get_or_init(|| instructions_by_keyword(self.model));
        keywords
            .iter()
            .filter_map(|keyword| sorted.get(*keyword as usize))
            .flatten()
            .copied()
    }

    /// Reports a finding at the smallest range that shows the fault.
    pub fn report(&mut self, range: TextRange, message: impl Into<String>) -> Finding<'_> {
        self.findings.push(Diagnostic {
            rule: self.rule.name,
            code: self.rule.code,
            aliases: self.rule.aliases,
            severity: self.rule.severity,
            message: message.into(),
            range,
            labels: Vec::new(),
            help: None,
            fix: None,
        });
        let diagnostic = self.findings.last_mut().expect("one was just pushed");
        Finding { diagnostic }
    }
}

impl Finding<'_> {
    /// Says what to do.
    pub fn help(self, help: impl Into<String>) -> Self {
        self.diagnostic.help = Some(help.into());
        self
    }

    /// Says that this finding weighs less or more than others of its rule.
    pub fn severity(self, severity: Severity) -> Self {
        self.diagnostic.severity = severity;
        self
    }

    /// Points at a second place that explains the first.
    pub fn label(self, range: TextRange, message: impl Into<String>) -> Self {
        self.diagnostic.labels.push(Label {
            range,
            message: message.into(),
        });
        self
    }

    /// Offers a repair that keeps what the file builds, or changes it exactly as the rule's page says.
    pub fn safe_fix(self, title: impl Into<String>, edit: TextEdit) -> Self {
        self.fix(Applicability::Safe, title, edit)
    }

    /// Offers a repair that may change what the image does.
    pub fn unsafe_fix(self, title: impl Into<String>, edit: TextEdit) -> Self {
        self.fix(Applicability::Unsafe, title, edit)
    }

    fn fix(self, applicability: Applicability, title: impl Into<String>, edit: TextEdit) -> Self {
        self.diagnostic.fix = Some(Fix {
            title: title.into(),
            applicability,
            edit,
        });
        self
    }
}
