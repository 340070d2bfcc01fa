//! Findings.

use dockerfile_source::Diagnostic;

use crate::Analysis;

/// Returns the findings in the file, in order of position.
pub fn diagnostics(analysis: &Analysis) -> Vec<Diagnostic> {
    dockerfile_lint::check_model(
        analysis.source(),
        analysis.parse(),
        analysis.model(),
        &analysis.outside().lint,
    )
}
