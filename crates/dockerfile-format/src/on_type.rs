//! What an editor does while a user types.

use std::iter;

use dockerfile_source::{TextEdit, TextRange, TextSize};
use dockerfile_syntax::{Parse, SyntaxKind};

use crate::{Indent, Options};

/// Returns the indentation for a line that was just begun, with the cursor at `offset`, when it goes on with the
/// instruction above: that of the line above, or one step when the line above is the first.
///
/// Nothing is returned for a line that stands for itself, within a here-document, or with text in front of the cursor.
pub fn format_on_enter(parse: &Parse, offset: TextSize, options: &Options) -> Option<TextEdit> {
    let text = parse.root().text();
    let before = text.get(..usize::from(offset))?;
    let line_start = before.rfind('\n')? + 1;
    let (above, typed) = before.split_at_checked(line_start)?;
    let above = above.trim_end_matches(['\n', '\r']);
    let above = above.get(above.rfind('\n').map_or(0, |idx| idx + 1)..)?;
    let goes_on = above.trim_end().ends_with(parse.escape());
    if !typed.trim().is_empty() || !goes_on || above.trim_start().starts_with('#') {
        return None;
    }
    let at = TextSize::new(line_start as u32);
    if !is_in_instruction(parse, at) {
        return None;
    }
    let own: String = above.chars().take_while(|c| c.is_whitespace()).collect();
    let indentation = match options.indent {
        _ if !own.is_empty() => own,
        Indent::Tab => "\t".to_owned(),
        Indent::Spaces(width) => " ".repeat(usize::from(width)),
    };
    (typed != indentation).then(|| TextEdit::replace(TextRange::new(at, offset), indentation))
}

/// Returns whether the line end in front of an offset is one within an instruction.
fn is_in_instruction(parse: &Parse, offset: TextSize) -> bool {
    // A continuation with nothing behind it stands at the end of the file, outside of its instruction.
    let token = iter::successors(
        parse.syntax().token_at_offset(offset).left_biased(),
        |token| match token.kind() {
            SyntaxKind::CONTINUATION | SyntaxKind::WHITESPACE => token.prev_token(),
            _ => None,
        },
    )
    .last();
    let Some(token) = token else {
        return false;
    };
    token
        .parent_ancestors()
        .map(|node| node.kind())
        .find(|kind| *kind == SyntaxKind::HEREDOC || kind.is_instruction())
        .is_some_and(|kind| kind.is_instruction() && kind != SyntaxKind::UNKNOWN_INSTRUCTION)
}

#[cfg(test)]
mod tests {
    use dockerfile_syntax::parse;

    use super::*;

    /// Presses enter at `|`, which stands behind the new line end.
    fn check(text: &str, expected: Option<&str>) {
        let offset = text.find('|').expect("a cursor");
        let text = text.replacen('|', "", 1);
        let edit = format_on_enter(
            &parse(&text),
            TextSize::new(offset as u32),
            &Options::default(),
        );
        let after = edit.and_then(|edit| edit.apply(&text));
        assert_eq!(after.as_deref(), expected, "{text}");
    }

    #[test]
    fn the_first_further_line_is_indented_by_a_step() {
        check("FROM a\nRUN b \\\n|", Some("FROM a\nRUN b \\\n    "));
        check("FROM a\nRUN b \\\n|c\n", Some("FROM a\nRUN b \\\n    c\n"));
        check(
            "FROM a\nENV A=1 \\\n  |B=2\n",
            Some("FROM a\nENV A=1 \\\n    B=2\n"),
        );
    }

    #[test]
    fn later_lines_follow_the_line_above() {
        check(
            "FROM a\nRUN b \\\n        c \\\n|\n",
            Some("FROM a\nRUN b \\\n        c \\\n        \n"),
        );
        check(
            "# escape=`\nFROM a\nRUN b `\n\tc `\n|",
            Some("# escape=`\nFROM a\nRUN b `\n\tc `\n\t"),
        );
    }

    #[test]
    fn lines_of_their_own_are_left_alone() {
        for text in [
            "FROM a\n|RUN b",
            "# a \\\n|FROM a",
            "FROM a\nRUN <<E\na \\\n|\nE\n",
            "FROM a\nRUN b \\\n    |",
            "FROM a\nRUN b \\\nc |d",
            "FOO b \\\n|",
            "|",
        ] {
            check(text, None);
        }
    }
}
