//! Editor features over a Dockerfile, as plain data in byte offsets.
//!
//! An `Analysis` is one immutable version of a file with all that is known of it; each feature is a function of it.
//!
//! Invariants:
//! - No I/O, and nothing of the language server protocol: whoever calls fills in `Outside` and converts what comes back.
//! - No feature fails: what cannot be answered is answered with nothing.
//! - Every answer takes time in proportion to the file at most.
//! - A refactoring that must keep what the file builds is proven before it is offered.

#![forbid(unsafe_code)]

mod analysis;
mod outside;
mod walk;

mod manual;

mod code_action;
mod completion;
mod diagnostics;
mod formatting;
mod hover;
mod refactoring;
mod signature_help;

mod navigation;
mod symbol;
mod variable_uses;

mod call_hierarchy;
mod code_lens;
mod document_link;
mod document_symbol;
mod folding;
mod image_tree;
mod inlay_hint;
mod linked_editing;
mod selection;
mod semantic_tokens;

pub use analysis::Analysis;
pub use call_hierarchy::{Call, CallItem, call_item_at, incoming_calls, outgoing_calls};
pub use code_action::{Action, ActionKind, actions, fix_all};
pub use code_lens::{Lens, LensCommand, lenses};
pub use completion::{CompletionItem, CompletionKind, completion_documentation, completions};
pub use diagnostics::diagnostics;
pub use dockerfile_format::Options as FormatOptions;
pub use dockerfile_lint::{IgnoreFileFact, Options as LintOptions};
pub use dockerfile_model::{BaseImageFacts, BuiltStep, LayerFiles, SmolStr, StageId};
pub use document_link::{Link, LinkTarget, links};
pub use document_symbol::{DocumentSymbol, DocumentSymbolKind, document_symbols};
pub use folding::{Fold, FoldKind, folds};
pub use formatting::{format_document, format_on_type, format_selection};
pub use hover::{Hover, hover};
pub use inlay_hint::{InlayHint, InlayHintKind, inlay_hints};
pub use linked_editing::linked_ranges;
pub use navigation::{
    Access, Occurrence, RenameProblem, definition, prepare_rename, references, rename,
};
pub use outside::{ContextEntry, KnownImage, Outside, StepFact, StepOutlook};
pub use selection::selection_ranges;
pub use semantic_tokens::{SemanticToken, TokenModifier, TokenType, semantic_tokens};
pub use signature_help::{Signature, signature_help};
