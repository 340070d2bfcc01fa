//! One more command at the end of a RUN, written the way the RUN is laid out.

use dockerfile_model::{Instruction, Join, Script, ScriptContext};
use dockerfile_source::{TextEdit, TextRange};

use crate::RuleContext;

/// Returns the edit that makes a RUN end with one more command, which runs when all went well before.
///
/// None where nothing can follow: behind a compound command, a comment, `exit`, a command in the background, or a
/// here-document that is no script.
pub(crate) fn append_command(
    ctx: &RuleContext<'_>,
    instruction: &Instruction,
    script: &Script,
    command: &str,
) -> Option<TextEdit> {
    let last = script.commands.last()?;
    if script.has_errors
        || last.nesting.depth > 0
        || last.join == Join::Background
        || last.is(&["exit", "exec", "return"])
    {
        return None;
    }
    let end = last.range.end();
    let behind = ctx.text(TextRange::new(end, script.range.end()));
    let addition = match script.context {
        // A line of its own would hide that the command before it has failed.
        ScriptContext::Heredoc if behind.trim().is_empty() => format!(" && {command}"),
        ScriptContext::Line if behind.is_empty() && instruction.heredocs.is_empty() => {
            let text = ctx.text(TextRange::new(instruction.range.start(), end));
            layout(text, ctx.model().escape, command)
        }
        _ => return None,
    };
    Some(TextEdit::insert(end, addition))
}

/// Returns the text to add behind `text`.
fn layout(text: &str, escape: char, command: &str) -> String {
    let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut lines: Vec<&str> = text.lines().collect();
    if lines.len() < 2 {
        return format!(" && {command}");
    }
    lines.reverse();
    // Lines that start with `&&` show where the next one goes.
    if let Some(line) = lines
        .iter()
        .find(|line| line.trim_start().starts_with("&&"))
    {
        return format!(" {escape}{line_end}{}&& {command}", indent(line));
    }
    // So do lines that end with it; the line behind such a line has the indentation of a command.
    let trails = |line: &str| {
        line.trim_end()
            .trim_end_matches(escape)
            .trim_end()
            .ends_with("&&")
    };
    if let Some(at) = lines.iter().position(|line| trails(line)) {
        let indentation = at
            .checked_sub(1)
            .and_then(|behind| lines.get(behind))
            .map_or("", |line| indent(line));
        return format!(" && {escape}{line_end}{indentation}{command}");
    }
    let indentation = lines.first().map_or("", |line| indent(line));
    format!(" {escape}{line_end}{indentation}&& {command}")
}

fn indent(line: &str) -> &str {
    line.get(..line.len() - line.trim_start().len())
        .unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::layout;

    #[test]
    fn follows_the_layout_of_the_run() {
        assert_eq!(layout("RUN a && b", '\\', "c"), " && c");
        assert_eq!(layout("RUN a \\\n && b \\\n   x", '\\', "c"), " \\\n && c");
        assert_eq!(
            layout("RUN a && \\\n  b \\\n    x", '\\', "c"),
            " && \\\n  c"
        );
        assert_eq!(layout("RUN a \\\r\n    x", '`', "c"), " `\r\n    && c");
    }
}
