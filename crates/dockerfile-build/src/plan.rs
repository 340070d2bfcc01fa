//! What a Dockerfile asks for: stages of operations on files, and the configuration of each stage.
//!
//! Follows BuildKit's `frontend/dockerfile/dockerfile2llb/convert.go`, because what it makes of a file is what gets built.
//! Pure: what base images bring along is asked of `Bases`.

mod base;
mod config;
#[cfg(test)]
mod conformance;
mod copy;
mod environment;
mod evaluate;
mod global;
mod golang;
mod planner;
mod ports;
mod run;
mod run_mount;
mod signal;
mod skeleton;
mod stage_end;
mod trigger;
mod words;

use dockerfile_source::TextRange;
use oci_image::config::ImageConfig;

pub(crate) use base::{Bases, ResolvedImage};
pub(crate) use copy::{CopyOperation, CopySource, From};
pub(crate) use planner::plan;
pub(crate) use run::{CommandPlace, Network, RunOperation};
pub(crate) use run_mount::{CacheSharing, MountKind, RunMount};
pub(crate) use trigger::Dockerfile;

/// The stages that a target needs, in the order of the Dockerfile; images that COPY or RUN name are stages without
/// operations.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) stages: Vec<Stage>,
    /// The index in `stages` of what is built.
    pub(crate) target: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Stage {
    /// As people call it: its name, `stage-2`, or nothing where there is one stage only.
    pub(crate) name: String,
    /// FROM, or the flag that names the image.
    pub(crate) range: TextRange,
    pub(crate) base: Base,
    pub(crate) operations: Vec<Operation>,
    /// The configuration after the last instruction.
    pub(crate) config: ImageConfig,
    /// Whether `--no-cache` or `--no-cache-filter` means it.
    pub(crate) ignores_cache: bool,
}

/// What a stage stands on.
#[derive(Clone, Debug)]
pub(crate) enum Base {
    Scratch,
    /// An index in `Plan::stages`, smaller than the own.
    Stage(usize),
    Image(Box<ResolvedImage>),
    /// A folder of the user stands in for the image: `--build-context`.
    Directory(std::path::PathBuf),
}

/// One instruction that changes files.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    /// The instruction, or the FROM whose base image had it as a trigger.
    pub(crate) range: TextRange,
    /// The instruction as it is shown, with its variables replaced.
    pub(crate) title: String,
    pub(crate) kind: OperationKind,
}

#[derive(Clone, Debug)]
pub(crate) enum OperationKind {
    Run(Box<RunOperation>),
    Copy(Box<CopyOperation>),
    /// WORKDIR makes its folder.
    MakeDirectory {
        path: String,
        user: String,
    },
}
