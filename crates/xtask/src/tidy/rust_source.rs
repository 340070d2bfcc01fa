//! Which lines of a Rust file are code of the product.

use crate::workspace::RepositoryFile;

/// Returns whether a file holds tests, benches or their data only.
pub(super) fn is_test_file(path: &str) -> bool {
    let in_test_folder = ["tests", "test_data", "benches", "fuzz"]
        .iter()
        .any(|folder| {
            path.starts_with(&format!("{folder}/")) || path.contains(&format!("/{folder}/"))
        });
    in_test_folder || path.ends_with("/tests.rs")
}

/// Returns the name of the crate folder that a file is in.
pub(super) fn crate_folder(path: &str) -> Option<&str> {
    path.strip_prefix("crates/")?.split('/').next()
}

/// Returns the lines in front of the test module, with their 1-based numbers.
pub(super) fn product_lines(file: &RepositoryFile) -> impl Iterator<Item = (usize, &str)> {
    let lines: Vec<&str> = file.text.lines().collect();
    let tests = lines.windows(2).position(|pair| {
        matches!(pair, [attribute, module]
            if attribute.trim() == "#[cfg(test)]" && module.starts_with("mod "))
    });
    let end = tests.unwrap_or(lines.len());
    lines
        .into_iter()
        .take(end)
        .enumerate()
        .map(|(idx, line)| (idx + 1, line))
}

/// Returns the line without a comment that takes all of it.
pub(super) fn code_of(line: &str) -> &str {
    if line.trim_start().starts_with("//") {
        return "";
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_module_is_no_product() {
        let file = RepositoryFile {
            path: "crates/a/src/lib.rs".to_owned(),
            text: "fn a() {}\n\n#[cfg(test)]\nmod tests {\n}\n".to_owned(),
        };
        assert_eq!(product_lines(&file).count(), 2);
    }

    #[test]
    fn knows_test_folders() {
        assert!(is_test_file("crates/a/tests/cli/main.rs"));
        assert!(is_test_file("tests/src/corpus.rs"));
        assert!(!is_test_file("crates/test-support/src/lib.rs"));
    }
}
