//! Comments that silence findings: ours, hadolint's and BuildKit's.
//!
//! | comment | silences |
//! |---|---|
//! | `# dflint ignore=RULE,RULE -- reason` | the next instruction; inside of an instruction, the next line |
//! | `# dflint stage ignore=RULE` | the stage that starts next, or the one it stands in |
//! | `# dflint file ignore=RULE` | the file |
//! | `# hadolint ignore=`, `stage ignore=`, `global ignore=` | the same, with hadolint's codes |
//! | `# check=skip=RULE,RULE` at the top | the file (BuildKit `linter/linter.go`) |
//! | `# check=skip=RULE` above an instruction | that instruction |

mod comment;
mod reach;

use dockerfile_model::{Instruction, Model};
use dockerfile_source::{Applicability, Diagnostic, Fix, SourceFile, TextEdit, TextRange};
use dockerfile_syntax::{Element, Parse, SyntaxKind, Token};
use rustc_hash::FxHashMap;

use self::comment::{Scope, Tool, parse_comment};
use self::reach::{Reach, Starts};
use crate::rules::syntax::unused_suppression::UNUSED_SUPPRESSION;
use crate::{Options, Rule, find_rules};

/// What one comment silences.
struct Suppression {
    /// Where the findings stand that it silences.
    range: TextRange,
    tool: Tool,
    /// The whole comment, for removing it.
    comment: TextRange,
    names: Vec<Name>,
}

struct Name {
    text: String,
    range: TextRange,
    rules: Vec<&'static Rule>,
    is_all: bool,
    is_used: bool,
}

/// The suppressions of a file.
pub(crate) struct Suppressions {
    suppressions: Vec<Suppression>,
}

impl Suppressions {
    pub(crate) fn new(source: &SourceFile, parse: &Parse, model: &Model) -> Suppressions {
        let mut suppressions = Vec::new();
        let text = source.text();
        // Most files have none, and asking is cheap.
        if model.check.is_some() || text.contains("ignore") || text.contains("check=") {
            if let Some((value, range)) = &model.check {
                let whole = TextRange::up_to(dockerfile_source::TextLen::text_len(text));
                suppressions.extend(from_directive(value, *range, whole));
            }
            let mut next_line = NextLine::default();
            let mut visit = |token: Token<'_>| {
                if matches!(token.kind(), SyntaxKind::COMMENT | SyntaxKind::COMMENT_LINE)
                    && let Some(parsed) = parse_comment(token.text(), token.range().start())
                {
                    let range = token.range();
                    suppressions.extend(from_comment(source, model, parsed, range, &mut next_line));
                }
            };
            for element in parse.root().children_with_tokens() {
                match element {
                    Element::Token(token) => visit(token),
                    // Looking for a byte is cheaper than going through all the tokens.
                    Element::Node(node) if node.text().as_bytes().contains(&b'#') => {
                        node.for_each_token(&mut visit);
                    }
                    Element::Node(_) => {}
                }
            }
        }
        Suppressions { suppressions }
    }

    /// Takes out the findings that are silenced and adds one for each name that silences nothing.
    pub(crate) fn apply(mut self, findings: Vec<Diagnostic>, options: &Options) -> Vec<Diagnostic> {
        if self.suppressions.is_empty() {
            return findings;
        }
        let reach = Reaches::new(&self.suppressions);
        if options.selection.contains(&UNUSED_SUPPRESSION) {
            self.mark_used(&findings);
        }
        let mut left = findings;
        left.retain(|finding| !reach.silences(finding));
        if options.selection.contains(&UNUSED_SUPPRESSION) {
            for suppression in &self.suppressions {
                left.extend(unused(suppression, options));
            }
        }
        left
    }

    /// Notes which names silence a finding.
    fn mark_used(&mut self, findings: &[Diagnostic]) {
        let mut of_rule: FxHashMap<&str, Starts> = FxHashMap::default();
        let (mut all, mut of_buildkit) = (Starts::default(), Starts::default());
        for finding in findings {
            let start = finding.range.start();
            of_rule.entry(finding.code).or_default().add(start);
            all.add(start);
            if has_buildkit_name(finding) {
                of_buildkit.add(start);
            }
        }
        of_rule.values_mut().for_each(Starts::sort);
        all.sort();
        of_buildkit.sort();
        for suppression in &mut self.suppressions {
            for name in &mut suppression.names {
                name.is_used = if !name.is_all {
                    name.rules.iter().any(|rule| {
                        of_rule
                            .get(rule.code)
                            .is_some_and(|starts| starts.any_in(suppression.range))
                    })
                } else if suppression.tool == Tool::BuildKit {
                    of_buildkit.any_in(suppression.range)
                } else {
                    all.any_in(suppression.range)
                };
            }
        }
    }
}

/// Where findings are silenced.
#[derive(Default)]
struct Reaches {
    of_rule: FxHashMap<&'static str, Reach>,
    /// For every rule.
    all: Reach,
    /// For every rule that BuildKit has, too.
    of_buildkit: Reach,
}

impl Reaches {
    fn new(suppressions: &[Suppression]) -> Reaches {
        let mut reaches = Reaches::default();
        for suppression in suppressions {
            for name in &suppression.names {
                if name.is_all && suppression.tool == Tool::BuildKit {
                    reaches.of_buildkit.add(suppression.range);
                } else if name.is_all {
                    reaches.all.add(suppression.range);
                } else {
                    for rule in &name.rules {
                        let of_rule = reaches.of_rule.entry(rule.code).or_default();
                        of_rule.add(suppression.range);
                    }
                }
            }
        }
        reaches.of_rule.values_mut().for_each(Reach::sort);
        reaches.all.sort();
        reaches.of_buildkit.sort();
        reaches
    }

    fn silences(&self, finding: &Diagnostic) -> bool {
        let start = finding.range.start();
        self.all.contains(start)
            || self
                .of_rule
                .get(finding.code)
                .is_some_and(|reach| reach.contains(start))
            || (self.of_buildkit.contains(start) && has_buildkit_name(finding))
    }
}

fn has_buildkit_name(finding: &Diagnostic) -> bool {
    finding.aliases.iter().any(|alias| is_buildkit_name(alias))
}

/// BuildKit's checks have names in camel case, hadolint's are codes with digits.
fn is_buildkit_name(alias: &str) -> bool {
    !alias.contains(|character: char| character.is_ascii_digit())
}

fn names(texts: Vec<(&str, TextRange)>) -> Vec<Name> {
    texts
        .into_iter()
        .map(|(text, range)| Name {
            text: text.to_owned(),
            range,
            rules: find_rules(text),
            is_all: text.eq_ignore_ascii_case("all"),
            is_used: false,
        })
        .collect()
}

fn from_directive(value: &str, value_range: TextRange, whole: TextRange) -> Option<Suppression> {
    let skipped = comment::skipped_checks(value, value_range.start());
    (!skipped.is_empty()).then(|| Suppression {
        range: whole,
        tool: Tool::BuildKit,
        comment: value_range,
        names: names(skipped),
    })
}

fn from_comment(
    source: &SourceFile,
    model: &Model,
    parsed: comment::Comment<'_>,
    range: TextRange,
    next_line: &mut NextLine,
) -> Option<Suppression> {
    let whole = TextRange::up_to(dockerfile_source::TextLen::text_len(source.text()));
    let target = match parsed.scope {
        Scope::File => whole,
        Scope::Stage => stage_range(model, range).unwrap_or(whole),
        Scope::Next => next_range(source, model, range, next_line)?,
    };
    Some(Suppression {
        range: target,
        tool: parsed.tool,
        comment: range,
        names: names(parsed.names),
    })
}

/// Returns the range of the stage that starts with the next instruction, or else of the stage around the comment.
fn stage_range(model: &Model, comment: TextRange) -> Option<TextRange> {
    let next = next_instruction(model, comment);
    let starts_stage = next.is_some_and(|next| next.from().is_some());
    let instruction = if starts_stage {
        next
    } else {
        last_instruction(model, comment)
    };
    let stage = model.stage_instructions(instruction?.stage?);
    let (first, last) = (stage.first()?, stage.last()?);
    Some(first.range.cover(last.range))
}

fn next_instruction(model: &Model, comment: TextRange) -> Option<&Instruction> {
    let next = model
        .instructions
        .partition_point(|instruction| instruction.range.start() < comment.end());
    model.instructions.get(next)
}

/// Returns the last instruction that starts before a comment.
fn last_instruction(model: &Model, comment: TextRange) -> Option<&Instruction> {
    let behind = model
        .instructions
        .partition_point(|instruction| instruction.range.start() <= comment.start());
    model.instructions.get(behind.checked_sub(1)?)
}

/// The line that the last comment inside of an instruction silences: the one for all comments in front of it.
#[derive(Default)]
struct NextLine {
    first: u32,
    last: u32,
    range: Option<TextRange>,
}

/// Returns the instruction below a comment, or the line below a comment inside of an instruction.
fn next_range(
    source: &SourceFile,
    model: &Model,
    comment: TextRange,
    next: &mut NextLine,
) -> Option<TextRange> {
    let is_inside = last_instruction(model, comment)
        .is_some_and(|instruction| instruction.range.contains_range(comment));
    if !is_inside {
        return next_instruction(model, comment).map(|instruction| instruction.range);
    }
    let index = source.line_index();
    let mut line = index.line(comment.end());
    // The token of a comment line holds its line end, that of a shell comment does not.
    if index.line(comment.start()) == line {
        line += 1;
    }
    if next.range.is_some() && (next.first..=next.last).contains(&line) {
        return next.range;
    }
    next.first = line;
    loop {
        let range = index.line_range(line)?;
        let text = source.slice(range).trim_start();
        if !text.starts_with('#') && !text.is_empty() {
            next.last = line;
            next.range = Some(range);
            return next.range;
        }
        line += 1;
    }
}

fn unused(suppression: &Suppression, options: &Options) -> Vec<Diagnostic> {
    let all_unused = suppression.names.iter().all(|name| !name.is_used);
    let mut findings = Vec::new();
    for name in suppression.names.iter().filter(|name| !name.is_used) {
        let is_ours = suppression.tool == Tool::Dflint;
        let is_on = name
            .rules
            .iter()
            .any(|rule| options.selection.contains(rule));
        let message = if name.rules.is_empty() && !name.is_all {
            // Another tool may know it.
            if !is_ours {
                continue;
            }
            format!("no rule is called `{}`", name.text)
        } else if is_on || name.is_all {
            format!("`{}` silences nothing here", name.text)
        } else {
            continue;
        };
        let fix = (all_unused && is_ours && suppression.names.len() == 1).then(|| Fix {
            title: "remove the comment".to_owned(),
            applicability: Applicability::Unsafe,
            edit: TextEdit::delete(suppression.comment),
        });
        findings.push(Diagnostic {
            rule: UNUSED_SUPPRESSION.name,
            code: UNUSED_SUPPRESSION.code,
            aliases: UNUSED_SUPPRESSION.aliases,
            severity: UNUSED_SUPPRESSION.severity,
            message,
            range: name.range,
            labels: Vec::new(),
            help: Some("remove the name, or the comment where it is the only one".to_owned()),
            fix,
        });
    }
    findings
}

#[cfg(test)]
mod tests {
    use dockerfile_source::SourceFile;

    use crate::{Options, Selection, check};

    fn codes(text: &str) -> Vec<&'static str> {
        let mut selection = Selection::none();
        for name in ["DF102", "DF302", "DF009"] {
            selection.set(name, true).expect("the rule exists");
        }
        let options = Options {
            selection,
            ..Options::default()
        };
        check(&SourceFile::new("Dockerfile", text), &options)
            .into_iter()
            .map(|finding| finding.code)
            .collect()
    }

    #[test]
    fn silences_the_next_instruction_only() {
        assert_eq!(
            codes("# dflint ignore=untagged-base-image -- wanted\nFROM a\nFROM b\n"),
            ["DF102"]
        );
        assert_eq!(
            codes("# hadolint ignore=DL3006 # wanted\nFROM a\n"),
            [""; 0]
        );
        assert_eq!(
            codes("FROM a:1\n# check=skip=ExposeProtoCasing\nEXPOSE 1/TCP\nEXPOSE 2/TCP\n"),
            ["DF302"]
        );
    }

    #[test]
    fn silences_a_line_inside_of_an_instruction() {
        assert_eq!(
            codes("FROM a:1\nEXPOSE \\\n  # dflint ignore=DF302\n  1/TCP \\\n  2/TCP\n"),
            ["DF302"]
        );
    }

    #[test]
    fn silences_a_stage_or_the_file() {
        assert_eq!(
            codes("# hadolint stage ignore=DL3006\nFROM a\nRUN x\nFROM b\n"),
            ["DF102"]
        );
        assert_eq!(
            codes("# hadolint global ignore=DL3006\nFROM a\nFROM b\n"),
            [""; 0]
        );
        assert_eq!(
            codes("# dflint file ignore=all\nFROM a\nEXPOSE 1/TCP\n"),
            [""; 0]
        );
        assert_eq!(
            codes("# check=skip=ExposeProtoCasing;error=true\nFROM a:1\nEXPOSE 1/TCP\n"),
            [""; 0]
        );
        assert_eq!(codes("# check=skip=all\nFROM a\nEXPOSE 1/TCP\n"), ["DF102"]);
    }

    #[test]
    fn a_suppression_without_effect_is_a_finding() {
        assert_eq!(codes("# dflint ignore=DF102\nFROM a:1\n"), ["DF009"]);
        assert_eq!(codes("# dflint ignore=nonsense\nFROM a:1\n"), ["DF009"]);
        assert_eq!(
            codes("# hadolint ignore=SC2086,DL3001\nFROM a:1\n"),
            [""; 0]
        );
    }
}
