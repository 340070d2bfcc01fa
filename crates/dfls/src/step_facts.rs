//! What is known of the steps of a text: from the last build, and from the forecast.

#[cfg(target_os = "linux")]
use dockerfile_build::{Fate, StepForecast};
use dockerfile_ide::{StepFact, StepOutlook};
use dockerfile_source::{SourceFile, TextRange, TextSize};

use crate::build::{Built, BuiltStep};

/// What a forecast says of a step that only follows one that runs.
const CONSEQUENCE: &str = "the step before changed";

/// Returns the facts of a forecast over the very same text; `built` tells what was built before.
#[cfg(target_os = "linux")]
pub(crate) fn of_forecast(
    source: &SourceFile,
    forecast: &[StepForecast],
    built: Option<&Built>,
) -> Vec<StepFact> {
    let edit = built.map(|built| Difference::new(built.source.text(), source.text()));
    let mut culprit = None;
    let mut last_reason = None;
    forecast
        .iter()
        .map(|step| {
            let (mut size, mut milliseconds) = (None, None);
            let outlook = match &step.fate {
                Fate::Cached {
                    size: bytes,
                    microseconds,
                } => {
                    size = Some(*bytes);
                    milliseconds = Some(microseconds / 1000);
                    StepOutlook::Cached
                }
                Fate::Runs { reason } => {
                    // What was said of the step before is not said again: a file that was never built has one hint, not ten.
                    let is_consequence =
                        reason == CONSEQUENCE || last_reason.replace(reason) == Some(reason);
                    if !is_consequence || culprit.is_none() {
                        culprit = blamed(source, step.range, reason, edit.as_ref());
                    }
                    StepOutlook::Runs {
                        reason: reason.clone(),
                        culprit,
                        is_consequence,
                    }
                }
                Fate::Unknown { stage } => StepOutlook::Unknown {
                    stage: stage.clone(),
                },
            };
            StepFact {
                range: step.range,
                size,
                milliseconds,
                outlook,
            }
        })
        .collect()
}

/// Returns the facts of a forecast: there are none where nothing can be built.
#[cfg(not(target_os = "linux"))]
pub(crate) fn of_forecast(
    _source: &SourceFile,
    _forecast: &[std::convert::Infallible],
    _built: Option<&Built>,
) -> Vec<StepFact> {
    Vec::new()
}

/// Returns what the last build said of the instructions that are still as they were.
pub(crate) fn of_build(source: &SourceFile, built: &Built) -> Vec<StepFact> {
    let difference = Difference::new(built.source.text(), source.text());
    let moved = |step: &BuiltStep| {
        Some(StepFact {
            range: difference.moved(step.range)?,
            size: step.size,
            milliseconds: Some(step.milliseconds),
            outlook: if step.has_run() {
                StepOutlook::Ran
            } else {
                StepOutlook::Cached
            },
        })
    };
    let good = built.steps.iter().filter(|step| step.is_good());
    good.filter_map(moved).collect()
}

/// What was changed between two texts, as one stretch.
struct Difference {
    /// How many bytes are the same at the beginning and at the end.
    prefix: usize,
    suffix: usize,
    old_len: usize,
    new_len: usize,
}

impl Difference {
    fn new(old: &str, new: &str) -> Difference {
        let prefix = old
            .bytes()
            .zip(new.bytes())
            .take_while(|(old, new)| old == new)
            .count();
        let most = old.len().min(new.len()) - prefix;
        let suffix = old
            .bytes()
            .rev()
            .zip(new.bytes().rev())
            .take(most)
            .take_while(|(old, new)| old == new)
            .count();
        Difference {
            prefix,
            suffix,
            old_len: old.len(),
            new_len: new.len(),
        }
    }

    /// Returns where a stretch of the old text is now, if nothing of it has changed.
    fn moved(&self, range: TextRange) -> Option<TextRange> {
        let (start, end) = (usize::from(range.start()), usize::from(range.end()));
        if end <= self.prefix {
            return Some(range);
        }
        let is_behind = start >= self.old_len.saturating_sub(self.suffix);
        let shift =
            |at: usize| u32::try_from(at + self.new_len - self.old_len.min(at + self.new_len)).ok();
        (is_behind && end <= self.old_len).then(|| {
            Some(TextRange::new(
                TextSize::from(shift(start)?),
                TextSize::from(shift(end)?),
            ))
        })?
    }

    /// Returns the first word of the new text that was changed, within a range.
    fn word(&self, source: &SourceFile, range: TextRange) -> Option<TextRange> {
        let (start, end) = (usize::from(range.start()), usize::from(range.end()));
        if self.prefix + self.suffix >= self.new_len.max(self.old_len) {
            return None;
        }
        let changed = self.prefix;
        if changed < start || changed > end {
            return None;
        }
        let text = source.text().get(start..end)?;
        let at = changed - start;
        let is_break = |letter: char| letter.is_whitespace();
        let before = text.get(..at)?.rfind(is_break).map_or(0, |blank| blank + 1);
        let behind = text
            .get(at..)?
            .find(is_break)
            .map_or(text.len(), |blank| at + blank);
        (before < behind).then(|| range_of(start + before, start + behind))?
    }
}

/// Returns the word that makes a step run.
fn blamed(
    source: &SourceFile,
    range: TextRange,
    reason: &str,
    edit: Option<&Difference>,
) -> Option<TextRange> {
    if let Some(word) = edit.and_then(|edit| edit.word(source, range)) {
        return Some(word);
    }
    // Files and variables are named in the reason.
    let start = usize::from(range.start());
    let text = source.slice(range);
    let named = reason.split('`').skip(1).step_by(2);
    let found = named
        .filter(|name| !name.is_empty())
        .find_map(|name| Some((text.find(name)?, name.len())));
    if let Some((at, len)) = found {
        return range_of(start + at, start + at + len);
    }
    let keyword = text.find(char::is_whitespace).unwrap_or(text.len());
    range_of(start, start + keyword)
}

fn range_of(start: usize, end: usize) -> Option<TextRange> {
    Some(TextRange::new(
        TextSize::from(u32::try_from(start).ok()?),
        TextSize::from(u32::try_from(end).ok()?),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, part: &str) -> TextRange {
        let start = text.find(part).expect("it is there");
        range_of(start, start + part.len()).expect("it is small")
    }

    #[test]
    fn a_step_moves_with_its_text_and_is_forgotten_when_it_changes() {
        let old = "FROM a\nRUN one\nRUN two\n";
        let new = "FROM a\n# more\nRUN other\nRUN two\n";
        let difference = Difference::new(old, new);
        assert_eq!(difference.moved(at(old, "FROM a")), Some(at(new, "FROM a")));
        assert_eq!(
            difference.moved(at(old, "RUN two")),
            Some(at(new, "RUN two"))
        );
        assert_eq!(difference.moved(at(old, "RUN one")), None);
        let back = Difference::new(new, old);
        assert_eq!(back.moved(at(new, "RUN two")), Some(at(old, "RUN two")));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn says_a_reason_once_where_steps_in_a_row_share_it() {
        let source = SourceFile::new("Dockerfile", "RUN a\nRUN b\nRUN c\n");
        let step = |part: &str, reason: &str| StepForecast {
            step: dockerfile_build::StepId(0),
            title: part.to_owned(),
            range: at(source.text(), part),
            fate: Fate::Runs {
                reason: reason.to_owned(),
            },
        };
        let forecast = [
            step("RUN a", "it is new"),
            step("RUN b", "it is new"),
            step("RUN c", "the command changed"),
        ];
        let told: Vec<bool> = of_forecast(&source, &forecast, None)
            .into_iter()
            .map(|fact| matches!(fact.outlook, StepOutlook::Runs { is_consequence, .. } if !is_consequence))
            .collect();
        assert_eq!(told, [true, false, true]);
    }

    #[test]
    fn blames_the_word_that_was_edited_or_is_named() {
        let old = "FROM a\nRUN make first\nCOPY src /x\n";
        let new = "FROM a\nRUN make second\nCOPY src /x\n";
        let source = SourceFile::new("Dockerfile", new);
        let edit = Difference::new(old, new);
        let run = at(new, "RUN make second");
        assert_eq!(
            blamed(&source, run, "the command changed", Some(&edit)),
            Some(at(new, "second"))
        );
        let copy = at(new, "COPY src /x");
        assert_eq!(
            blamed(&source, copy, "`src` changed", Some(&edit)),
            Some(at(new, "src"))
        );
        assert_eq!(
            blamed(&source, copy, "it changed", None),
            Some(at(new, "COPY"))
        );
    }
}
