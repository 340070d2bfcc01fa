//! How often each rule fired.

use std::collections::BTreeMap;
use std::io::{self, Write};

use dockerfile_source::{Applicability, Diagnostic};

/// Findings counted a rule.
#[derive(Clone, Debug, Default)]
pub struct Statistics {
    rules: BTreeMap<(&'static str, &'static str), Count>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    findings: usize,
    safe_fixes: usize,
    unsafe_fixes: usize,
}

impl Statistics {
    pub fn add_file(&mut self, diagnostics: &[Diagnostic]) {
        for diagnostic in diagnostics {
            let count = self
                .rules
                .entry((diagnostic.code, diagnostic.rule))
                .or_default();
            count.findings += 1;
            match diagnostic.fix.as_ref().map(|fix| fix.applicability) {
                Some(Applicability::Safe) => count.safe_fixes += 1,
                Some(Applicability::Unsafe) => count.unsafe_fixes += 1,
                Some(Applicability::DisplayOnly) | None => {}
            }
        }
    }

    /// Adds the counts of other files.
    pub fn add(&mut self, other: &Statistics) {
        for (rule, more) in &other.rules {
            let count = self.rules.entry(*rule).or_default();
            count.findings += more.findings;
            count.safe_fixes += more.safe_fixes;
            count.unsafe_fixes += more.unsafe_fixes;
        }
    }

    /// Returns the rules with their counts, the loudest first, equals by code.
    fn sorted(&self) -> Vec<(&'static str, &'static str, Count)> {
        let mut rows: Vec<_> = self
            .rules
            .iter()
            .map(|((code, rule), count)| (*code, *rule, *count))
            .collect();
        rows.sort_by_key(|(_, _, count)| std::cmp::Reverse(count.findings));
        rows
    }

    pub(crate) fn write_table(&self, out: &mut impl Write) -> io::Result<()> {
        let rows = self.sorted();
        let width = |length: fn(&(&str, &str, Count)) -> usize| rows.iter().map(length).max();
        let findings_width = width(|row| row.2.findings.to_string().len()).unwrap_or(0);
        let code_width = width(|row| row.0.len()).unwrap_or(0);
        for (code, rule, count) in &rows {
            write!(
                out,
                "{:>findings_width$}  {code:<code_width$}  {rule}",
                count.findings
            )?;
            match (count.safe_fixes, count.unsafe_fixes) {
                (0, 0) => writeln!(out)?,
                (safe, 0) => writeln!(out, " ({safe} fixable)")?,
                (0, risky) => writeln!(out, " ({risky} fixable, unsafe)")?,
                (safe, risky) => writeln!(out, " ({safe} fixable, {risky} unsafe)")?,
            }
        }
        Ok(())
    }

    pub(crate) fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        let rows = self.sorted();
        let mut separator = "[\n";
        for (code, rule, count) in &rows {
            let Count {
                findings,
                safe_fixes,
                unsafe_fixes,
            } = count;
            write!(
                out,
                "{separator}{{\"rule\":\"{rule}\",\"code\":\"{code}\",\"findings\":{findings},\
                 \"safe_fixes\":{safe_fixes},\"unsafe_fixes\":{unsafe_fixes}}}"
            )?;
            separator = ",\n";
        }
        out.write_all(if rows.is_empty() { b"[]\n" } else { b"\n]\n" })
    }
}
