//! `dflint explain`: the manual pages of the rules.

use std::fmt::Write as _;
use std::io::{self, Write};

use anyhow::Result;
use dockerfile_lint::{Rule, Selection, Status, UnknownRule, find_rules, rules};

use crate::arguments::ExplainArguments;
use crate::outcome::Outcome;
use crate::read_source::{NOT_UTF8_CODE, NOT_UTF8_RULE};

/// The page of the one finding that no rule makes: without a text there is nothing for rules to look at.
const NOT_UTF8_PAGE: &str = "\
# not-utf8 (DF000)

error, stable

## What it does
Finds files that are not UTF-8, and says at which byte.

## Why
The builder takes any bytes, but then paths, labels and variables of the image have them, too, and most programs that read
them fail or show something else. Nothing else in the file is checked, and no fix touches it.

## Limits
It cannot be ignored: there is no text in which a comment could say so.
";

pub(crate) fn run(arguments: &ExplainArguments) -> Result<Outcome> {
    let text = match &arguments.rule {
        Some(word) => pages(word)?,
        None => list(),
    };
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(Outcome::Clean)
}

/// Returns the pages of all rules that a word means: an alias of another tool may be several of ours.
fn pages(word: &str) -> Result<String, UnknownRule> {
    let word = word.trim();
    if [NOT_UTF8_RULE, NOT_UTF8_CODE]
        .iter()
        .any(|name| name.eq_ignore_ascii_case(word))
    {
        return Ok(NOT_UTF8_PAGE.to_owned());
    }
    let found = find_rules(word);
    if found.is_empty() {
        // The selection knows how to say it, with a suggestion.
        Selection::none().set(word, true)?;
    }
    let pages: Vec<String> = found.into_iter().map(page).collect();
    Ok(pages.join("\n---\n\n"))
}

fn page(rule: &Rule) -> String {
    let mut heading = format!("# {} ({})\n\n", rule.name, rule.code);
    let _ = write!(heading, "{}, {}", rule.severity, rule.status.as_str());
    if !rule.aliases.is_empty() {
        let _ = write!(heading, "; also called {}", rule.aliases.join(", "));
    }
    format!("{heading}\n\n{}\n", rule.documentation().trim_end())
}

/// Returns a table of all rules by code.
fn list() -> String {
    let rules = rules();
    let code_width = rules.iter().map(|rule| rule.code.len()).max().unwrap_or(0);
    let name_width = rules.iter().map(|rule| rule.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for rule in rules {
        let status = match rule.status {
            Status::Stable => "",
            other => other.as_str(),
        };
        let line = format!(
            "{:<code_width$}  {:<name_width$}  {:<7}  {status:<7}  {}",
            rule.code,
            rule.name,
            rule.severity.as_str(),
            rule.aliases.join(", "),
        );
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}
