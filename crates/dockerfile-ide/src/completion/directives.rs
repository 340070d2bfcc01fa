//! Comments: parser directives at the top, and names of rules where one is silenced.

use dockerfile_source::{TextRange, TextSize};

use super::{CompletionItem, CompletionKind, Items};
use crate::Analysis;

/// Returns what can be written in a comment; none outside of comments.
pub(super) fn complete(analysis: &Analysis, offset: TextSize) -> Option<Vec<CompletionItem>> {
    let line = analysis.line_at(offset);
    let typed = analysis.slice(TextRange::new(
        line.start(),
        offset.clamp(line.start(), line.end()),
    ));
    let comment = typed.trim_start().strip_prefix('#')?;
    if analysis.is_in_script(offset) && !typed.contains("ignore") {
        return Some(Vec::new());
    }
    let word = comment
        .rsplit([' ', ',', '=', ';'])
        .next()
        .unwrap_or_default();
    let replace = TextRange::new(offset - TextSize::of(word), offset);
    let mut items = Items::replacing(replace);
    let text = comment.trim_start();
    if let Some(list) = text.split_once("ignore=").map(|(_, list)| list) {
        if !list.contains(' ') {
            rules(&mut items);
        }
    } else if text.starts_with("check=") {
        if text.contains("skip=") {
            checks(&mut items);
        } else {
            items.add(
                CompletionKind::Value,
                "skip=",
                "Silences checks in all of the file.",
            );
            items.add(
                CompletionKind::Value,
                "error=true",
                "Findings make the build fail.",
            );
        }
    } else if text.starts_with("syntax=") {
        for frontend in ["docker/dockerfile:1", "docker/dockerfile:1-labs"] {
            items.add(
                CompletionKind::Value,
                frontend,
                "The Dockerfile frontend to build with.",
            );
        }
    } else if text.starts_with("escape=") {
        items.add(CompletionKind::Value, "`", "For Windows paths.");
        items.add(CompletionKind::Value, "\\", "The default.");
    } else if !text.contains(' ') {
        if is_at_top(analysis, line.start()) {
            items.add(
                CompletionKind::Keyword,
                "syntax=",
                "The frontend to build with.",
            );
            items.add(
                CompletionKind::Keyword,
                "escape=",
                "The escape character of the file.",
            );
            items.add(
                CompletionKind::Keyword,
                "check=",
                "How the builder checks the file.",
            );
            items.add(
                CompletionKind::Keyword,
                "dflint file ignore=",
                "Silences rules in all of the file.",
            );
        }
        items.add(
            CompletionKind::Keyword,
            "dflint ignore=",
            "Silences rules for the next instruction.",
        );
        items.add(
            CompletionKind::Keyword,
            "dflint stage ignore=",
            "Silences rules for the stage.",
        );
        if comment.is_empty() {
            for item in &mut items.found {
                item.insert.insert(0, ' ');
            }
        }
    }
    Some(items.found)
}

fn rules(items: &mut Items) {
    for rule in dockerfile_lint::rules() {
        let item = items.add(CompletionKind::Rule, rule.name, rule.code);
        item.documentation = format!("rule:{}", rule.name);
    }
}

/// Offers the names that BuildKit knows.
fn checks(items: &mut Items) {
    for rule in dockerfile_lint::rules() {
        for alias in rule.aliases {
            let is_check = alias.starts_with(|c: char| c.is_ascii_uppercase())
                && alias.chars().any(|c| c.is_ascii_lowercase())
                && alias.chars().all(|c| c.is_ascii_alphabetic());
            if is_check {
                let item = items.add(CompletionKind::Rule, alias, rule.name);
                item.documentation = format!("rule:{}", rule.name);
            }
        }
    }
    items
        .found
        .sort_by(|left, right| left.label.cmp(&right.label));
    items
        .found
        .dedup_by(|left, right| left.label == right.label);
}

/// Returns whether there is nothing but directives in front of a line.
fn is_at_top(analysis: &Analysis, start: TextSize) -> bool {
    analysis
        .slice(TextRange::up_to(start))
        .lines()
        .all(|line| line.starts_with('#') && line.contains('='))
}
