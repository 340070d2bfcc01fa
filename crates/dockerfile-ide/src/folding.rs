//! What can be folded away.

use dockerfile_model::HeredocBody;
use dockerfile_source::{TextRange, TextSize};

use crate::Analysis;
use crate::selection::stage_range;

/// Lines that can be folded into the first of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fold {
    /// 0-based.
    pub first_line: u32,
    pub last_line: u32,
    pub kind: FoldKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FoldKind {
    Code,
    Comment,
    Region,
}

/// Returns stages, instructions, here-documents, runs of comments and `# region` blocks over more than one line.
pub fn folds(analysis: &Analysis) -> Vec<Fold> {
    let model = analysis.model();
    let index = analysis.source().line_index();
    let mut folds = Vec::new();
    let mut add = |first: TextSize, last: TextSize, kind: FoldKind| {
        let (first_line, last_line) = (index.line(first), index.line(last));
        if first_line < last_line {
            folds.push(Fold {
                first_line,
                last_line,
                kind,
            });
        }
    };
    for stage in &model.stages {
        if let Some(range) = stage_range(analysis, stage.id) {
            add(range.start(), last_of(range), FoldKind::Code);
        }
    }
    for instruction in &model.instructions {
        let range = instruction.range;
        add(range.start(), last_of(range), FoldKind::Code);
        for heredoc in &instruction.heredocs {
            let body = match &heredoc.body {
                HeredocBody::Script(script) => script.range,
                HeredocBody::Text { range, .. } => *range,
            };
            if index.line(heredoc.opener_range.start()) != index.line(range.start()) {
                add(heredoc.opener_range.start(), last_of(body), FoldKind::Code);
            }
        }
    }
    let mut regions = Vec::new();
    let mut run: Option<(TextSize, TextSize)> = None;
    for comment in &model.comments {
        let start = comment.range.start();
        let text = comment.text.trim_start_matches(['#', ' ', '\t']);
        if text.starts_with("endregion") {
            if let Some(first) = regions.pop() {
                add(first, start, FoldKind::Region);
            }
        } else if text.starts_with("region") {
            regions.push(start);
        }
        let follows = |last: TextSize| index.line(start) == index.line(last) + 1;
        run = match run {
            Some((first, last)) if follows(last) => Some((first, start)),
            other => {
                if let Some((first, last)) = other {
                    add(first, last, FoldKind::Comment);
                }
                Some((start, start))
            }
        };
    }
    if let Some((first, last)) = run {
        add(first, last, FoldKind::Comment);
    }
    folds.sort_unstable();
    folds.dedup();
    folds
}

/// Returns a place on the last line of a range that may end with a line end.
fn last_of(range: TextRange) -> TextSize {
    let end = range.end();
    end.checked_sub(TextSize::new(1))
        .map_or(end, |last| last.max(range.start()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::analysis;

    fn lines(text: &str) -> Vec<(u32, u32, FoldKind)> {
        folds(&analysis(text))
            .into_iter()
            .map(|fold| (fold.first_line, fold.last_line, fold.kind))
            .collect()
    }

    #[test]
    fn folds_stages_instructions_and_comments() {
        let text = "# a\n# b\nFROM x\nRUN a \\\n  b\nFROM y\nRUN <<E\nx\nE\n";
        assert_eq!(
            lines(text),
            [
                (0, 1, FoldKind::Comment),
                (2, 4, FoldKind::Code),
                (3, 4, FoldKind::Code),
                (5, 8, FoldKind::Code),
                (6, 8, FoldKind::Code),
            ]
        );
    }

    #[test]
    fn folds_regions() {
        let text = "FROM x\n# region tools\nRUN a\n# endregion\n";
        assert!(lines(text).contains(&(1, 3, FoldKind::Region)));
    }
}
