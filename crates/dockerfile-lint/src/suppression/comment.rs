//! The text of a comment that silences.

use dockerfile_source::{TextRange, TextSize};

/// Whose words the comment uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tool {
    Dflint,
    Hadolint,
    BuildKit,
}

/// How far it reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    Next,
    Stage,
    File,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Comment<'c> {
    pub(super) tool: Tool,
    pub(super) scope: Scope,
    /// The names of rules and where they stand.
    pub(super) names: Vec<(&'c str, TextRange)>,
}

/// Reads a comment, from `#` to its end, that stands at `start` of the file.
pub(super) fn parse_comment(text: &str, start: TextSize) -> Option<Comment<'_>> {
    let behind_hash = text.trim_start().strip_prefix('#')?.trim_start();
    if let Some(value) = behind_hash.strip_prefix("check=") {
        let value_start = start + TextSize::new((text.len() - value.len()) as u32);
        let names = skipped_checks(value, value_start);
        return (!names.is_empty()).then_some(Comment {
            tool: Tool::BuildKit,
            scope: Scope::Next,
            names,
        });
    }
    let (tool, rest) = match behind_hash.strip_prefix("dflint") {
        Some(rest) => (Tool::Dflint, rest),
        None => (Tool::Hadolint, behind_hash.strip_prefix("hadolint")?),
    };
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    let rest = rest.strip_prefix(char::is_whitespace)?.trim_start();
    let (scope, rest) = match rest.split_once(char::is_whitespace) {
        Some(("stage", rest)) => (Scope::Stage, rest.trim_start()),
        Some(("global" | "file", rest)) => (Scope::File, rest.trim_start()),
        _ => (Scope::Next, rest),
    };
    let list = rest
        .strip_prefix("ignore")?
        .trim_start()
        .strip_prefix('=')?
        .trim_start();
    let list_start = start + TextSize::new((text.len() - list.len()) as u32);
    let names = names_of(list, list_start);
    (!names.is_empty()).then_some(Comment { tool, scope, names })
}

/// Returns the names behind `skip=` of a check directive: options are parted by `;`, names by `,`, and the value ends
/// at the first blank.
pub(super) fn skipped_checks(value: &str, start: TextSize) -> Vec<(&str, TextRange)> {
    let value = value.trim_start();
    let value = value.split(char::is_whitespace).next().unwrap_or("");
    let mut position = 0;
    for option in value.split(';') {
        if let Some(list) = option.strip_prefix("skip=") {
            let list_start = position + option.len() - list.len();
            return names_of(list, start + TextSize::new(list_start as u32));
        }
        position += option.len() + 1;
    }
    Vec::new()
}

/// Returns the names of a list. What follows a blank that no comma precedes is the reason.
fn names_of(list: &str, start: TextSize) -> Vec<(&str, TextRange)> {
    let mut names = Vec::new();
    let mut position = 0;
    for part in list.split(',') {
        let trimmed = part.trim_start();
        let name = trimmed.split(char::is_whitespace).next().unwrap_or("");
        let at = position + part.len() - trimmed.len();
        if !name.is_empty() {
            names.push((
                name,
                TextRange::at(
                    start + TextSize::new(at as u32),
                    TextSize::new(name.len() as u32),
                ),
            ));
        }
        if trimmed.trim_end().len() > name.len() {
            break;
        }
        position += part.len() + 1;
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<(Tool, Scope, Vec<&str>)> {
        let comment = parse_comment(text, TextSize::new(0))?;
        for (name, range) in &comment.names {
            assert_eq!(
                text.get(usize::from(range.start())..usize::from(range.end())),
                Some(*name)
            );
        }
        Some((
            comment.tool,
            comment.scope,
            comment.names.into_iter().map(|(name, _)| name).collect(),
        ))
    }

    #[test]
    fn reads_all_three_languages() {
        assert_eq!(
            parse("# dflint ignore=a,b -- since c, d"),
            Some((Tool::Dflint, Scope::Next, vec!["a", "b"]))
        );
        assert_eq!(
            parse("#hadolint ignore = DL1 , DL2 # why"),
            Some((Tool::Hadolint, Scope::Next, vec!["DL1", "DL2"]))
        );
        assert_eq!(
            parse("# hadolint global ignore=DL1"),
            Some((Tool::Hadolint, Scope::File, vec!["DL1"]))
        );
        assert_eq!(
            parse("# dflint stage ignore=x"),
            Some((Tool::Dflint, Scope::Stage, vec!["x"]))
        );
        assert_eq!(
            parse("# check=error=true;skip=A,B why"),
            Some((Tool::BuildKit, Scope::Next, vec!["A", "B"]))
        );
    }

    #[test]
    fn passes_over_other_comments() {
        for text in [
            "# ignore=x",
            "# dflintignore=x",
            "# hadolint shell=bash",
            "# check=error=true",
            "# dflint ignore=",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
