//! From a Dockerfile to an image: plan, cache, steps, layers.
//!
//! The path of a build: `Request` -> `plan` (what the Dockerfile asks for, a pure graph) -> `solve` (keys, cache look-up, and where there
//! is no answer yet: `run`, `copy`) -> `layers` -> `image` (config and manifest) -> the store and the outputs.
//!
//! Invariants:
//! - The same request, context and base images give the same bytes: entries are sorted, times come from one clock.
//! - A failure is a diagnostic with a range in the Dockerfile.
//! - Nothing in here asks the linter: a Dockerfile with findings still builds.

#![forbid(unsafe_code)]

mod engine;
mod plan;
mod preview;
mod solve;

pub mod context;
mod contexts;
pub mod copy;
mod files;
pub mod git;
mod remotes;

mod bases;
mod export;
mod flat;
mod image;
mod layers;
mod layout;
mod prune;
mod waste;

mod cache;
mod key;

mod container;
mod culprit;
mod plain_root;
mod runner;
mod time;

mod error;
mod event;
mod request;

pub use bases::canonical_name;
pub use build_sandbox::{
    Connection, GroupLimits, Limits, ResourceLimit, run_helper_if_asked, user_namespace,
};
pub use container::{ContainerRequest, Volume, run_container};
pub use engine::{Fate, Forecast, StepForecast, build, forecast};
pub use error::{BuildError, Failure, Place};
pub use event::{Event, Observer, Progress, Silent, StepId, StepState, Stream};
pub use export::{Destination, LayerFormat, Target, export, push};
pub use image::Image;
pub use layers::{LayerFault, check_layers, repair_layers};
pub use preview::{BuiltLayer, Lookout, Preview, StagePreview, StepLayer, StepPreview};
pub use prune::{PruneOptions, Pruned, prune};
pub use request::{
    BaseImages, CacheUse, Clock, CommandExecutor, ContextSource, NamedContext, NetworkAccess,
    Request, Secret,
};
pub use waste::{Waste, WasteLedger, WastefulFile};
