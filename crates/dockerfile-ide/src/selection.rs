//! What "expand selection" selects.

use dockerfile_source::{TextRange, TextSize};
use dockerfile_syntax::Token;

use crate::Analysis;

/// Returns the ranges around an offset, each inside of the next: word, command, body, instruction, stage, file.
pub fn selection_ranges(analysis: &Analysis, offset: TextSize) -> Vec<TextRange> {
    let path = analysis.nodes_at(offset);
    let mut ranges = Vec::with_capacity(path.len() + 3);
    if let Some(node) = path.last() {
        let token = node
            .tokens()
            .filter(|token| !token.kind().is_trivia())
            .find(|token| token.range().contains_inclusive(offset));
        ranges.extend(token.map(Token::range));
    }
    ranges.extend(path.iter().rev().map(|node| node.range()));
    let stage = analysis
        .instruction_before(offset)
        .and_then(|instruction| instruction.stage);
    if let Some(range) = stage.and_then(|stage| stage_range(analysis, stage)) {
        ranges.push(range);
    }
    ranges.push(TextRange::up_to(TextSize::of(analysis.text())));
    ranges.retain(|range| range.contains_inclusive(offset));
    ranges.sort_by_key(|range| range.len());
    ranges.dedup();
    // A chain only: what does not hold the one before it is left out.
    let mut chain: Vec<TextRange> = Vec::with_capacity(ranges.len());
    for range in ranges {
        if chain
            .last()
            .is_none_or(|inner| range.contains_range(*inner))
        {
            chain.push(range);
        }
    }
    chain
}

/// Returns where a stage stands: from FROM to the end of its last instruction.
pub(crate) fn stage_range(
    analysis: &Analysis,
    stage: dockerfile_model::StageId,
) -> Option<TextRange> {
    let instructions = analysis.model().stage_instructions(stage);
    let first = instructions.first()?.range;
    Some(first.cover(instructions.last()?.range))
}

#[cfg(test)]
mod tests {
    use test_support::cursor;

    use super::*;
    use crate::analysis::analysis;

    #[test]
    fn grows_from_word_to_command_to_instruction_to_stage() {
        let (text, offset) = cursor("FROM a\nRUN x y$0y && z\n\nFROM b\n");
        let analysis = analysis(&text);
        let texts: Vec<&str> = selection_ranges(&analysis, offset)
            .into_iter()
            .map(|range| analysis.slice(range))
            .collect();
        assert_eq!(
            texts,
            [
                "yy",
                "x yy",
                "x yy && z",
                "RUN x yy && z",
                "FROM a\nRUN x yy && z",
                text.as_str()
            ]
        );
    }
}
