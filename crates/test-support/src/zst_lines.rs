//! Compressed lists of answers.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use ruzstd::decoding::StreamingDecoder;

/// Returns the lines of a `.jsonl.zst` file, one after another.
///
/// Panics when the file cannot be read: a broken answer file must not look like a short one.
pub fn read_zst_lines(path: &Path) -> impl Iterator<Item = String> {
    let fail = |error: &dyn std::fmt::Display| -> ! {
        panic!("cannot read {}: {error}", path.display());
    };
    let file = File::open(path).unwrap_or_else(|error| fail(&error));
    let decoder = StreamingDecoder::new(BufReader::new(file)).unwrap_or_else(|error| fail(&error));
    let path = path.to_path_buf();
    BufReader::new(decoder).lines().map(move |line| {
        line.unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{conformance, skipped};

    #[test]
    fn reads_one_answer_a_line() {
        let Some(folder) = conformance() else {
            return skipped("reading compressed answers", "conformance");
        };
        let lines: Vec<String> =
            read_zst_lines(&folder.join("parser").join("open_core_answers.jsonl.zst")).collect();
        assert_eq!(lines.len(), 2500);
        assert!(
            lines
                .iter()
                .all(|line| line.starts_with('{') && line.ends_with('}'))
        );
    }
}
