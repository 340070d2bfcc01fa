//! Steps that take long and depend on little: the installation of packages.

use dockerfile_model::Instruction;
use dockerfile_source::TextRange;

use super::dependency_install::dependency_install;
use super::package_action::Action;
use super::package_call::PackageCall;
use super::program_call::ProgramCall;

/// A RUN that installs packages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ExpensiveStep<'m> {
    pub instruction: &'m Instruction,
    /// The command that installs.
    pub range: TextRange,
}

/// Returns the RUN that install packages, one for each, in the order of the file.
pub(crate) fn expensive_steps<'m>(
    calls: &[ProgramCall<'m>],
    packages: &[PackageCall<'m>],
) -> Vec<ExpensiveStep<'m>> {
    let by_name = packages
        .iter()
        .filter(|call| matches!(call.action, Action::Install | Action::CleanInstall))
        .map(|call| (call.instruction, call.range()));
    let by_manifest = calls.iter().filter_map(|call| {
        let install = dependency_install(call)?;
        Some((call.instruction, install.range))
    });
    let mut steps: Vec<_> = by_name
        .chain(by_manifest)
        .map(|(instruction, range)| ExpensiveStep { instruction, range })
        .collect();
    steps.sort_by_key(|step| step.range.start());
    steps.dedup_by_key(|step| step.instruction.range);
    steps
}

/// Returns the first step behind an instruction in the same stage; the steps are in the order of the file.
pub(crate) fn first_step_behind<'s, 'm>(
    steps: &'s [ExpensiveStep<'m>],
    instruction: &Instruction,
) -> Option<&'s ExpensiveStep<'m>> {
    let start = steps.partition_point(|step| step.instruction.id <= instruction.id);
    steps
        .get(start)
        .filter(|step| step.instruction.stage == instruction.stage)
}

#[cfg(test)]
mod tests {
    use dockerfile_model::{InstructionId, Model, ModelInput};

    use super::*;
    use crate::facts::calls_by_name::CallsByName;
    use crate::facts::package_call::package_calls;
    use crate::facts::program_call::commands;

    fn ids(steps: &[ExpensiveStep<'_>]) -> Vec<InstructionId> {
        steps.iter().map(|step| step.instruction.id).collect()
    }

    #[test]
    fn one_step_for_each_run_that_installs() {
        let parse = dockerfile_syntax::parse(
            "FROM a:1\nRUN apk add a && apk add b\nRUN make\nRUN npm ci\nFROM b:1\nRUN pip install -r r.txt\n",
        );
        let model = Model::new(&parse, &ModelInput::default());
        let calls = commands(&model).calls;
        let steps = expensive_steps(&calls, &package_calls(&calls, &CallsByName::new(&calls)));
        assert_eq!(
            ids(&steps),
            [InstructionId(1), InstructionId(3), InstructionId(5)]
        );
        let make = model.instruction(InstructionId(2)).expect("it is there");
        let behind = first_step_behind(&steps, make).map(|step| step.instruction.id);
        assert_eq!(behind, Some(InstructionId(3)));
        let npm = model.instruction(InstructionId(3)).expect("it is there");
        assert!(first_step_behind(&steps, npm).is_none());
    }
}
