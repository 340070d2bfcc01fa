//! Rules about Dockerfiles: what they find, what silences them, and what repairs the file.
//!
//! Invariants:
//! - No I/O. What is known beyond the file is handed in with `Options`.
//! - The same file and options give the same findings in the same order.
//! - A fix is applied only after it was proven: see `fix`.

#![forbid(unsafe_code)]

mod rule;

mod registry;
mod selection;

mod context;
mod facts;
mod fix;
mod precedence;
mod run;
mod suppression;

pub mod rules;

#[cfg(test)]
pub(crate) mod testing;

pub use context::RuleContext;
pub use dockerfile_model::{BaseImageFacts, SmolStr};
pub use fix::{FixOutcome, Refusal, RefusedFix, fix};
pub use registry::{find_rules, rules};
pub use rule::{FixKind, Rule, Status};
pub use run::{IgnoreFileFact, Lint, Options, check, check_model};
pub use selection::{Selection, UnknownRule};
