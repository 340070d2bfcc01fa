//! Rules about the language itself.

mod empty_continuation_line;
mod invalid_expansion;
mod invalid_instruction;
mod invalid_trigger;
mod misplaced_directive;
mod shell_syntax_error;
mod syntax_error;
pub(crate) mod unused_suppression;

use dockerfile_source::TextEdit;
use dockerfile_syntax::SyntaxErrorKind;

use crate::{Rule, RuleContext};

pub(crate) const RULES: &[&Rule] = &[
    &syntax_error::SYNTAX_ERROR,
    &invalid_instruction::INVALID_INSTRUCTION,
    &shell_syntax_error::SHELL_SYNTAX_ERROR,
    &empty_continuation_line::EMPTY_CONTINUATION_LINE,
    &invalid_trigger::INVALID_TRIGGER,
    &misplaced_directive::MISPLACED_DIRECTIVE,
    &invalid_expansion::INVALID_EXPANSION,
    &unused_suppression::UNUSED_SUPPRESSION,
];

/// Reports the faults of one kind that the parser has found.
fn report_errors(ctx: &mut RuleContext<'_>, kind: SyntaxErrorKind) {
    for error in ctx
        .parse()
        .errors()
        .iter()
        .filter(|error| error.kind == kind)
    {
        let finding = ctx.report(error.range, error.message.clone());
        let Some(help) = &error.help else { continue };
        let finding = finding.help(help.clone());
        // A word that is meant can take the place of the word that is written.
        let meant = help
            .strip_prefix("did you mean `")
            .and_then(|rest| rest.strip_suffix("`?"));
        if let Some(meant) = meant {
            finding.unsafe_fix(
                format!("write `{meant}`"),
                TextEdit::replace(error.range, meant),
            );
        }
    }
}
