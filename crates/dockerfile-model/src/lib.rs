//! What a Dockerfile means: stages, variables, the state at every instruction, and the commands that shells run.
//!
//! Invariants:
//! - Making a model never fails: what is missing or broken in the file is missing in the model.
//! - No I/O. What a base image brings along, and which build arguments are given, is handed in as plain data.
//! - Everything carries its range in the file.

#![forbid(unsafe_code)]

pub mod expansion;
mod go_match;
pub mod ignore_file;
mod image_files;
mod image_names;
pub mod image_ref;
mod index;
mod instruction;
mod lower;
mod meaning;
mod model;
mod run_mount;
mod scope;
mod shell_command;
mod stage;
mod state;
mod word;

pub use go_match::{BadPattern, go_match};
pub use ignore_file::IgnoreFile;
pub use image_files::{AccountNames, BuiltStep, FileKind, FileTree, LayerFiles, Resolved};
pub use image_ref::{ImageRef, ImageRefError, ImageRefErrorKind, ImageRefParts};
pub use instruction::{
    Body, Command, Copy, Flag, From, Healthcheck, HeredocBody, HeredocFact, Instruction,
    InstructionId, JsonString, Keyword, Pair,
};
pub use meaning::{Difference, Meaning, is_confined, means_the_same};
pub use model::{BaseImageFacts, Comment, Model, ModelInput};
pub use run_mount::{MountOption, RunMount};
pub use scope::{Origin, Resolution, Variable, VariableId, VariableUse};
pub use shell_command::{
    Join, Nesting, Redirection, Script, ScriptContext, ShellAssignment, ShellCommand, ShellWord,
};
pub use smol_str::SmolStr;
pub use stage::{Base, Stage, StageId, StageReference};
pub use state::clean_path;
pub use word::{Word, WordError};
