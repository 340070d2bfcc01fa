//! All rules there are.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use crate::Rule;
use crate::rules::CATEGORIES;

/// Returns all rules, in order of their codes.
pub fn rules() -> &'static [&'static Rule] {
    static RULES: OnceLock<Vec<&'static Rule>> = OnceLock::new();
    RULES.get_or_init(|| {
        let mut rules: Vec<_> = CATEGORIES
            .iter()
            .flat_map(|rules| rules.iter().copied())
            .collect();
        rules.sort_by_key(|rule| rule.code);
        rules
    })
}

/// Returns the rules that a name, a code or an alias means, whatever its case. An alias may mean several.
pub fn find_rules(name: &str) -> Vec<&'static Rule> {
    static BY_NAME: OnceLock<FxHashMap<String, Vec<&'static Rule>>> = OnceLock::new();
    let by_name = BY_NAME.get_or_init(|| {
        let mut by_name: FxHashMap<String, Vec<&'static Rule>> = FxHashMap::default();
        for rule in rules() {
            for known in [rule.name, rule.code].iter().chain(rule.aliases) {
                let found = by_name.entry(known.to_ascii_lowercase()).or_default();
                if !found.iter().any(|one| std::ptr::eq(*one, *rule)) {
                    found.push(rule);
                }
            }
        }
        by_name
    });
    by_name
        .get(&name.trim().to_ascii_lowercase())
        .cloned()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::FixKind;
    use crate::testing::{codes, examples};

    #[test]
    fn names_and_codes_are_unique_and_well_formed() {
        let mut seen = BTreeSet::new();
        for rule in rules() {
            assert!(seen.insert(rule.name), "{} twice", rule.name);
            assert!(seen.insert(rule.code), "{} twice", rule.code);
            assert!(
                rule.name
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
                "{}",
                rule.name
            );
            assert!(
                rule.code.len() == 5 && rule.code.starts_with("DF"),
                "{}",
                rule.code
            );
        }
    }

    #[test]
    fn every_page_has_its_headings() {
        for rule in rules() {
            let page = rule.documentation();
            for heading in [
                "## What it does",
                "## Why",
                "## Bad",
                "## Good",
                "## Limits",
            ] {
                assert!(page.contains(heading), "{} lacks `{heading}`", rule.name);
            }
            assert_eq!(
                page.contains("## Fix"),
                rule.fix != FixKind::None,
                "{}: heading `## Fix`",
                rule.name
            );
        }
    }

    #[test]
    fn bad_examples_fire_and_good_ones_do_not() {
        for rule in rules() {
            let (bad, good) = examples(rule);
            assert!(
                !bad.is_empty() && !good.is_empty(),
                "{} lacks examples",
                rule.name
            );
            for text in bad {
                assert!(
                    codes(&text, rule).contains(&rule.code),
                    "{}: bad example is silent:\n{text}",
                    rule.name
                );
            }
            for text in good {
                assert!(
                    codes(&text, rule).is_empty(),
                    "{}: good example fires:\n{text}",
                    rule.name
                );
            }
        }
    }
}
