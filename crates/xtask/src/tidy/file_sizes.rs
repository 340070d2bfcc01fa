//! How long a file may be.

use super::Report;
use super::rust_source::{is_test_file, product_lines};
use crate::workspace::RepositoryFile;

const LONG: usize = 500;
const TOO_LONG: usize = 800;

pub(super) fn check(file: &RepositoryFile, report: &mut Report) {
    if is_test_file(&file.path) {
        return;
    }
    let lines = product_lines(file).count();
    if lines > TOO_LONG {
        let message = format!("{lines} lines without tests, at most {TOO_LONG}: split it");
        report.fault(&file.path, message);
    } else if lines > LONG {
        report.note(
            &file.path,
            format!("{lines} lines without tests: time to split it"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(path: &str, lines: usize) -> Report {
        let file = RepositoryFile {
            path: path.to_owned(),
            text: "x\n".repeat(lines),
        };
        let mut report = Report::default();
        check(&file, &mut report);
        report
    }

    #[test]
    fn long_files_are_told_and_too_long_ones_refused() {
        assert_eq!(report("crates/a/src/b.rs", 500).notes.len(), 0);
        assert_eq!(report("crates/a/src/b.rs", 501).notes.len(), 1);
        assert_eq!(report("crates/a/src/b.rs", 801).faults.len(), 1);
        assert_eq!(report("crates/a/tests/b.rs", 801).faults.len(), 0);
    }
}
