//! One mistake, one finding: which rule is silent where another one says more.

use dockerfile_source::{Diagnostic, TextRange, TextSize};

/// Rules, and those before which they are silent: where both find something in the same place, mending what the second
/// one says mends the first, or makes it pointless.
const SILENT_BEFORE: &[(&str, &str)] = &[
    // A name that is no image needs no tag.
    ("untagged-base-image", "invalid-image-name"),
    ("untagged-base-image", "invalid-default-arg-in-from"),
    ("untagged-base-image", "undefined-arg-in-from"),
    ("latest-base-image", "undefined-arg-in-from"),
    ("invalid-default-arg-in-from", "invalid-image-name"),
    // Another name is needed, whatever its case.
    ("stage-name-casing", "reserved-stage-name"),
    // What does not start gets no signals.
    ("shell-form-command", "swallowed-cmd"),
    ("shell-form-command", "shell-without-c"),
    // The shell stumbles over what was meant as JSON.
    ("shell-syntax-error", "single-quoted-json"),
    // EXPOSE says more of its variables.
    ("undefined-variable", "undefined-port-variable"),
    ("arg-out-of-scope", "undefined-port-variable"),
    ("source-outside-context", "invalid-instruction"),
    ("from-as-casing", "invalid-instruction"),
    (
        "relative-copy-destination",
        "copy-destination-without-slash",
    ),
    ("cd-instead-of-workdir", "lost-shell-state"),
    ("named-user", "unknown-user"),
];

/// Takes out the findings that another finding in the same place makes needless.
pub(crate) fn without_doubles(mut findings: Vec<Diagnostic>) -> Vec<Diagnostic> {
    for (silent, before) in SILENT_BEFORE {
        if findings.iter().any(|finding| finding.rule == *before)
            && findings.iter().any(|finding| finding.rule == *silent)
        {
            let places = Places::new(
                findings
                    .iter()
                    .filter(|finding| finding.rule == *before)
                    .map(|finding| finding.range),
            );
            findings.retain(|finding| finding.rule != *silent || !places.touch(finding.range));
        }
    }
    findings
}

/// Ranges to compare with, in time that grows with the logarithm of their number.
struct Places {
    /// The starts in order, each with the furthest end of all ranges up to it.
    starts: Vec<(TextSize, TextSize)>,
}

impl Places {
    fn new(ranges: impl Iterator<Item = TextRange>) -> Places {
        let mut starts: Vec<_> = ranges.map(|range| (range.start(), range.end())).collect();
        starts.sort_unstable();
        let mut furthest = TextSize::new(0);
        for (_, end) in &mut starts {
            furthest = furthest.max(*end);
            *end = furthest;
        }
        Places { starts }
    }

    /// Returns whether a range has a byte in common with one of these.
    fn touch(&self, range: TextRange) -> bool {
        let before_end = self
            .starts
            .partition_point(|(start, _)| *start < range.end());
        before_end
            .checked_sub(1)
            .and_then(|last| self.starts.get(last))
            .is_some_and(|(_, end)| *end > range.start())
    }
}

#[cfg(test)]
mod tests {
    use super::SILENT_BEFORE;
    use crate::{Options, Selection, check, rules as all_rules};
    use dockerfile_source::SourceFile;

    fn rules(text: &str, names: &[&str]) -> Vec<&'static str> {
        let mut selection = Selection::none();
        for rule in all_rules() {
            selection.set_rule(rule, names.contains(&rule.name));
        }
        let options = Options {
            selection,
            ..Options::default()
        };
        let found = check(&SourceFile::new("Dockerfile", text), &options);
        found.into_iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn names_rules_that_exist() {
        for name in SILENT_BEFORE
            .iter()
            .flat_map(|(silent, before)| [silent, before])
        {
            assert!(all_rules().iter().any(|rule| rule.name == *name), "{name}");
        }
    }

    #[test]
    fn an_invalid_name_needs_no_tag() {
        let both = ["untagged-base-image", "invalid-image-name"];
        assert_eq!(rules("FROM Ubuntu\n", &both), ["invalid-image-name"]);
        assert_eq!(
            rules("FROM Ubuntu\n", &["untagged-base-image"]),
            ["untagged-base-image"]
        );
        assert_eq!(
            rules("FROM Ubuntu\nFROM debian\n", &both),
            ["invalid-image-name", "untagged-base-image"]
        );
    }

    #[test]
    fn an_ignored_command_needs_no_exec_form() {
        let both = ["shell-form-command", "swallowed-cmd"];
        assert_eq!(
            rules("FROM a\nENTRYPOINT exec a\nCMD b\n", &both),
            ["swallowed-cmd"]
        );
    }

    #[test]
    fn a_port_variable_is_found_once() {
        let all = [
            "undefined-variable",
            "undefined-port-variable",
            "arg-out-of-scope",
        ];
        assert_eq!(
            rules("ARG A=1\nFROM debian:12\nEXPOSE $A $B\n", &all),
            ["undefined-port-variable", "undefined-port-variable"]
        );
    }
}
