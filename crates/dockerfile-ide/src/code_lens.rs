//! Lines of commands above stages and instructions.

use dockerfile_model::{Keyword, StageId};
use dockerfile_source::TextRange;

use crate::Analysis;

/// A command that can be clicked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lens {
    pub range: TextRange,
    pub title: String,
    pub command: LensCommand,
}

/// What a lens does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LensCommand {
    /// Builds a stage.
    Build(StageId),
    /// Builds a stage and runs the image.
    Run(StageId),
    /// Opens a shell in the file system as it is after this range's instruction.
    Shell(StageId),
    /// Shows where a stage is used.
    References(StageId),
}

/// Returns the lenses of a file: for each stage how often it is used, and, where there is a builder, what it can do.
pub fn lenses(analysis: &Analysis) -> Vec<Lens> {
    let model = analysis.model();
    let mut uses = vec![0_usize; model.stages.len()];
    for target in model.stage_references.iter().filter_map(|each| each.target) {
        if let Some(count) = uses.get_mut(target.index()) {
            *count += 1;
        }
    }
    let last = model.final_stage().map(|stage| stage.id);
    let mut lenses = Vec::new();
    for (stage, count) in model.stages.iter().zip(uses) {
        let Some(from) = model.instruction(stage.from) else {
            continue;
        };
        debug_assert_eq!(from.keyword, Keyword::From);
        let mut add = |title: String, command| {
            lenses.push(Lens {
                range: from.keyword_range,
                title,
                command,
            });
        };
        if analysis.outside().has_builder {
            let title = if Some(stage.id) == last {
                "Build"
            } else {
                "Build stage"
            };
            add(title.to_owned(), LensCommand::Build(stage.id));
            add("Run".to_owned(), LensCommand::Run(stage.id));
            add("Shell".to_owned(), LensCommand::Shell(stage.id));
        }
        if Some(stage.id) != last || count > 0 {
            let title = match count {
                0 => "not used".to_owned(),
                1 => "used once".to_owned(),
                count => format!("used {count} times"),
            };
            add(title, LensCommand::References(stage.id));
        }
    }
    lenses
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::analysis;

    #[test]
    fn says_how_often_a_stage_is_used() {
        let analysis = analysis("FROM a AS x\nFROM b AS y\nFROM x\nCOPY --from=0 a b\n");
        let titles: Vec<String> = lenses(&analysis)
            .into_iter()
            .map(|lens| lens.title)
            .collect();
        assert_eq!(titles, ["used 2 times", "not used"]);
    }
}
