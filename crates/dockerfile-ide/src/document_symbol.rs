//! The outline: stages with what is in them.

use dockerfile_model::{Base, Instruction, Keyword, Origin, Stage};
use dockerfile_source::{TextRange, TextSize};

use crate::Analysis;
use crate::analysis::keyword_name;
use crate::selection::stage_range;
use crate::symbol::declarations_of;

/// One entry of the outline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentSymbol {
    pub name: String,
    pub detail: String,
    pub kind: DocumentSymbolKind,
    pub range: TextRange,
    /// What is selected when the user goes there.
    pub selection: TextRange,
    pub children: Vec<DocumentSymbol>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentSymbolKind {
    Stage,
    Instruction,
    Argument,
    Variable,
}

/// Longer texts are cut in the outline.
const MOST_CHARACTERS: usize = 60;

/// Returns the outline of a file.
pub fn document_symbols(analysis: &Analysis) -> Vec<DocumentSymbol> {
    let model = analysis.model();
    let mut symbols = Vec::new();
    for instruction in model.global_instructions() {
        instruction_symbols(analysis, instruction, &mut symbols);
    }
    for stage in &model.stages {
        let mut children = Vec::new();
        for instruction in model.stage_instructions(stage.id).iter().skip(1) {
            instruction_symbols(analysis, instruction, &mut children);
        }
        let Some(range) = stage_range(analysis, stage.id) else {
            continue;
        };
        let from = model.instruction(stage.from);
        let selection = stage
            .name_range
            .or_else(|| stage.image.as_ref().map(|image| image.range))
            .or_else(|| from.map(|from| from.keyword_range))
            .unwrap_or_else(|| TextRange::empty(range.start()));
        symbols.push(DocumentSymbol {
            name: stage_title(stage),
            detail: base_title(analysis, stage),
            kind: DocumentSymbolKind::Stage,
            range,
            selection,
            children,
        });
    }
    symbols
}

/// Returns how a stage is called: by its name, else by its number.
pub(crate) fn stage_title(stage: &Stage) -> String {
    match &stage.name {
        Some(name) => name.to_string(),
        None => format!("stage {}", stage.id.index()),
    }
}

/// Returns what a stage stands on, as a short text.
pub(crate) fn base_title(analysis: &Analysis, stage: &Stage) -> String {
    match &stage.base {
        Base::Stage(id) => analysis
            .model()
            .stage(*id)
            .map(stage_title)
            .unwrap_or_default(),
        Base::Scratch => "scratch".to_owned(),
        Base::Image(name) => name.to_string(),
        Base::Unknown | Base::Missing => stage
            .image
            .as_ref()
            .map(|image| image.text.to_string())
            .unwrap_or_default(),
    }
}

fn instruction_symbols(
    analysis: &Analysis,
    instruction: &Instruction,
    symbols: &mut Vec<DocumentSymbol>,
) {
    let model = analysis.model();
    if matches!(instruction.keyword, Keyword::Arg | Keyword::Env) {
        for (id, range) in declarations_of(analysis, instruction.id) {
            let Some(variable) = model.variable(id) else {
                continue;
            };
            symbols.push(DocumentSymbol {
                name: variable.name.to_string(),
                detail: variable
                    .value
                    .as_ref()
                    .map(|value| shortened(value))
                    .unwrap_or_default(),
                kind: match variable.origin {
                    Origin::GlobalArg | Origin::Arg => DocumentSymbolKind::Argument,
                    Origin::Env => DocumentSymbolKind::Variable,
                },
                range: instruction.range,
                selection: range,
                children: Vec::new(),
            });
        }
        return;
    }
    if instruction.keyword == Keyword::Unknown {
        return;
    }
    let keyword_end = instruction.keyword_range.end();
    let rest = TextRange::new(keyword_end, instruction.range.end().max(keyword_end));
    symbols.push(DocumentSymbol {
        name: keyword_name(instruction.keyword).to_owned(),
        detail: shortened(analysis.slice(rest)),
        kind: DocumentSymbolKind::Instruction,
        range: instruction.range,
        selection: instruction.keyword_range,
        children: Vec::new(),
    });
}

/// Returns the start of a text on one line.
pub(crate) fn shortened(text: &str) -> String {
    let mut short = String::new();
    let mut count = 0;
    for word in text.split_whitespace().filter(|word| *word != "\\") {
        if !short.is_empty() {
            short.push(' ');
        }
        for character in word.chars() {
            if count == MOST_CHARACTERS {
                short.push('…');
                return short;
            }
            count += 1;
            short.push(character);
        }
    }
    short
}

/// Returns where the name of a stage stands, or its FROM.
pub(crate) fn stage_selection(analysis: &Analysis, stage: &Stage) -> TextRange {
    stage
        .name_range
        .or_else(|| Some(analysis.model().instruction(stage.from)?.keyword_range))
        .unwrap_or_else(|| TextRange::empty(TextSize::new(0)))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::analysis::analysis;

    fn outline(symbols: &[DocumentSymbol], depth: usize, out: &mut String) {
        for symbol in symbols {
            let indent = "  ".repeat(depth);
            writeln!(out, "{indent}{} | {}", symbol.name, symbol.detail)
                .expect("a string takes any text");
            outline(&symbol.children, depth + 1, out);
        }
    }

    #[test]
    fn stages_hold_their_instructions() {
        let analysis =
            analysis("ARG V=1\nFROM a:$V AS build\nRUN make \\\n  all\nFROM build\nENV A=b C=d\n");
        let mut out = String::new();
        outline(&document_symbols(&analysis), 0, &mut out);
        assert_eq!(
            out,
            "V | 1\nbuild | a:1\n  RUN | make all\nstage 1 | build\n  A | b\n  C | d\n"
        );
    }
}
