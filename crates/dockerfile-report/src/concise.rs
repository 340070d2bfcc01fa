//! Findings for `grep`, editors and logs: one line each.

use std::io::{self, Write};

use dockerfile_source::{Diagnostic, SourceFile};

use crate::position::Positions;
use crate::visible::visible;

/// Writes `path:line:column: severity[CODE] message (rule-name)`.
pub(crate) fn write_finding(
    source: &SourceFile,
    positions: &mut Positions<'_>,
    diagnostic: &Diagnostic,
    out: &mut impl Write,
) -> io::Result<()> {
    let at = positions.start(diagnostic.range.start());
    writeln!(
        out,
        "{}:{}:{}: {}[{}] {} ({})",
        visible(source.name()),
        at.line,
        at.column,
        diagnostic.severity.as_str(),
        diagnostic.code,
        visible(&diagnostic.message),
        diagnostic.rule,
    )
}
