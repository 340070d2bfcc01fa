//! What is known, shown in the line: resolved names, numbers and folders, and what a build said of a step.

use dockerfile_model::{Base, Body, Keyword};
use dockerfile_source::{TextRange, TextSize};

use crate::Analysis;
use crate::document_symbol::{shortened, stage_title};

/// A text between the characters of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InlayHint {
    pub offset: TextSize,
    pub label: String,
    pub kind: InlayHintKind,
    pub tooltip: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InlayHintKind {
    /// What a written text stands for.
    Value,
    /// What the last build said.
    Step,
}

/// Returns the hints of a range, in the order of the text.
pub fn inlay_hints(analysis: &Analysis, range: TextRange) -> Vec<InlayHint> {
    let model = analysis.model();
    let mut hints = Vec::new();
    let mut value = |offset, label: String, tooltip: &str| {
        hints.push(InlayHint {
            offset,
            label,
            kind: InlayHintKind::Value,
            tooltip: Some(tooltip.to_owned()),
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
    for step in &analysis.outside().steps {
        hints.push(InlayHint {
            offset: step.range.end(),
            label: step_label(step),
            kind: InlayHintKind::Step,
            tooltip: Some("What the last build said of this step.".to_owned()),
        });
    }
    hints.retain(|hint| range.contains_inclusive(hint.offset));
    hints.sort_by_key(|hint| hint.offset);
    hints
}

fn step_label(step: &crate::StepFact) -> String {
    let mut parts = Vec::new();
    if let Some(size) = step.size {
        parts.push(bytes(size));
    }
    match step.milliseconds {
        _ if step.is_cached => parts.push("cached".to_owned()),
        Some(time) => parts.push(format!("{}.{} s", time / 1000, time % 1000 / 100)),
        None => {}
    }
    parts.join(", ")
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
    use std::sync::Arc;

    use dockerfile_source::SourceFile;

    use super::*;
    use crate::analysis::analysis;
    use crate::{Outside, StepFact};

    #[test]
    fn shows_what_names_and_numbers_stand_for() {
        let text = "ARG V=12\nFROM debian:$V AS build\nFROM x\nCOPY --from=0 a b\nWORKDIR /a\nWORKDIR b\nRUN c\n";
        let analysis = analysis(text);
        let all = TextRange::up_to(TextSize::of(text));
        let labels: Vec<String> = inlay_hints(&analysis, all)
            .into_iter()
            .map(|hint| hint.label)
            .collect();
        assert_eq!(labels, ["= debian:12", "= build", "= /a/b"]);
    }

    #[test]
    fn shows_size_and_time_of_a_step() {
        let text = "FROM a\nRUN b\n";
        let step = |is_cached| StepFact {
            range: TextRange::new(TextSize::new(7), TextSize::new(12)),
            size: Some(41_250_000),
            milliseconds: Some(12_410),
            is_cached,
        };
        let outside = Outside {
            steps: vec![step(false), step(true)],
            ..Outside::default()
        };
        let analysis = Analysis::new(SourceFile::new("Dockerfile", text), Arc::new(outside));
        let all = TextRange::up_to(TextSize::of(text));
        let labels: Vec<String> = inlay_hints(&analysis, all)
            .into_iter()
            .map(|hint| hint.label)
            .collect();
        assert_eq!(labels, ["41.2 MB, 12.4 s", "41.2 MB, cached"]);
    }
}
