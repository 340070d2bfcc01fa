//! Rules about build stages and how they lean on each other.

mod copy_from_own_stage;
mod copy_whole_filesystem;
mod duplicate_stage_name;
mod missing_copy_source;
mod reserved_stage_name;
mod stage_name_casing;
mod undefined_stage;
mod unused_stage;

use dockerfile_model::StageReference;
use dockerfile_source::{TextRange, TextSize};

use crate::{Rule, RuleContext};

pub(crate) const RULES: &[&Rule] = &[
    &duplicate_stage_name::DUPLICATE_STAGE_NAME,
    &reserved_stage_name::RESERVED_STAGE_NAME,
    &stage_name_casing::STAGE_NAME_CASING,
    &undefined_stage::UNDEFINED_STAGE,
    &unused_stage::UNUSED_STAGE,
    &copy_from_own_stage::COPY_FROM_OWN_STAGE,
    &copy_whole_filesystem::COPY_WHOLE_FILESYSTEM,
    &missing_copy_source::MISSING_COPY_SOURCE,
];

/// Returns where the name of a stage stands; for a mount without `from=`.
fn name_range(ctx: &RuleContext<'_>, reference: &StageReference) -> TextRange {
    let behind = TextSize::new(reference.text.len() as u32);
    let range = reference.range;
    let is_option = ctx.text(range).ends_with(reference.text.as_str()) && range.len() > behind;
    if is_option {
        TextRange::new(range.end() - behind, range.end())
    } else {
        range
    }
}
