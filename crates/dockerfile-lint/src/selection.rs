//! Which rules are on.

use std::fmt;

use dockerfile_source::closest_match;

use crate::{Rule, Status, find_rules, rules};

/// Which rules are on. Cheap to ask, made once a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    // Invariant: one entry a rule, in the order of the registry.
    enabled: Vec<bool>,
}

/// No rule has this name, code or alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownRule {
    pub name: String,
    pub suggestion: Option<&'static str>,
}

impl fmt::Display for UnknownRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no rule is called `{}`", self.name)?;
        match self.suggestion {
            Some(suggestion) => write!(f, "; did you mean `{suggestion}`?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for UnknownRule {}

impl Default for Selection {
    /// Returns the stable rules.
    fn default() -> Selection {
        Selection::with_status(|status| status == Status::Stable)
    }
}

impl Selection {
    /// Returns the stable rules and the preview rules.
    pub fn preview() -> Selection {
        Selection::with_status(|status| status != Status::OptIn)
    }

    /// Returns every rule there is.
    pub fn all() -> Selection {
        Selection::with_status(|_| true)
    }

    /// Returns no rule.
    pub fn none() -> Selection {
        Selection::with_status(|_| false)
    }

    fn with_status(is_on: impl Fn(Status) -> bool) -> Selection {
        Selection {
            enabled: rules().iter().map(|rule| is_on(rule.status)).collect(),
        }
    }

    /// Turns rules on or off by name, code or alias; `all` means every rule.
    pub fn set(&mut self, name: &str, is_on: bool) -> Result<(), UnknownRule> {
        if name.eq_ignore_ascii_case("all") {
            self.enabled.fill(is_on);
            return Ok(());
        }
        let found = find_rules(name);
        if found.is_empty() {
            let known = rules().iter().flat_map(|rule| {
                [rule.name, rule.code]
                    .into_iter()
                    .chain(rule.aliases.iter().copied())
            });
            return Err(UnknownRule {
                name: name.to_owned(),
                suggestion: closest_match(name, known),
            });
        }
        for rule in found {
            self.set_rule(rule, is_on);
        }
        Ok(())
    }

    /// Turns one rule on or off.
    pub fn set_rule(&mut self, rule: &Rule, is_on: bool) {
        for (slot, known) in self.enabled.iter_mut().zip(rules()) {
            if std::ptr::eq(*known, rule) {
                *slot = is_on;
            }
        }
    }

    /// Returns the rules that are on.
    pub fn enabled(&self) -> impl Iterator<Item = &'static Rule> + '_ {
        rules()
            .iter()
            .zip(&self.enabled)
            .filter(|(_, enabled)| **enabled)
            .map(|(rule, _)| *rule)
    }

    /// Returns whether a rule is on.
    pub fn contains(&self, rule: &Rule) -> bool {
        self.enabled().any(|known| std::ptr::eq(known, rule))
    }
}
