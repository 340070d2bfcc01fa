//! What an editor does while a user types.

use dockerfile_source::{TextEdit, TextSize};
use dockerfile_syntax::ast::{AstNode as _, File};
use dockerfile_syntax::{Parse, SyntaxKind};

use crate::{Indent, Options};

/// Returns the indentation for a line that was just begun, with the cursor at `offset`, when the line goes on with an
/// instruction: one step, or that of the line above when it goes on with it as well.
pub fn format_on_enter(parse: &Parse, offset: TextSize, options: &Options) -> Option<TextEdit> {
    let file = File::cast(parse.root())?;
    let text = parse.root().text();
    let before = text.get(..usize::from(offset))?;
    let line_start = before.rfind('\n')? + 1;
    // Only blanks stand in front of the cursor.
    if !before.get(line_start..)?.trim().is_empty() {
        return None;
    }
    let above = before.get(..line_start)?.trim_end_matches(['\n', '\r']);
    let above = above.get(above.rfind('\n').map_or(0, |idx| idx + 1)..)?;
    if !above.trim_end().ends_with(parse.escape()) || above.trim_start().starts_with('#') {
        return None;
    }
    let at = TextSize::new(line_start as u32);
    let within = file
        .instructions()
        .take_while(|instruction| instruction.range().start() < at)
        .last()?;
    let in_heredoc = within
        .heredocs()
        .any(|heredoc| heredoc.syntax().range().contains_inclusive(at));
    if in_heredoc || within.kind() == SyntaxKind::UNKNOWN_INSTRUCTION {
        return None;
    }
    let own: String = above.chars().take_while(|c| c.is_whitespace()).collect();
    let indentation = if own.is_empty() {
        match options.indent {
            Indent::Tab => "\t".to_owned(),
            Indent::Spaces(width) => " ".repeat(usize::from(width)),
        }
    } else {
        own
    };
    let old = before.get(line_start..)?;
    if old == indentation {
        return None;
    }
    Some(TextEdit::replace(
        dockerfile_source::TextRange::new(at, offset),
        indentation,
    ))
}
