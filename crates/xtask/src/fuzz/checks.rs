//! What is promised for every text there is.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use dockerfile_lint::{Options, Selection, check, fix};
use dockerfile_source::{Applicability, Diagnostic, SourceFile, TextRange};
use dockerfile_syntax::{Parse, SyntaxErrorKind, parse};

use crate::cpu_clock;

/// A promise that was broken.
#[derive(Debug)]
pub(super) struct Fault {
    /// The promise, and the rule if there is one: what stays the same when the input gets smaller.
    pub(super) kind: String,
    detail: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.detail)
    }
}

/// The most time that a text may take: generous, for time that grows with the square of the length goes far beyond.
#[derive(Clone, Copy)]
pub(super) struct Caps {
    seconds: f64,
    seconds_per_kilobyte: f64,
}

impl Default for Caps {
    fn default() -> Caps {
        let debug = if cfg!(debug_assertions) { 10.0 } else { 1.0 };
        Caps {
            seconds: 0.05 * debug,
            seconds_per_kilobyte: 0.005 * debug,
        }
    }
}

impl Caps {
    /// Returns caps that nothing exceeds, for a machine that has other things to do.
    #[cfg(test)]
    pub(super) fn none() -> Caps {
        Caps {
            seconds: f64::INFINITY,
            seconds_per_kilobyte: 0.0,
        }
    }

    fn seconds(self, text: &str) -> f64 {
        self.seconds + self.seconds_per_kilobyte * text.len() as f64 / 1e3
    }
}

type Work = fn(&str) -> Result<(), Fault>;

/// Returns the first promise that is broken for `text`.
pub(super) fn fault(text: &str, caps: Caps) -> Option<Fault> {
    // Fixing checks the file again in each of many rounds.
    let works: [(&str, Work, f64); 3] = [
        ("parse", check_parse, 1.0),
        ("rules", check_rules, 1.0),
        ("fixes", check_fixes, 20.0),
    ];
    works.into_iter().find_map(|(name, work, rounds)| {
        let cap = caps.seconds(text) * rounds;
        let mut result = Ok(Ok(()));
        let mut spent = f64::INFINITY;
        // A busy machine can make one look slow, but not three.
        for _ in 0..3 {
            let seconds = cpu_clock::seconds(|| {
                result = catch_unwind(AssertUnwindSafe(|| work(text)));
            });
            spent = spent.min(seconds);
            if spent <= cap || !matches!(result, Ok(Ok(()))) {
                break;
            }
        }
        match result {
            Err(panic) => Some(new_fault(&format!("{name}: panic"), message_of(&*panic))),
            Ok(Err(fault)) => Some(fault),
            Ok(Ok(())) if spent > cap => {
                let detail = format!("{spent:.3} s for {} bytes", text.len());
                Some(new_fault(&format!("{name}: slow"), detail))
            }
            Ok(Ok(())) => None,
        }
    })
}

fn new_fault(kind: &str, detail: impl Into<String>) -> Fault {
    Fault {
        kind: kind.to_owned(),
        detail: detail.into(),
    }
}

fn message_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default()
}

fn check_parse(text: &str) -> Result<(), Fault> {
    let parse = parse(text);
    if parse.text() != text || parse.syntax().text() != text {
        return Err(new_fault("parse: text", "the tree does not hold the text"));
    }
    for error in parse.errors() {
        inside(text, error.range, "parse: range", &error.message)?;
    }
    Ok(())
}

fn check_rules(text: &str) -> Result<(), Fault> {
    for finding in check(&source(text), &options()) {
        check_finding(text, &finding)?;
    }
    Ok(())
}

fn check_finding(text: &str, finding: &Diagnostic) -> Result<(), Fault> {
    let kind = format!("rules: range of {}", finding.rule);
    inside(text, finding.range, &kind, &finding.message)?;
    for label in &finding.labels {
        inside(text, label.range, &kind, &label.message)?;
    }
    match &finding.fix {
        Some(fix) if fix.edit.apply(text).is_none() => {
            let kind = format!("rules: fix of {}", finding.rule);
            Err(new_fault(&kind, "the edit does not fit the text"))
        }
        _ => Ok(()),
    }
}

fn check_fixes(text: &str) -> Result<(), Fault> {
    let outcome = fix(&source(text), &options(), Applicability::Safe);
    if outcome.applied.is_empty() {
        return Ok(());
    }
    let mut rules: Vec<_> = outcome.applied.iter().map(|finding| finding.rule).collect();
    rules.dedup();
    let fixed = parse(&outcome.text);
    if fixed.text() != outcome.text {
        return Err(new_fault("fixes: text", "the tree does not hold the text"));
    }
    if fatal_errors(&fixed) > fatal_errors(&parse(text)) {
        return Err(new_fault("fixes: broken", format!("by {rules:?}")));
    }
    let again = fix(&source(&outcome.text), &options(), Applicability::Safe);
    if again.text == outcome.text {
        return Ok(());
    }
    let more: Vec<_> = again.applied.iter().map(|finding| finding.rule).collect();
    Err(new_fault(
        "fixes: not done",
        format!("{more:?} behind {rules:?}"),
    ))
}

/// Returns the number of errors, without those of shells: a fix may bring to light what is wrong behind an error.
fn fatal_errors(parse: &Parse) -> usize {
    let is_fatal = |kind| matches!(kind, SyntaxErrorKind::Parser | SyntaxErrorKind::Instruction);
    parse
        .errors()
        .iter()
        .filter(|error| is_fatal(error.kind))
        .count()
}

fn inside(text: &str, range: TextRange, kind: &str, message: &str) -> Result<(), Fault> {
    let bytes = usize::from(range.start())..usize::from(range.end());
    match text.get(bytes) {
        Some(_) => Ok(()),
        None => Err(new_fault(kind, format!("{range:?} of `{message}`"))),
    }
}

fn source(text: &str) -> SourceFile {
    SourceFile::new("Dockerfile", text)
}

/// Returns options with the rules that are off by default, too.
fn options() -> Options {
    Options {
        selection: Selection::all(),
        ..Options::default()
    }
}
