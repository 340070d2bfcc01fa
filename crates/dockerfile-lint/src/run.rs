//! A file through all the rules.

use dockerfile_model::{Model, ModelInput, SmolStr};
use dockerfile_source::{Diagnostic, SourceFile};
use dockerfile_syntax::{Parse, Parser};

use crate::context::{Facts, RuleContext};
use crate::precedence::without_doubles;
use crate::suppression::Suppressions;
use crate::{Rule, Selection};

/// What the caller wants checked, and what it knows beyond the file.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub selection: Selection,
    /// What is known of base images, and which build arguments are given.
    pub input: ModelInput,
    pub ignore_file: IgnoreFileFact,
}

/// What is known of the ignore file beside the Dockerfile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum IgnoreFileFact {
    /// Nobody has looked.
    #[default]
    Unknown,
    /// There is none.
    Absent,
    /// There is one, with this text.
    Present(String),
}

/// Checks files one after another, keeping what can be used again.
#[derive(Default)]
pub struct Lint {
    parser: Parser,
}

/// Returns the findings in a file, in order of position.
pub fn check(source: &SourceFile, options: &Options) -> Vec<Diagnostic> {
    Lint::default().check(source, options)
}

impl Lint {
    pub fn new() -> Lint {
        Lint::default()
    }

    /// Returns the images that a file names, sorted: facts about them make more findings possible.
    pub fn image_names(&mut self, source: &SourceFile) -> Vec<SmolStr> {
        let parse = self.parser.parse(source.text());
        Model::new(&parse, &ModelInput::default()).image_names()
    }

    /// Returns the findings in a file, in order of position.
    pub fn check(&mut self, source: &SourceFile, options: &Options) -> Vec<Diagnostic> {
        let parse = self.parser.parse(source.text());
        let model = Model::new(&parse, &options.input);
        check_model(source, &parse, &model, options)
    }
}

/// Returns the findings in a file that was parsed and lowered already.
pub fn check_model(
    source: &SourceFile,
    parse: &Parse,
    model: &Model,
    options: &Options,
) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let facts = Facts::default();
    for rule in options.selection.enabled() {
        findings = run_rule(rule, source, parse, model, options, &facts, findings);
    }
    let findings = without_doubles(findings);
    let mut findings = Suppressions::new(source, parse, model).apply(findings, options);
    findings.sort_by(|left, right| {
        let key = |finding: &Diagnostic| (finding.range.start(), finding.range.end(), finding.code);
        key(left)
            .cmp(&key(right))
            .then_with(|| left.message.cmp(&right.message))
    });
    findings.dedup();
    findings
}

fn run_rule<'c>(
    rule: &'static Rule,
    source: &'c SourceFile,
    parse: &'c Parse,
    model: &'c Model,
    options: &'c Options,
    facts: &'c Facts<'c>,
    findings: Vec<Diagnostic>,
) -> Vec<Diagnostic> {
    let mut ctx = RuleContext {
        source,
        parse,
        model,
        options,
        rule,
        findings,
        facts,
    };
    (rule.check)(&mut ctx);
    ctx.findings
}
