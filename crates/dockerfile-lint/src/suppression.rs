//! Comments that silence findings.

use dockerfile_model::Model;
use dockerfile_source::{Diagnostic, SourceFile};

use crate::Options;

pub(crate) struct Suppressions;

impl Suppressions {
    pub(crate) fn new(_source: &SourceFile, _model: &Model) -> Suppressions {
        Suppressions
    }

    pub(crate) fn apply(&self, findings: Vec<Diagnostic>, _options: &Options) -> Vec<Diagnostic> {
        findings
    }
}
