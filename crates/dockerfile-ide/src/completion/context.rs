//! What is being written: half a line is enough.

use dockerfile_model::{HeredocBody, Instruction, InstructionId, Keyword, StageId};
use dockerfile_source::{TextRange, TextSize};

use crate::Analysis;

/// The place of the cursor in the instruction that is being written.
pub(crate) struct Context<'a> {
    pub(crate) analysis: &'a Analysis,
    pub(crate) offset: TextSize,
    /// The instruction that the cursor stands in or behind, on the same logical line.
    pub(crate) instruction: Option<&'a Instruction>,
    pub(crate) keyword: Option<Keyword>,
    /// What the cursor sees: the id of the instruction, or of the one that would come next.
    pub(crate) at: InstructionId,
    pub(crate) stage: Option<StageId>,
    /// Whether the keyword itself is being written, or a line begins.
    pub(crate) is_in_keyword: bool,
    /// Whether it stands behind ONBUILD.
    pub(crate) is_trigger: bool,
    pub(crate) is_in_heredoc: bool,
    /// The text between the keyword and the cursor.
    pub(crate) before: &'a str,
    start: TextSize,
}

impl<'a> Context<'a> {
    /// Returns none in a comment.
    pub(crate) fn new(analysis: &'a Analysis, offset: TextSize) -> Option<Context<'a>> {
        let line = analysis.line_at(offset);
        let on_line = analysis.slice(TextRange::new(
            line.start(),
            offset.clamp(line.start(), line.end()),
        ));
        if on_line.trim_start().starts_with('#') {
            return None;
        }
        let outer = analysis.instruction_before(offset);
        let last = outer.filter(|outer| is_open(analysis, outer, offset));
        let at = outer.map_or(InstructionId(0), |outer| {
            InstructionId(outer.id.0 + u32::from(last.is_none()))
        });
        let stage = outer.and_then(|outer| outer.stage);
        let mut context = Context {
            analysis,
            offset,
            instruction: last,
            keyword: last.map(|last| last.keyword),
            at,
            stage,
            is_in_keyword: true,
            is_trigger: false,
            is_in_heredoc: false,
            before: "",
            start: line.start()
                + TextSize::new((on_line.len() - on_line.trim_start().len()) as u32),
        };
        let Some(mut instruction) = last else {
            return Some(context);
        };
        if offset <= instruction.keyword_range.end() {
            context.start = instruction.keyword_range.start();
            return Some(context);
        }
        if instruction.keyword == Keyword::Onbuild {
            context.is_trigger = true;
            match instruction.trigger() {
                Some(trigger) if offset > trigger.keyword_range.end() => {
                    instruction = trigger;
                    context.instruction = Some(trigger);
                    context.keyword = Some(trigger.keyword);
                }
                trigger => {
                    context.start =
                        trigger.map_or(offset, |trigger| trigger.keyword_range.start().min(offset));
                    return Some(context);
                }
            }
        }
        context.is_in_keyword = false;
        context.start = instruction.keyword_range.end();
        context.before = analysis.slice(TextRange::new(context.start, offset));
        context.is_in_heredoc = instruction.heredocs.iter().any(|heredoc| {
            let range = match &heredoc.body {
                HeredocBody::Script(script) => script.range,
                HeredocBody::Text { range, .. } => *range,
            };
            range.contains(offset) && offset > heredoc.opener_range.end()
        });
        Some(context)
    }

    /// Returns where the word begins that the cursor stands in or behind.
    fn word_start(&self) -> TextSize {
        if self.is_in_keyword {
            return self.start.min(self.offset);
        }
        let word = self
            .before
            .rfind(|c: char| c.is_whitespace())
            .and_then(|idx| self.before.get(idx..))
            .map_or(self.before, |rest| rest.trim_start());
        self.offset - TextSize::of(word)
    }

    /// Returns the word in front of the cursor.
    pub(crate) fn word(&self) -> &'a str {
        self.analysis.slice(self.word_range())
    }

    /// Returns where the word in front of the cursor stands.
    pub(crate) fn word_range(&self) -> TextRange {
        TextRange::new(self.word_start(), self.offset)
    }

    /// Returns the complete words in front of the one at the cursor, continuations left out, flags too.
    pub(crate) fn words(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let len = self.before.len() - usize::from(self.word_range().len()).min(self.before.len());
        let done = self.before.get(..len).unwrap_or("");
        let escape = self.analysis.model().escape;
        done.split_whitespace()
            .filter(move |word| !(word.starts_with(escape) && word.chars().count() == 1))
    }

    /// Returns the complete words behind the flags.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.words().skip_while(|word| word.starts_with("--"))
    }

    /// Returns the value of a flag that is written already.
    pub(crate) fn flag(&self, name: &str) -> Option<&'a str> {
        self.words()
            .take_while(|word| word.starts_with("--"))
            .find_map(|word| {
                let (flag, value) = word.strip_prefix("--")?.split_once('=')?;
                (flag == name).then_some(value)
            })
    }

    /// Returns a range at the end of the word at the cursor, such as the value behind `=`.
    pub(crate) fn last_bytes(&self, count: usize) -> TextRange {
        let start = self
            .offset
            .checked_sub(TextSize::new(count as u32))
            .unwrap_or(self.offset);
        TextRange::new(start, self.offset)
    }
}

/// Returns whether an offset still belongs to an instruction: in it, or behind it on the same logical line.
fn is_open(analysis: &Analysis, instruction: &Instruction, offset: TextSize) -> bool {
    let end = instruction.range.end();
    if offset <= end {
        // Behind the line that ends a here-document a new instruction begins.
        return instruction.heredocs.is_empty() || offset < end || !at_line_start(analysis, offset);
    }
    let between = analysis.slice(TextRange::new(end, offset));
    if !between.contains('\n') {
        return true;
    }
    let escape = analysis.model().escape;
    let whole = analysis.slice(TextRange::new(instruction.range.start(), offset));
    between.matches('\n').count() <= MOST_OPEN_LINES
        && between
            .rsplit('\n')
            .skip(1)
            .all(|line| line.trim_end().ends_with(escape) || line.trim_start().starts_with('#'))
        && whole.trim_end().ends_with(escape)
}

/// What stands between an instruction and the cursor is looked at, so it must be short.
const MOST_OPEN_LINES: usize = 100;

fn at_line_start(analysis: &Analysis, offset: TextSize) -> bool {
    analysis.line_at(offset).start() == offset
}
