//! `dflint explain`: the manual pages of the rules.

use std::fmt::Write as _;
use std::io::{self, Write};

use anyhow::Result;

use crate::arguments::ExplainArguments;
use crate::linting::{Status, rules};
use crate::outcome::Outcome;
use crate::rule_selection::named;

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
fn pages(word: &str) -> Result<String> {
    let pages: Vec<&str> = named(word)?
        .into_iter()
        .map(|rule| rule.documentation.trim_end())
        .collect();
    Ok(pages.join("\n\n---\n\n") + "\n")
}

/// Returns a table of all rules by code.
fn list() -> String {
    let mut rules = rules().to_vec();
    rules.sort_by_key(|rule| rule.code);
    let code_width = rules.iter().map(|rule| rule.code.len()).max().unwrap_or(0);
    let name_width = rules.iter().map(|rule| rule.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for rule in rules {
        let status = match rule.status {
            Status::Stable => "",
            Status::Preview => "preview",
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
