//! Rules about what a container of the image starts, and how it stops.

mod exec_form_single_string;
mod exec_form_variable;
mod missing_healthcheck;
mod missing_start_file;
mod multiple_cmd;
mod multiple_entrypoint;
mod multiple_healthcheck;
mod shell_form_command;
mod shell_without_c;
mod single_quoted_json;
mod start_path_mismatch;
mod swallowed_cmd;
mod ungraceful_stopsignal;

use dockerfile_model::{Instruction, JsonString, Keyword};
use dockerfile_source::{TextEdit, TextRange, TextSize};

use crate::facts::blocks::blocks;
use crate::facts::start_command::last_of;
use crate::{Rule, RuleContext};

pub(crate) const RULES: &[&Rule] = &[
    &multiple_cmd::MULTIPLE_CMD,
    &multiple_entrypoint::MULTIPLE_ENTRYPOINT,
    &multiple_healthcheck::MULTIPLE_HEALTHCHECK,
    &swallowed_cmd::SWALLOWED_CMD,
    &shell_without_c::SHELL_WITHOUT_C,
    &single_quoted_json::SINGLE_QUOTED_JSON,
    &shell_form_command::SHELL_FORM_COMMAND,
    &exec_form_variable::EXEC_FORM_VARIABLE,
    &exec_form_single_string::EXEC_FORM_SINGLE_STRING,
    &ungraceful_stopsignal::UNGRACEFUL_STOPSIGNAL,
    &missing_healthcheck::MISSING_HEALTHCHECK,
    &start_path_mismatch::START_PATH_MISMATCH,
    &missing_start_file::MISSING_START_FILE,
];

/// Reports the instructions of one kind that a later one of the same stage puts out of force.
fn report_dead(
    ctx: &mut RuleContext<'_>,
    keyword: Keyword,
    help: impl Fn(&Instruction) -> &'static str,
) {
    for place in blocks(ctx.model()) {
        let Some(last) = last_of(place, keyword) else {
            continue;
        };
        for dead in place
            .iter()
            .filter(|instruction| instruction.keyword == keyword && instruction.id != last.id)
        {
            let name = dead.keyword_text.to_uppercase();
            let edit = removal(ctx, dead);
            let finding = ctx
                .report(
                    dead.keyword_range,
                    format!("this `{name}` is ignored: a later one takes its place"),
                )
                .label(last.keyword_range, "this one counts")
                .help(help(dead));
            if let Some(edit) = edit {
                finding.unsafe_fix(format!("remove this `{name}`"), edit);
            }
        }
    }
}

/// Returns the edit that removes the lines of an instruction; none where a comment stands between them.
fn removal(ctx: &RuleContext<'_>, instruction: &Instruction) -> Option<TextEdit> {
    let text = ctx.source().text();
    let start = usize::from(instruction.range.start());
    let end = usize::from(instruction.range.end());
    let has_comment = text
        .get(start..end)?
        .lines()
        .any(|line| line.trim_start().starts_with('#'));
    if has_comment {
        return None;
    }
    let line_start = text.get(..start)?.rfind('\n').map_or(0, |at| at + 1);
    let behind = text.get(end..)?;
    let line_end = end + behind.find('\n').map_or(behind.len(), |at| at + 1);
    let is_alone = text.get(line_start..start)?.trim().is_empty()
        && text.get(end..line_end)?.trim().is_empty();
    let offset = |at: usize| TextSize::new(at as u32);
    is_alone.then(|| TextEdit::delete(TextRange::new(offset(line_start), offset(line_end))))
}

/// Returns whether the string is written as it is read: no escape in it, no continuation.
fn is_written_plainly(string: &JsonString) -> bool {
    usize::from(string.range.len()) == string.value.len() + 2
}

/// Returns a text as a JSON string, with its quotes.
fn json_string(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}

/// Returns words as a JSON array.
fn json_array<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    let strings: Vec<_> = words.into_iter().map(json_string).collect();
    format!("[{}]", strings.join(", "))
}
