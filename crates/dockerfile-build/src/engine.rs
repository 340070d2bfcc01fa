//! The ways in: build, and look ahead.

use build_sandbox::user_namespace::{IdMap, id_map};
use dockerfile_source::TextRange;
use oci_image::store::Store;

use crate::bases::Images;
use crate::cache::Cache;
use crate::contexts::Contexts;
use crate::error::{BuildError, Failure, told};
use crate::event::{Event, Observer, Silent, StepId};
use crate::image::{Image, assemble};
use crate::layers::{Layers, SnapshotForm};
use crate::plan::{Dockerfile, Plan, plan};
use crate::request::Request;
use crate::runner::Runner;
use crate::solve::{Outlook, Peek, Solver, Steps};

/// What is to be expected of a build.
#[derive(Clone, Debug)]
pub struct Forecast {
    pub steps: Vec<StepForecast>,
}

/// What is to be expected of a step.
#[derive(Clone, Debug)]
pub struct StepForecast {
    pub step: StepId,
    pub title: String,
    pub range: TextRange,
    pub fate: Fate,
}

/// Whether a step would run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Its result is in the store.
    Cached {
        /// Bytes of its files.
        size: u64,
        /// How long it took when it ran.
        microseconds: u64,
    },
    /// It would run, and why.
    Runs { reason: String },
    /// That hangs on the files of a stage that would run before.
    Unknown { stage: String },
}

/// Builds, and names the image in the store.
pub fn build(
    request: &Request,
    tags: &[String],
    observer: &dyn Observer,
    is_cancelled: &(dyn Fn() -> bool + Sync),
) -> Result<Image, BuildError> {
    let contexts = Contexts::new(request);
    let source = Reach::Network(&contexts);
    with_solver(request, source, observer, is_cancelled, |solver| {
        let steps = solver.steps.all();
        observer.event(Event::Planned {
            steps: steps
                .map(|(id, step)| (id, step.title.clone(), step.range))
                .collect(),
        });
        let chain = solver.solve()?;
        solver.contexts.save();
        let config = solver
            .plan
            .stages
            .get(solver.plan.target)
            .map(|stage| stage.config.clone());
        let image = assemble(solver, &chain, config.unwrap_or_default())?;
        let noted = solver.store.note_image(&image.id, &image.manifest);
        noted.map_err(|error| unnamed(&error))?;
        let has_name = |tag: &&String| {
            let known = solver.store.resolve(tag).ok().flatten();
            known.is_some_and(|known| known.digest == image.manifest.digest)
        };
        let fresh: Vec<&String> = tags.iter().filter(|tag| !has_name(tag)).collect();
        let mut publication = solver.store.publication();
        for tag in &fresh {
            publication.tag(tag, &image.manifest);
        }
        if !fresh.is_empty() {
            publication.publish().map_err(|error| unnamed(&error))?;
        }
        Ok(image)
    })
}

fn unnamed(error: &oci_image::Error) -> BuildError {
    let message = format!("cannot name the image: {}", told(error));
    BuildError::new(Failure::System, message)
}

/// Says what a build would do, and does nothing of it.
pub fn forecast(request: &Request) -> Result<Forecast, BuildError> {
    let contexts = Contexts::new(request);
    let source = Reach::Network(&contexts);
    with_solver(request, source, &Silent, &|| false, |solver| {
        let forecast = outlooks(solver);
        solver.contexts.save();
        forecast
    })
}

/// Says what is to be expected of every step.
pub(crate) fn outlooks(solver: &Solver<'_>) -> Result<Forecast, BuildError> {
    let mut peek = Peek::new(solver);
    let mut steps = Vec::new();
    for index in 0..solver.plan.stages.len() {
        for (step, outlook) in peek.outlooks(index)? {
            let Some(known) = solver.steps.get(step) else {
                continue;
            };
            steps.push(StepForecast {
                step,
                title: known.title.clone(),
                range: known.range,
                fate: fate(outlook, solver),
            });
        }
    }
    Ok(Forecast { steps })
}

fn fate(outlook: Outlook, solver: &Solver<'_>) -> Fate {
    match outlook {
        Outlook::Cached { size, microseconds } => Fate::Cached { size, microseconds },
        Outlook::Runs { reason } => Fate::Runs { reason },
        Outlook::Unknown { stage } => Fate::Unknown {
            stage: solver
                .plan
                .stages
                .get(stage)
                .map_or(String::new(), |stage| stage.name.clone()),
        },
    }
}

/// How far a look goes, and what is known of the folders of the user.
#[derive(Clone, Copy)]
pub(crate) enum Reach<'c> {
    /// Registries are asked for what the store does not have.
    Network(&'c Contexts),
    /// The store only.
    Store(&'c Contexts),
}

pub(crate) fn with_solver<T>(
    request: &Request,
    reach: Reach<'_>,
    observer: &dyn Observer,
    is_cancelled: &(dyn Fn() -> bool + Sync),
    work: impl FnOnce(&Solver<'_>) -> Result<T, BuildError>,
) -> Result<T, BuildError> {
    let planned = |request: &Request, images: &Images<'_>| {
        plan(&Dockerfile::new(&request.dockerfile), request, images)
    };
    with_plan(request, reach, planned, observer, is_cancelled, work)
}

/// Does something with a plan, wherever that comes from.
pub(crate) fn with_plan<T>(
    request: &Request,
    reach: Reach<'_>,
    planned: impl FnOnce(&Request, &Images<'_>) -> Result<Plan, BuildError>,
    observer: &dyn Observer,
    is_cancelled: &(dyn Fn() -> bool + Sync),
    work: impl FnOnce(&Solver<'_>) -> Result<T, BuildError>,
) -> Result<T, BuildError> {
    // Commands are started from elsewhere.
    let place = std::path::absolute(&request.store)
        .map_err(|error| BuildError::system("cannot find the store", &error))?;
    let request = &Request {
        store: place,
        ..request.clone()
    };
    let store = Store::create(&request.store).map_err(|error| {
        BuildError::new(
            Failure::System,
            format!("cannot open the store: {}", told(&error)),
        )
    })?;
    let ids = id_map();
    let form = SnapshotForm {
        is_rootless: ids != IdMap::Host,
        has_one_id: ids == IdMap::OneId,
    };
    let layers = Layers::new(&request.store, form, request.clock.latest());
    let cache = Cache::new(&request.store);
    let images = Images::new(
        &store,
        &layers,
        &request.base_images,
        observer,
        is_cancelled,
    );
    let (images, contexts) = match reach {
        Reach::Network(contexts) => (images, contexts),
        Reach::Store(contexts) => (images.offline(), contexts),
    };
    let plan = planned(request, &images)?;
    let (runner, steps) = (
        Runner::new(request.executor.clone(), store.temporary_folder()),
        Steps::new(&plan, request),
    );
    let solver = Solver::new(
        &plan,
        request,
        &store,
        &layers,
        &cache,
        &images,
        contexts,
        &runner,
        &steps,
        observer,
        is_cancelled,
    );
    work(&solver)
}
