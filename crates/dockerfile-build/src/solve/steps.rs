//! The steps of a plan, numbered.

use dockerfile_source::TextRange;

use crate::event::StepId;
use crate::key::{Key, KeyMaker};
use crate::plan::{Base, Plan};
use crate::request::{ContextSource, Request};

/// All steps of a plan, in the order of the plan; what fetches a base image is a step as well.
#[derive(Clone, Debug)]
pub(crate) struct Steps {
    steps: Vec<Step>,
    /// By stage: the first step of its operations.
    starts: Vec<u32>,
}

#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) title: String,
    pub(crate) range: TextRange,
    /// Where the cache keeps what the last build of this step saw.
    slot: Key,
}

impl Steps {
    pub(crate) fn new(plan: &Plan, request: &Request) -> Steps {
        let mut steps = Vec::new();
        let mut starts = Vec::new();
        for stage in &plan.stages {
            let shown = match &stage.base {
                Base::Image(image) => format!("FROM {}", image.name),
                Base::Scratch => "FROM scratch".to_owned(),
                Base::Stage(parent) => {
                    let name = plan
                        .stages
                        .get(*parent)
                        .map_or("", |stage| stage.name.as_str());
                    format!("FROM {name}")
                }
                Base::Directory(path) => format!("FROM {}", path.display()),
            };
            starts.push(steps.len() as u32);
            let all = std::iter::once((shown, stage.range)).chain(
                stage
                    .operations
                    .iter()
                    .map(|operation| (operation.title.clone(), operation.range)),
            );
            let count = stage.operations.len();
            for (number, (title, range)) in all.enumerate() {
                steps.push(Step {
                    title: titled(&stage.name, number, count, &title),
                    range,
                    slot: slot(request, &stage.name, number),
                });
            }
        }
        Steps { steps, starts }
    }

    pub(crate) fn of_base(&self, stage: usize) -> StepId {
        StepId(self.starts.get(stage).copied().unwrap_or_default())
    }

    pub(crate) fn of_operation(&self, stage: usize, number: usize) -> StepId {
        StepId(self.of_base(stage).0 + 1 + number as u32)
    }

    pub(crate) fn slot(&self, step: StepId) -> Key {
        self.steps
            .get(step.0 as usize)
            .map_or(Key::from([0; 32]), |step| step.slot)
    }

    pub(crate) fn get(&self, step: StepId) -> Option<&Step> {
        self.steps.get(step.0 as usize)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (StepId, &Step)> {
        self.steps
            .iter()
            .enumerate()
            .map(|(number, step)| (StepId(number as u32), step))
    }
}

fn titled(stage: &str, number: usize, count: usize, title: &str) -> String {
    let place = if number == 0 {
        String::new()
    } else {
        format!("{number}/{count}")
    };
    let label = [stage, &place]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    if label.is_empty() {
        return title.to_owned();
    }
    format!("[{label}] {title}")
}

fn slot(request: &Request, stage: &str, number: usize) -> Key {
    let mut maker = KeyMaker::new("slot");
    let context = match &request.context {
        ContextSource::Directory(path) => path.as_os_str().as_encoded_bytes(),
        ContextSource::Empty => b"",
    };
    maker
        .add(context)
        .add(request.dockerfile_name.as_bytes())
        .add(stage.as_bytes())
        .add(&(number as u64).to_le_bytes());
    maker.finish().0
}
