//! Lines of commands above stages and instructions.

use dockerfile_model::{Keyword, StageId};
use dockerfile_source::{TextRange, TextSize};

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
    /// Opens a shell in the file system of a stage.
    Shell(StageId),
    /// Builds up to the instruction that begins here.
    BuildTo(TextSize),
    /// Opens a shell in the file system as it is after the instruction that begins here.
    ShellAt(TextSize),
    /// Shows where a stage is used.
    References(StageId),
}

/// Returns the lenses of a file: for each stage how often it is used, and, where there is a builder, what it can do.
/// `with_instructions` adds those of single instructions.
pub fn lenses(analysis: &Analysis, with_instructions: bool) -> Vec<Lens> {
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
    if with_instructions && analysis.outside().has_builder {
        lenses.extend(instruction_lenses(analysis));
        lenses.sort_by_key(|lens| lens.range.start());
    }
    lenses
}

/// Returns the lenses of the instructions that change files.
fn instruction_lenses(analysis: &Analysis) -> impl Iterator<Item = Lens> {
    let instructions = analysis.model().instructions.iter();
    let steps = instructions.filter(|instruction| {
        let makes_files = matches!(
            instruction.keyword,
            Keyword::Run | Keyword::Copy | Keyword::Add | Keyword::Workdir
        );
        makes_files && instruction.stage.is_some()
    });
    steps.flat_map(|instruction| {
        let start = instruction.range.start();
        [
            ("Build to here", LensCommand::BuildTo(start)),
            ("Shell here", LensCommand::ShellAt(start)),
        ]
        .map(|(title, command)| Lens {
            range: instruction.keyword_range,
            title: title.to_owned(),
            command,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::analysis;

    #[test]
    fn says_how_often_a_stage_is_used() {
        let analysis = analysis("FROM a AS x\nFROM b AS y\nFROM x\nCOPY --from=0 a b\n");
        let titles: Vec<String> = lenses(&analysis, false)
            .into_iter()
            .map(|lens| lens.title)
            .collect();
        assert_eq!(titles, ["used 2 times", "not used"]);
    }

    #[test]
    fn offers_to_build_to_an_instruction_where_that_is_wanted() {
        let outside = crate::Outside {
            has_builder: true,
            ..crate::Outside::default()
        };
        let source = dockerfile_source::SourceFile::new("Dockerfile", "FROM a\nENV b=c\nRUN d\n");
        let analysis = Analysis::new(source, std::sync::Arc::new(outside));
        let here = |with_instructions| {
            let lenses = lenses(&analysis, with_instructions).into_iter();
            lenses
                .filter(|lens| lens.title.ends_with("here"))
                .map(|lens| lens.command)
                .collect::<Vec<_>>()
        };
        let start = TextSize::new(15);
        assert_eq!(
            here(true),
            [LensCommand::BuildTo(start), LensCommand::ShellAt(start)]
        );
        assert_eq!(here(false), []);
    }
}
