//! All places where a variable of the Dockerfile is used: in words that the builder expands, and in shell commands.

use dockerfile_model::expansion::{Escapes, Expander, NoVariables, Quotes};
use dockerfile_model::{
    Body, HeredocBody, Instruction, InstructionId, Resolution, SmolStr, StageId, Word,
};
use dockerfile_source::{TextRange, TextSize};
use dockerfile_syntax::{Element, SyntaxKind};

use crate::Analysis;

/// One use of a variable.
#[derive(Clone, Debug)]
pub(crate) struct Use {
    pub(crate) name: SmolStr,
    /// Where the name itself stands.
    pub(crate) range: TextRange,
    pub(crate) resolution: Resolution,
    /// Whether a shell reads it, and not the builder.
    pub(crate) is_in_shell: bool,
    /// Where all of `$NAME` or `${NAME...}` stands.
    pub(crate) whole: TextRange,
}

/// Returns the words of an instruction that the builder expands.
pub(crate) fn expanded_words(instruction: &Instruction) -> Vec<&Word> {
    let mut words: Vec<&Word> = instruction
        .flags
        .iter()
        .filter_map(|flag| flag.value.as_ref())
        .collect();
    match &instruction.body {
        Body::From(from) => words.extend(from.image.iter().chain(&from.alias)),
        Body::Copy(copy) => words.extend(copy.sources.iter().chain(&copy.destination)),
        Body::Pairs(pairs) => {
            for pair in pairs {
                words.push(&pair.key);
                words.extend(&pair.value);
            }
        }
        Body::Words(list) => words.extend(list),
        Body::Value(value) => words.extend(value),
        _ => {}
    }
    words
}

/// Returns the uses in a file, in the order of the file.
pub(crate) fn all_uses(analysis: &Analysis) -> Vec<Use> {
    let mut uses = Vec::new();
    for instruction in analysis.model().instructions_with_triggers() {
        uses_of(analysis, instruction, &mut uses);
    }
    uses.sort_by_key(|each| each.range.start());
    uses.dedup_by_key(|each| each.range);
    uses
}

/// Returns the uses in one instruction.
pub(crate) fn uses_of(analysis: &Analysis, instruction: &Instruction, uses: &mut Vec<Use>) {
    for word in expanded_words(instruction) {
        for each in &word.uses {
            if let Some(range) = name_range(analysis, each.range, &each.name) {
                uses.push(Use {
                    name: each.name.clone(),
                    range,
                    resolution: each.resolution,
                    is_in_shell: false,
                    whole: each.range,
                });
            }
        }
    }
    // FROM reads what stands before the first one; all else reads its stage.
    let (at, stage) = (instruction.id, instruction.stage);
    for heredoc in &instruction.heredocs {
        if let HeredocBody::Text { range, .. } = &heredoc.body
            && heredoc.expands
        {
            uses_in_document(analysis, *range, at, stage, uses);
        }
    }
    let scripts: Vec<TextRange> = instruction.scripts().map(|script| script.range).collect();
    if scripts.is_empty() || instruction.is_trigger {
        return;
    }
    uses_in_shell(analysis, instruction, &scripts, uses);
}

fn uses_in_document(
    analysis: &Analysis,
    range: TextRange,
    at: InstructionId,
    stage: Option<StageId>,
    uses: &mut Vec<Use>,
) {
    let text = analysis.slice(range);
    if !text.contains('$') {
        return;
    }
    let expander = Expander {
        quotes: Quotes::Ordinary,
        escapes: Escapes::default(),
        ..Expander::new(analysis.model().escape, &NoVariables)
    };
    let Ok(expansion) = expander.expand_word(text) else {
        return;
    };
    for each in expansion.variables {
        let whole = each.range + range.start();
        if let Some(name_range) = name_range(analysis, whole, &each.name) {
            uses.push(Use {
                resolution: analysis.model().resolve(&each.name, at, stage),
                name: SmolStr::new(&each.name),
                range: name_range,
                is_in_shell: false,
                whole,
            });
        }
    }
}

fn uses_in_shell(
    analysis: &Analysis,
    instruction: &Instruction,
    scripts: &[TextRange],
    uses: &mut Vec<Use>,
) {
    let mut found: Vec<(TextRange, SmolStr)> = Vec::new();
    let mut own: Vec<SmolStr> = Vec::new();
    analysis.elements_in(instruction.range, |element, parent| {
        let Element::Token(token) = element else {
            return;
        };
        let is_in_script = scripts
            .iter()
            .any(|script| script.contains_range(token.range()));
        if token.kind() != SyntaxKind::NAME || !is_in_script {
            return;
        }
        let name = SmolStr::new(token.text());
        if parent == SyntaxKind::EXPANSION {
            found.push((token.range(), name));
        } else {
            own.push(name);
        }
    });
    // `read NAME` and `export NAME` set it too; whoever names a variable as a bare word means the shell's.
    for command in instruction.scripts().flat_map(|script| &script.commands) {
        if command.is(&["read", "local", "declare", "unset", "getopts", "mapfile"]) {
            own.extend(command.operands().map(|word| word.text.clone()));
        }
        own.extend(
            command
                .assignments
                .iter()
                .filter(|_| command.words.is_empty())
                .map(|each| each.name.clone()),
        );
    }
    own.sort_unstable();
    for (range, name) in found {
        if own.binary_search(&name).is_ok() {
            continue;
        }
        uses.push(Use {
            resolution: analysis
                .model()
                .resolve(&name, instruction.id, instruction.stage),
            name,
            range,
            is_in_shell: true,
            whole: range,
        });
    }
}

/// Returns where the name stands in `$NAME` or `${NAME...}`; none where a continuation cuts it.
fn name_range(analysis: &Analysis, whole: TextRange, name: &str) -> Option<TextRange> {
    let text = analysis.slice(whole);
    let rest = text.strip_prefix("${").or_else(|| text.strip_prefix('$'))?;
    if name.is_empty() || !rest.starts_with(name) {
        return None;
    }
    let start = whole.start() + TextSize::new((text.len() - rest.len()) as u32);
    Some(TextRange::at(start, TextSize::of(name)))
}
