//! What is known, shown in the line: resolved names, numbers and folders, and what a build said of a step.

use dockerfile_model::{Base, Body, Keyword};
use dockerfile_source::{TextRange, TextSize};

use crate::document_symbol::{shortened, stage_title};
use crate::{Analysis, StepFact, StepOutlook};

/// A text between the characters of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InlayHint {
    pub offset: TextSize,
    pub label: String,
    pub kind: InlayHintKind,
    pub tooltip: Option<String>,
    /// Where a click leads.
    pub target: Option<TextRange>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InlayHintKind {
    /// What a written text stands for.
    Value,
    /// What the last build said, or the next one would do.
    Step,
}

/// Returns the hints of a range, in the order of the text; `steps` is what is known of the steps of this very text.
pub fn inlay_hints(analysis: &Analysis, steps: &[StepFact], range: TextRange) -> Vec<InlayHint> {
    let model = analysis.model();
    let mut hints = Vec::new();
    let mut value = |offset, label: String, tooltip: &str| {
        hints.push(InlayHint {
            offset,
            label,
            kind: InlayHintKind::Value,
            tooltip: Some(tooltip.to_owned()),
            target: None,
        });
    };
    for stage in &model.stages {
        let Some(image) = &stage.image else { continue };
        if image.has_variables()
            && let Base::Image(name) = &stage.base
        {
            let tooltip = "What FROM names when no build argument is given.";
            value(image.range.end(), format!("= {}", shortened(name)), tooltip);
        }
    }
    for reference in &model.stage_references {
        let is_number = reference.text.bytes().all(|byte| byte.is_ascii_digit());
        if is_number && let Some(stage) = reference.target.and_then(|id| model.stage(id)) {
            value(
                reference.range.end(),
                format!("= {}", stage_title(stage)),
                "The stage with this number.",
            );
        }
    }
    for instruction in model.instructions_of(Keyword::Workdir) {
        let Body::Value(Some(word)) = &instruction.body else {
            continue;
        };
        let is_relative = !word.value_or_text().starts_with('/');
        let next = dockerfile_model::InstructionId(instruction.id.0 + 1);
        let is_last = model
            .instruction(next)
            .is_none_or(|next| next.stage != instruction.stage);
        if (is_relative || word.has_variables())
            && !is_last
            && let Some(folder) = model.workdir_at(next)
        {
            value(
                word.range.end(),
                format!("= {folder}"),
                "The working directory from here on.",
            );
        }
    }
    hints.extend(steps.iter().map(step_hint));
    hints.retain(|hint| range.contains_inclusive(hint.offset));
    hints.sort_by_key(|hint| hint.offset);
    hints
}

fn step_hint(step: &StepFact) -> InlayHint {
    let mut parts = Vec::new();
    if let Some(size) = step.size {
        parts.push(bytes(size));
    }
    // What takes no time is not worth a word.
    if let Some(time) = step.milliseconds.filter(|time| *time >= 100) {
        parts.push(format!("{}.{} s", time / 1000, time % 1000 / 100));
    }
    let (word, tooltip, target) = match &step.outlook {
        StepOutlook::Ran => (
            None,
            "Size and time of this step in the last build.".to_owned(),
            None,
        ),
        StepOutlook::Cached => (
            Some("cached".to_owned()),
            "A build would take this step from the cache. Size of its files, and how long it took when it ran."
                .to_owned(),
            None,
        ),
        StepOutlook::Runs {
            reason,
            culprit,
            is_consequence: false,
        } => (
            Some(format!("would run: {reason}")),
            format!("A build would run this step: {reason}."),
            *culprit,
        ),
        StepOutlook::Runs { culprit, .. } => (
            Some("would run".to_owned()),
            "A build would run this step, for a step before it would run.".to_owned(),
            *culprit,
        ),
        StepOutlook::Unknown { stage } => (
            Some(format!("hangs on {stage}")),
            format!("Whether it would run hangs on what the stage `{stage}` makes."),
            None,
        ),
    };
    parts.extend(word);
    InlayHint {
        offset: step.range.end(),
        label: parts.join(", "),
        kind: InlayHintKind::Step,
        tooltip: Some(tooltip),
        target,
    }
}

/// Returns a size with the unit that fits: `12.3 MB`.
pub(crate) fn bytes(size: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"];
    let (mut whole, mut tenths, mut unit) = (size, 0, 0);
    while whole >= 1000 && unit + 1 < units.len() {
        tenths = whole % 1000 / 100;
        whole /= 1000;
        unit += 1;
    }
    let name = units.get(unit).copied().unwrap_or_default();
    if unit == 0 {
        format!("{whole} {name}")
    } else {
        format!("{whole}.{tenths} {name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::analysis;

    #[test]
    fn shows_what_names_and_numbers_stand_for() {
        let text = "ARG V=12\nFROM debian:$V AS build\nFROM x\nCOPY --from=0 a b\nWORKDIR /a\nWORKDIR b\nRUN c\n";
        let analysis = analysis(text);
        let all = TextRange::up_to(TextSize::of(text));
        let labels: Vec<String> = inlay_hints(&analysis, &[], all)
            .into_iter()
            .map(|hint| hint.label)
            .collect();
        assert_eq!(labels, ["= debian:12", "= build", "= /a/b"]);
    }

    #[test]
    fn shows_size_and_time_and_outlook_of_a_step() {
        let text = "FROM a\nRUN b\n";
        let analysis = analysis(text);
        let step = |outlook| StepFact {
            range: TextRange::new(TextSize::new(7), TextSize::new(12)),
            size: Some(41_250_000),
            milliseconds: Some(12_410),
            outlook,
        };
        let steps = [
            step(StepOutlook::Ran),
            step(StepOutlook::Cached),
            StepFact {
                milliseconds: Some(99),
                ..step(StepOutlook::Cached)
            },
            StepFact {
                size: None,
                milliseconds: None,
                ..step(StepOutlook::Runs {
                    reason: "the command changed".to_owned(),
                    culprit: None,
                    is_consequence: false,
                })
            },
        ];
        let all = TextRange::up_to(TextSize::of(text));
        let labels: Vec<String> = inlay_hints(&analysis, &steps, all)
            .into_iter()
            .map(|hint| hint.label)
            .collect();
        let expected = [
            "41.2 MB, 12.4 s",
            "41.2 MB, 12.4 s, cached",
            "41.2 MB, cached",
            "would run: the command changed",
        ];
        assert_eq!(labels, expected);
    }
}
