//! Fixes: chosen, applied, parsed again and proven, until none is left.
//!
//! A round takes the fixes of one rule at most for each instruction, so that no fix meets the text that another rule has
//! just changed. What comes out is compared with what went in:
//! - an edit must change nothing outside of itself: every other token stays what and where it was;
//! - a safe fix must keep what the file builds, or change no more than the instructions that it touches;
//! - the finding must be gone, and none of the same rule may have come.
//!
//! A fix that fails is refused, by name, and the text stays as it was.

use std::collections::BTreeMap;

use dockerfile_model::{Meaning, Model, is_confined};
use dockerfile_source::{Applicability, Diagnostic, Fix, SourceFile, TextEdit, TextRange};
use dockerfile_syntax::{Parse, Parser};

use crate::Options;
use crate::run::check_model;

/// Each round costs a parse; fixes that undo each other must not go on for ever.
const MOST_ROUNDS: usize = 100;

/// What fixing made of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FixOutcome {
    pub text: String,
    /// The findings that are mended, as they stood in the text of their round.
    pub applied: Vec<Diagnostic>,
    pub refused: Vec<RefusedFix>,
    /// What is left to find in the new text.
    pub remaining: Vec<Diagnostic>,
}

/// A fix that could not be proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedFix {
    pub finding: Diagnostic,
    pub reason: Refusal,
}

/// Why a fix was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The edit lies outside of the text or cuts a character.
    OutOfPlace,
    /// Something that the edit does not touch reads differently afterwards.
    ChangesOtherText,
    /// The rule still has as much to say.
    DoesNotHelp,
}

impl Refusal {
    /// Returns the reason as a clause.
    pub fn as_str(self) -> &'static str {
        match self {
            Refusal::OutOfPlace => "the edit does not fit the text",
            Refusal::ChangesOtherText => "something else would read differently afterwards",
            Refusal::DoesNotHelp => "the finding would still be there",
        }
    }
}

/// A text with all that is known of it.
struct State {
    source: SourceFile,
    parse: Parse,
    model: Model,
    findings: Vec<Diagnostic>,
}

/// Applies the fixes of all findings that are at least as safe as `least`.
pub fn fix(source: &SourceFile, options: &Options, least: Applicability) -> FixOutcome {
    let mut parser = Parser::new();
    let mut state = State::new(
        &mut parser,
        source.name(),
        source.text().to_owned(),
        options,
    );
    let mut applied = Vec::new();
    let mut refused: Vec<RefusedFix> = Vec::new();
    for _ in 0..MOST_ROUNDS {
        let chosen = choose(&state, least, &refused);
        if chosen.is_empty() {
            break;
        }
        if let Ok(next) = attempt(&mut parser, &state, &chosen, options) {
            applied.extend(chosen);
            state = next;
            continue;
        }
        // One of them is at fault: one at a time, then.
        let mut is_changed = false;
        for finding in chosen {
            match attempt(&mut parser, &state, std::slice::from_ref(&finding), options) {
                Ok(next) => {
                    applied.push(finding);
                    state = next;
                    is_changed = true;
                    break;
                }
                Err(reason) => refused.push(RefusedFix { finding, reason }),
            }
        }
        if !is_changed && choose(&state, least, &refused).is_empty() {
            break;
        }
    }
    FixOutcome {
        text: state.source.text().to_owned(),
        applied,
        refused,
        remaining: state.findings,
    }
}

impl State {
    fn new(parser: &mut Parser, name: &str, text: String, options: &Options) -> State {
        let source = SourceFile::new(name, text);
        let parse = parser.parse(source.text());
        let model = Model::new(&parse, &options.input);
        let findings = check_model(&source, &parse, &model, options);
        State {
            source,
            parse,
            model,
            findings,
        }
    }
}

fn usable_fix(finding: &Diagnostic, least: Applicability) -> Option<&Fix> {
    finding
        .fix
        .as_ref()
        .filter(|fix| fix.applicability >= least && !fix.edit.is_empty())
}

/// Returns the findings whose fixes can be applied together: those of one rule for each instruction.
fn choose(state: &State, least: Applicability, refused: &[RefusedFix]) -> Vec<Diagnostic> {
    let mut chosen: Vec<Diagnostic> = Vec::new();
    let mut taken: Option<(TextRange, TextRange)> = None;
    let mut candidates: Vec<_> = state
        .findings
        .iter()
        .filter(|finding| {
            !refused
                .iter()
                .any(|refused| is_same(&refused.finding, finding))
        })
        .filter_map(|finding| Some((usable_fix(finding, least)?.edit.span()?, finding)))
        .collect();
    candidates.sort_by_key(|(span, finding)| (span.start(), span.end(), finding.code));
    for (span, finding) in candidates {
        let around = widen_to_instructions(&state.model, span);
        let is_free = match (taken, chosen.last()) {
            (None, _) | (_, None) => true,
            (Some((taken, _)), _) if taken.end() <= around.start() => true,
            // The fixes of one rule know of each other.
            (Some((_, span_taken)), Some(last)) => {
                last.code == finding.code && span_taken.end() < span.start()
            }
        };
        if is_free {
            taken = Some((around, span));
            chosen.push(finding.clone());
        }
    }
    chosen
}

/// Two findings are the same when they say the same of the same words; positions shift from round to round.
fn is_same(left: &Diagnostic, right: &Diagnostic) -> bool {
    left.code == right.code
        && left.message == right.message
        && left.range.len() == right.range.len()
}

/// Returns a range grown to the whole lines of the instructions that it touches.
fn widen_to_instructions(model: &Model, span: TextRange) -> TextRange {
    let first = model
        .instructions
        .partition_point(|instruction| instruction.range.end() < span.start());
    let behind = model.instructions.get(first..).unwrap_or(&[]);
    behind
        .iter()
        .map(|instruction| instruction.range)
        .take_while(|range| range.start() <= span.end())
        .fold(span, TextRange::cover)
}

/// Applies the fixes of some findings together and proves the result.
fn attempt(
    parser: &mut Parser,
    state: &State,
    chosen: &[Diagnostic],
    options: &Options,
) -> Result<State, Refusal> {
    let mut builder = TextEdit::builder();
    for fix in chosen.iter().filter_map(|finding| finding.fix.as_ref()) {
        for indel in fix.edit.indels() {
            builder.replace(indel.delete, indel.insert.clone());
        }
    }
    let edit = builder.finish().map_err(|_| Refusal::OutOfPlace)?;
    let text = edit.apply(state.source.text()).ok_or(Refusal::OutOfPlace)?;
    let next = State::new(parser, state.source.name(), text, options);
    if !is_confined(&state.parse, &next.parse, &edit)
        || !keeps_other_instructions(state, &next, &edit)
    {
        return Err(Refusal::ChangesOtherText);
    }
    let counts = |state: &State| {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for finding in &state.findings {
            *counts.entry(finding.code).or_default() += 1;
        }
        counts
    };
    let (old, new) = (counts(state), counts(&next));
    let is_helped = |finding: &Diagnostic| {
        let count = |counts: &BTreeMap<&str, usize>| counts.get(finding.code).copied().unwrap_or(0);
        count(&new) < count(&old)
    };
    if !chosen.iter().all(is_helped) {
        return Err(Refusal::DoesNotHelp);
    }
    Ok(next)
}

/// Returns whether every instruction that the edit does not touch means what it meant.
fn keeps_other_instructions(before: &State, after: &State, edit: &TextEdit) -> bool {
    let old = Meaning::new(&before.parse, &before.model);
    let new = Meaning::new(&after.parse, &after.model);
    if old.first_difference(&new).is_none() {
        return true;
    }
    let touched = |range: TextRange| {
        edit.indels()
            .iter()
            .any(|indel| range.start() <= indel.delete.end() && indel.delete.start() <= range.end())
    };
    let mut new_ranges = Vec::new();
    let mut shift = 0_i64;
    for indel in edit.indels() {
        let start = i64::from(u32::from(indel.delete.start())) + shift;
        let len = indel.insert.len() as u32;
        new_ranges.push(TextRange::at(
            u32::try_from(start).unwrap_or(0).into(),
            len.into(),
        ));
        shift += i64::from(len) - i64::from(u32::from(indel.delete.len()));
    }
    let touched_now = |range: TextRange| {
        new_ranges
            .iter()
            .any(|inserted| range.start() <= inserted.end() && inserted.start() <= range.end())
    };
    old.untouched(&before.model, touched) == new.untouched(&after.model, touched_now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Selection;

    fn fixed(text: &str, rules: &[&str]) -> FixOutcome {
        let mut selection = Selection::none();
        for name in rules {
            selection.set(name, true).expect("the rule exists");
        }
        let options = Options {
            selection,
            ..Options::default()
        };
        fix(
            &SourceFile::new("Dockerfile", text),
            &options,
            Applicability::Safe,
        )
    }

    #[test]
    fn applies_all_fixes_to_a_fixpoint() {
        let outcome = fixed(
            "FROM a\nEXPOSE 1/TCP 2/TCP \\\n\n  3/Udp\nEXPOSE 4/TCP\n",
            &["DF302", "DF004"],
        );
        assert_eq!(
            outcome.text,
            "FROM a\nEXPOSE 1/tcp 2/tcp \\\n  3/udp\nEXPOSE 4/tcp\n"
        );
        assert_eq!(outcome.applied.len(), 5);
        assert!(outcome.refused.is_empty() && outcome.remaining.is_empty());
        assert_eq!(fixed(&outcome.text, &["DF302", "DF004"]).applied, []);
    }

    #[test]
    fn unsafe_fixes_wait_to_be_asked_for() {
        let outcome = fixed("FROM a\nRUM x\n", &["DF002"]);
        assert_eq!(outcome.text, "FROM a\nRUM x\n");
        assert_eq!(outcome.remaining.len(), 1);
    }

    #[test]
    fn line_endings_stay() {
        let outcome = fixed("FROM a\r\nEXPOSE 1/TCP\r\n", &["DF302"]);
        assert_eq!(outcome.text, "FROM a\r\nEXPOSE 1/tcp\r\n");
    }

    #[test]
    fn an_edit_that_reaches_further_than_it_says_is_refused() {
        let text = "FROM a\nEXPOSE 1/TCP\nRUN x\n";
        let options = Options::default();
        let mut parser = Parser::new();
        let mut state = State::new(&mut parser, "Dockerfile", text.to_owned(), &options);
        let mut finding = fixed(text, &["unknown-nothing"][..0])
            .remaining
            .pop()
            .unwrap_or_else(|| Diagnostic {
                rule: "x",
                code: "DF302",
                aliases: &[],
                severity: dockerfile_source::Severity::Info,
                message: String::new(),
                range: TextRange::default(),
                labels: Vec::new(),
                help: None,
                fix: None,
            });
        finding.fix = Some(Fix {
            title: String::new(),
            applicability: Applicability::Safe,
            edit: TextEdit::insert(19.into(), " \\"),
        });
        state.findings = vec![finding.clone()];
        assert_eq!(
            attempt(&mut parser, &state, &[finding], &options).err(),
            Some(Refusal::ChangesOtherText)
        );
    }
}
