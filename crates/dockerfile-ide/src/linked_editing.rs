//! Places that change together while typing.

use dockerfile_source::{TextRange, TextSize};
use dockerfile_syntax::{Element, SyntaxKind};

use crate::Analysis;

/// Returns the two places where the name of the here-document at an offset stands: behind `<<` and at its end.
pub fn linked_ranges(analysis: &Analysis, offset: TextSize) -> Option<[TextRange; 2]> {
    let instruction = analysis.instruction_at(offset)?;
    if instruction.heredocs.is_empty() {
        return None;
    }
    let mut ends = Vec::new();
    analysis.elements_in(instruction.range, |element, _| {
        if let Element::Token(token) = element
            && token.kind() == SyntaxKind::HEREDOC_END
        {
            let text = token.text();
            let name = text.trim_matches(['\t', ' ', '\r', '\n']);
            let indent = text.len() - text.trim_start_matches(['\t', ' ']).len();
            let start = token.range().start() + TextSize::new(indent as u32);
            ends.push((name.to_owned(), TextRange::at(start, TextSize::of(name))));
        }
    });
    instruction.heredocs.iter().find_map(|heredoc| {
        let opener = analysis.slice(heredoc.opener_range);
        let at = opener.rfind(heredoc.name.as_str())?;
        let opening = TextRange::at(
            heredoc.opener_range.start() + TextSize::new(at as u32),
            TextSize::of(heredoc.name.as_str()),
        );
        let closing = ends
            .iter()
            .find(|(name, range)| *name == heredoc.name && range.start() > opening.end())?
            .1;
        [opening, closing]
            .iter()
            .any(|range| range.contains_inclusive(offset))
            .then_some([opening, closing])
    })
}

#[cfg(test)]
mod tests {
    use test_support::cursor;

    use super::*;
    use crate::analysis::analysis;

    #[test]
    fn links_the_two_names_of_a_heredoc() {
        let (text, offset) = cursor("FROM a\nRUN <<-\"EO$0F\"\n\tx\n\tEOF\n");
        let analysis = analysis(&text);
        let ranges =
            linked_ranges(&analysis, offset).map(|both| both.map(|range| analysis.slice(range)));
        assert_eq!(ranges, Some(["EOF", "EOF"]));
    }
}
