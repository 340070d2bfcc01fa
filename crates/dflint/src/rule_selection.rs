//! `--select`, `--ignore` and `--preview` to a set of rules.

use std::ptr;

use dockerfile_source::closest_match;
use thiserror::Error;

use crate::linting::{Rule, Status, find_rules, rules};

/// The rules of a run.
#[derive(Debug)]
pub(crate) struct RuleSelection {
    /// One entry a rule, in the order of `rules()`.
    enabled: Vec<bool>,
}

/// A word that names no rule.
#[derive(Debug, PartialEq, Eq, Error)]
#[error("unknown rule `{word}`{}", hint(*.suggestion))]
pub(crate) struct UnknownRule {
    word: String,
    suggestion: Option<&'static str>,
}

fn hint(suggestion: Option<&str>) -> String {
    match suggestion {
        Some(word) => format!("; did you mean `{word}`?"),
        None => "; `dflint explain` lists all rules".to_owned(),
    }
}

impl RuleSelection {
    /// Returns the rules that are selected and not ignored.
    ///
    /// Nothing selected means all stable rules, and `all` means the same. A preview rule takes part with `preview`, or
    /// when it is selected by its name.
    pub(crate) fn new(
        select: &[String],
        ignore: &[String],
        preview: bool,
    ) -> Result<RuleSelection, UnknownRule> {
        let mut selection = RuleSelection {
            enabled: vec![false; rules().len()],
        };
        let all = || rules().iter().copied();
        if select.is_empty() {
            selection.set(all().filter(|rule| preview || is_stable(rule)), true);
        }
        for word in select {
            if is_all(word) {
                selection.set(all().filter(|rule| preview || is_stable(rule)), true);
            } else {
                selection.set(named(word)?.into_iter(), true);
            }
        }
        for word in ignore {
            if is_all(word) {
                selection.set(all(), false);
            } else {
                selection.set(named(word)?.into_iter(), false);
            }
        }
        Ok(selection)
    }

    /// Returns one entry a rule, in the order of `rules()`.
    pub(crate) fn as_slice(&self) -> &[bool] {
        &self.enabled
    }

    fn set(&mut self, some: impl Iterator<Item = &'static Rule>, enabled: bool) {
        for rule in some {
            for (other, slot) in rules().iter().zip(&mut self.enabled) {
                if ptr::eq(*other, rule) {
                    *slot = enabled;
                }
            }
        }
    }
}

/// Returns the rules that a name, a code or an alias means.
pub(crate) fn named(word: &str) -> Result<Vec<&'static Rule>, UnknownRule> {
    let word = word.trim();
    let found = find_rules(word);
    if found.is_empty() {
        let names = rules().iter().flat_map(|rule| {
            [rule.name, rule.code]
                .into_iter()
                .chain(rule.aliases.iter().copied())
        });
        return Err(UnknownRule {
            word: word.to_owned(),
            suggestion: closest_match(word, names),
        });
    }
    Ok(found)
}

fn is_all(word: &str) -> bool {
    word.trim().eq_ignore_ascii_case("all")
}

fn is_stable(rule: &Rule) -> bool {
    rule.status == Status::Stable
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selected(select: &[&str], ignore: &[&str], preview: bool) -> Vec<&'static str> {
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        let selection =
            RuleSelection::new(&words(select), &words(ignore), preview).expect("known rules");
        rules()
            .iter()
            .zip(selection.as_slice())
            .filter(|(_, enabled)| **enabled)
            .map(|(rule, _)| rule.name)
            .collect()
    }

    fn preview_rule() -> &'static str {
        let rule = rules().iter().find(|rule| !is_stable(rule));
        rule.map(|rule| rule.name).expect("a preview rule")
    }

    #[test]
    fn preview_rules_are_off_until_asked_for() {
        assert!(!selected(&[], &[], false).contains(&preview_rule()));
        assert!(!selected(&["all"], &[], false).contains(&preview_rule()));
        assert!(selected(&[], &[], true).contains(&preview_rule()));
        assert_eq!(selected(&[preview_rule()], &[], false), [preview_rule()]);
    }

    #[test]
    fn ignore_wins_over_select() {
        assert_eq!(selected(&["DL4000"], &[], false).len(), 1);
        assert!(selected(&["DL4000"], &["maintainerdeprecated"], false).is_empty());
        assert!(selected(&["all"], &["ALL"], true).is_empty());
    }

    #[test]
    fn a_slip_gets_a_suggestion() {
        let error = named("DL400").expect_err("no such rule");
        assert_eq!(
            error.to_string(),
            "unknown rule `DL400`; did you mean `DL4000`?"
        );
        assert!(named("banana").is_err());
    }
}
