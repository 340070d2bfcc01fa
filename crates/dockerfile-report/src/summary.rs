//! What a run found, in one line.

use std::fmt;

use dockerfile_source::{Applicability, Diagnostic, Severity};

/// Counts over the files of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub files: usize,
    pub files_with_findings: usize,
    pub errors: usize,
    pub warnings: usize,
    pub infos: usize,
    pub safe_fixes: usize,
    pub unsafe_fixes: usize,
}

impl Summary {
    /// Counts one checked file.
    pub fn add_file(&mut self, diagnostics: &[Diagnostic]) {
        self.files += 1;
        self.files_with_findings += usize::from(!diagnostics.is_empty());
        for diagnostic in diagnostics {
            match diagnostic.severity {
                Severity::Error => self.errors += 1,
                Severity::Warning => self.warnings += 1,
                Severity::Info => self.infos += 1,
            }
            match diagnostic.fix.as_ref().map(|fix| fix.applicability) {
                Some(Applicability::Safe) => self.safe_fixes += 1,
                Some(Applicability::Unsafe) => self.unsafe_fixes += 1,
                Some(Applicability::DisplayOnly) | None => {}
            }
        }
    }

    /// Adds the counts of other files.
    pub fn add(&mut self, other: &Summary) {
        self.files += other.files;
        self.files_with_findings += other.files_with_findings;
        self.errors += other.errors;
        self.warnings += other.warnings;
        self.infos += other.infos;
        self.safe_fixes += other.safe_fixes;
        self.unsafe_fixes += other.unsafe_fixes;
    }

    pub fn findings(&self) -> usize {
        self.errors + self.warnings + self.infos
    }

    /// Returns the severity of the most serious finding.
    pub fn worst(&self) -> Option<Severity> {
        match self {
            Summary { errors: 1.., .. } => Some(Severity::Error),
            Summary { warnings: 1.., .. } => Some(Severity::Warning),
            Summary { infos: 1.., .. } => Some(Severity::Info),
            _ => None,
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.findings() == 0 {
            return write!(f, "No findings in {}", counted(self.files, "file"));
        }
        write!(f, "Found {} (", counted(self.findings(), "finding"))?;
        let mut separator = "";
        for (count, name) in [
            (self.errors, "error"),
            (self.warnings, "warning"),
            (self.infos, "info"),
        ] {
            if count > 0 {
                write!(f, "{separator}{}", counted(count, name))?;
                separator = ", ";
            }
        }
        f.write_str(") in ")?;
        if self.files == self.files_with_findings {
            f.write_str(&counted(self.files, "file"))?;
        } else {
            let files = counted(self.files, "file");
            write!(f, "{} of {files}", self.files_with_findings)?;
        }
        match (self.safe_fixes, self.unsafe_fixes) {
            (0, 0) => Ok(()),
            (safe, 0) => write!(f, "; {safe} can be fixed with --fix"),
            (0, risky) => write!(f, "; {risky} can be fixed with --fix --unsafe-fixes"),
            (safe, risky) => write!(
                f,
                "; {safe} can be fixed with --fix, {risky} more with --unsafe-fixes"
            ),
        }
    }
}

fn counted(count: usize, name: &str) -> String {
    match (count, name) {
        (1, _) | (_, "info") => format!("{count} {name}"),
        _ => format!("{count} {name}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_was_found_where_and_what_can_be_fixed() {
        let mut summary = Summary {
            files: 27,
            files_with_findings: 4,
            errors: 3,
            warnings: 9,
            safe_fixes: 5,
            ..Summary::default()
        };
        assert_eq!(
            summary.to_string(),
            "Found 12 findings (3 errors, 9 warnings) in 4 of 27 files; 5 can be fixed with --fix"
        );
        summary.unsafe_fixes = 2;
        assert!(
            summary
                .to_string()
                .ends_with("; 5 can be fixed with --fix, 2 more with --unsafe-fixes")
        );
        assert_eq!(summary.worst(), Some(Severity::Error));
    }

    #[test]
    fn counts_one_thing_as_one_thing() {
        let summary = Summary {
            files: 1,
            files_with_findings: 1,
            infos: 1,
            ..Summary::default()
        };
        assert_eq!(summary.to_string(), "Found 1 finding (1 info) in 1 file");
        let clean = Summary {
            files: 1,
            ..Summary::default()
        };
        assert_eq!(clean.to_string(), "No findings in 1 file");
        assert_eq!(clean.worst(), None);
    }
}
