//! What can be done about a finding, or with the text at the cursor.

use dockerfile_lint::find_rules;
use dockerfile_source::{Applicability, Diagnostic, TextEdit, TextRange, TextSize};

use crate::{Analysis, refactoring};

/// Something that can be done to the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    pub title: String,
    pub kind: ActionKind,
    pub edit: TextEdit,
    /// The finding that goes away.
    pub diagnostic: Option<Diagnostic>,
    /// Whether it is what most people want.
    pub is_preferred: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActionKind {
    QuickFix,
    /// Silences a finding.
    Suppress,
    Extract,
    Inline,
    Rewrite,
}

/// Returns what can be done in a range; `diagnostics` are the findings of the file.
pub fn actions(analysis: &Analysis, diagnostics: &[Diagnostic], range: TextRange) -> Vec<Action> {
    let mut actions = Vec::new();
    let near = || {
        diagnostics
            .iter()
            .filter(|found| found.range.intersect(range).is_some())
    };
    for found in near() {
        let Some(fix) = &found.fix else { continue };
        let is_safe = fix.applicability == Applicability::Safe;
        let title = match fix.applicability {
            Applicability::Safe | Applicability::DisplayOnly => capitalized(&fix.title),
            Applicability::Unsafe => format!("{} (may change the build)", capitalized(&fix.title)),
        };
        actions.push(Action {
            title,
            kind: ActionKind::QuickFix,
            edit: fix.edit.clone(),
            diagnostic: Some(found.clone()),
            is_preferred: is_safe,
        });
    }
    let mut silenced: Vec<&str> = Vec::new();
    for found in near() {
        if silenced.contains(&found.rule) || find_rules(found.rule).is_empty() {
            continue;
        }
        silenced.push(found.rule);
        actions.extend(suppressions(analysis, found));
    }
    actions.extend(refactoring::actions(analysis, range));
    actions
}

/// Returns the edit that applies every safe fix of the file, proven; none where there is nothing to do.
pub fn fix_all(analysis: &Analysis) -> Option<TextEdit> {
    let outcome = dockerfile_lint::fix(
        analysis.source(),
        &analysis.outside().lint,
        Applicability::Safe,
    );
    (!outcome.applied.is_empty()).then(|| difference(analysis.text(), &outcome.text))
}

/// Returns the edit from one text to another: what both begin and end with stays.
pub(crate) fn difference(before: &str, after: &str) -> TextEdit {
    let same = |left: char, right: char| left == right;
    let prefix: usize = before
        .chars()
        .zip(after.chars())
        .take_while(|(left, right)| same(*left, *right))
        .map(|(left, _)| left.len_utf8())
        .sum();
    let (rest_before, rest_after) = (
        before.get(prefix..).unwrap_or(""),
        after.get(prefix..).unwrap_or(""),
    );
    let suffix: usize = rest_before
        .chars()
        .rev()
        .zip(rest_after.chars().rev())
        .take_while(|(left, right)| same(*left, *right))
        .map(|(left, _)| left.len_utf8())
        .sum();
    let range = TextRange::new(
        TextSize::new(prefix as u32),
        TextSize::new((before.len() - suffix) as u32),
    );
    let insert = rest_after
        .get(..rest_after.len() - suffix)
        .unwrap_or_default();
    if range.is_empty() && insert.is_empty() {
        return TextEdit::default();
    }
    TextEdit::replace(range, insert)
}

/// Returns the comments that silence a finding: above its instruction, and for the file.
fn suppressions(analysis: &Analysis, found: &Diagnostic) -> Vec<Action> {
    let mut actions = Vec::new();
    let mut add = |title: String, edit: TextEdit| {
        actions.push(Action {
            title,
            kind: ActionKind::Suppress,
            edit,
            diagnostic: Some(found.clone()),
            is_preferred: false,
        });
    };
    let ending = if analysis.text().contains("\r\n") {
        "\r\n"
    } else {
        "\n"
    };
    let instruction = analysis
        .instruction_before(found.range.start())
        .filter(|instruction| instruction.range.contains_inclusive(found.range.start()));
    if let Some(instruction) = instruction {
        let line = analysis.line_at(instruction.range.start());
        let text = analysis.slice(line);
        let indent = text
            .get(..text.len() - text.trim_start().len())
            .unwrap_or("");
        let edit = match comment_above(analysis, line.start()) {
            Some(end) => TextEdit::insert(end, format!(",{}", found.rule)),
            None => TextEdit::insert(
                line.start(),
                format!("{indent}# dflint ignore={}{ending}", found.rule),
            ),
        };
        add(format!("Silence {} here", found.rule), edit);
    }
    let top = behind_directives(analysis);
    add(
        format!("Silence {} in this file", found.rule),
        TextEdit::insert(top, format!("# dflint file ignore={}{ending}", found.rule)),
    );
    actions
}

/// Returns the end of the list of names in a comment right above a line, where it silences the next instruction.
fn comment_above(analysis: &Analysis, line_start: TextSize) -> Option<TextSize> {
    let above = line_start.checked_sub(TextSize::new(1))?;
    let line = analysis.line_at(above);
    let text = analysis.slice(line).trim_end();
    let names = text
        .trim_start()
        .strip_prefix("# dflint ignore=")
        .filter(|names| !names.is_empty() && !names.contains(char::is_whitespace))?;
    debug_assert!(text.ends_with(names));
    Some(line.start() + TextSize::of(text))
}

/// Returns the start of the first line that is no parser directive.
fn behind_directives(analysis: &Analysis) -> TextSize {
    let model = analysis.model();
    let last = [&model.syntax, &model.check]
        .into_iter()
        .flatten()
        .map(|(_, range)| range.end())
        .max();
    let mut start = TextSize::new(0);
    let index = analysis.source().line_index();
    let directives = analysis
        .text()
        .lines()
        .take_while(|line| {
            let line = line.trim_start_matches('\u{feff}').trim_start();
            line.strip_prefix('#').is_some_and(|rest| {
                let name = rest.split('=').next().unwrap_or("").trim();
                rest.contains('=')
                    && ["syntax", "escape", "check"]
                        .iter()
                        .any(|known| name.eq_ignore_ascii_case(known))
            })
        })
        .count();
    if let Some(range) = index.line_range(directives as u32) {
        start = range.start();
    }
    start.max(last.map_or(TextSize::new(0), |end| {
        index
            .line_range(index.line(end) + 1)
            .map_or(end, TextRange::start)
    }))
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::analysis;
    use crate::diagnostics;

    fn all(text: &str) -> (Analysis, Vec<Action>) {
        let analysis = analysis(text);
        let found = diagnostics(&analysis);
        let whole = TextRange::up_to(TextSize::of(text));
        let actions = actions(&analysis, &found, whole);
        (analysis, actions)
    }

    #[test]
    fn silences_a_finding_above_its_instruction_and_in_the_file() {
        let text = "# syntax=docker/dockerfile:1\nFROM debian\n";
        let (analysis, actions) = all(text);
        let texts: Vec<String> = actions
            .iter()
            .filter(|action| action.title.starts_with("Silence untagged-base-image"))
            .filter_map(|action| action.edit.apply(text))
            .collect();
        assert_eq!(
            texts,
            [
                "# syntax=docker/dockerfile:1\n# dflint ignore=untagged-base-image\nFROM debian\n",
                "# syntax=docker/dockerfile:1\n# dflint file ignore=untagged-base-image\nFROM debian\n",
            ]
        );
        for text in texts {
            let silenced = crate::analysis::analysis(&text);
            assert!(
                !diagnostics(&silenced)
                    .iter()
                    .any(|found| found.rule == "untagged-base-image")
            );
        }
        drop(analysis);
    }

    #[test]
    fn adds_to_a_comment_that_silences_already() {
        let text = "# dflint ignore=x\nFROM debian\n";
        let (_, actions) = all(text);
        let edited = actions
            .iter()
            .find(|action| action.title == "Silence untagged-base-image here")
            .and_then(|action| action.edit.apply(text));
        assert_eq!(
            edited.as_deref(),
            Some("# dflint ignore=x,untagged-base-image\nFROM debian\n")
        );
    }

    #[test]
    fn fixes_all_that_is_safe() {
        let text = "FROM debian:12 as build\nMAINTAINER me\n";
        let analysis = analysis(text);
        let fixed = fix_all(&analysis).and_then(|edit| edit.apply(text));
        assert!(fixed.is_some_and(|fixed| fixed != text));
    }

    #[test]
    fn the_difference_is_as_small_as_it_can_be() {
        let edit = difference("aébc", "aéxc");
        assert_eq!(edit.apply("aébc").as_deref(), Some("aéxc"));
        assert_eq!(edit.span().map(TextRange::len), Some(TextSize::new(1)));
        assert!(difference("a", "a").is_empty());
    }
}
