//! Variables: where they are declared, what they hold, and which one a use means.
//!
//! BuildKit keeps one environment a stage (`dockerfile2llb/convert.go`). ARG and ENV add to it in order, a later
//! one wins; a stage on top of another starts with what that one has.

use dockerfile_source::TextRange;
use smol_str::SmolStr;

use crate::{InstructionId, StageId};

/// The place of a variable in the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VariableId(pub u32);

/// Where a variable comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// ARG before the first FROM.
    GlobalArg,
    /// ARG in a stage.
    Arg,
    /// ENV in a stage.
    Env,
}

/// One declaration of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    pub name: SmolStr,
    /// Where the name stands.
    pub range: TextRange,
    pub origin: Origin,
    pub instruction: InstructionId,
    /// None before the first FROM.
    pub stage: Option<StageId>,
    /// What it holds where that is known: a default that a build argument may still replace, or the value of ENV.
    pub value: Option<SmolStr>,
    /// Whether a value is written, be it known or not.
    pub has_value: bool,
}

/// What a use of a variable means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Declared in the file.
    Declared(VariableId),
    /// Known to the builder without a declaration: proxies, platform arguments in FROM, `PATH`.
    Predefined,
    /// Set by the base image, as the caller's facts say.
    BaseImage,
    /// Not declared in the file, but the base image may set it.
    MaybeBaseImage,
    /// Declared before the first FROM, but not again in this stage: empty here.
    GlobalOnly(VariableId),
    /// Not declared at all.
    Undeclared,
}

/// `$NAME` or `${NAME...}` in a word that the builder expands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariableUse {
    pub name: SmolStr,
    /// Where `$NAME` or `${NAME...}` stands.
    pub range: TextRange,
    pub resolution: Resolution,
    /// Whether the word gives a value for the case that the variable is not set: `${NAME:-x}`, `${NAME-x}`, `:+`, `+`,
    /// or asks for an error (`:?`, `?`).
    pub handles_unset: bool,
}

/// Platform arguments that the builder sets by itself: in FROM at once, in a stage after `ARG NAME`.
pub(crate) const PLATFORM_ARGUMENTS: [&str; 12] = [
    "TARGETPLATFORM",
    "TARGETOS",
    "TARGETOSVERSION",
    "TARGETARCH",
    "TARGETVARIANT",
    "TARGETSTAGE",
    "BUILDPLATFORM",
    "BUILDOS",
    "BUILDOSVERSION",
    "BUILDARCH",
    "BUILDVARIANT",
    "BUILDKIT_BUILD_NAME",
];

/// Build arguments that need no ARG (`dockerfile2llb/defaultshell` and the reference, "Predefined ARGs").
pub(crate) const PREDEFINED_ARGUMENTS: [&str; 10] = [
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "FTP_PROXY",
    "ftp_proxy",
    "NO_PROXY",
    "no_proxy",
    "ALL_PROXY",
    "all_proxy",
];
