//! Wildcards in the sources of COPY (fsutil `copy/copy.go`: splitWildcards, resolveWildcards).

use dockerfile_model::go_match;
use oci_image::layer::LayerPath;

use super::select::not_found;
use super::source::{resolve, text};
use super::{CopyError, FileSource};

/// Returns whether a path is a pattern.
pub(super) fn has_wildcards(path: &str) -> bool {
    let mut letters = path.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => {
                letters.next();
            }
            '*' | '?' | '[' => return true,
            _ => {}
        }
    }
    false
}

/// Splits a path before the first part with a wildcard. `..` goes up by the text, before links are looked at.
pub(super) fn split_wildcards(path: &str) -> (String, String) {
    let clean = dockerfile_model::clean_path(&format!("/{path}"));
    let parts: Vec<&str> = clean.split('/').filter(|part| !part.is_empty()).collect();
    let first = parts
        .iter()
        .position(|part| has_wildcards(part))
        .unwrap_or(parts.len());
    let (fixed, pattern) = parts.split_at(first);
    (fixed.join("/"), pattern.join("/"))
}

/// Returns the paths that match a pattern, in order. Links in the fixed part are followed, others are not; what is in a directory
/// that matches is not looked at.
pub(super) fn matching_paths(
    source: &dyn FileSource,
    fixed: &str,
    pattern: &str,
) -> Result<Vec<Vec<u8>>, CopyError> {
    let Some(base) = resolve(source, fixed.as_bytes())? else {
        return Err(not_found(source, fixed));
    };
    let parts: Vec<&str> = pattern.split('/').collect();
    let mut found = Vec::new();
    descend(source, &base.entry.path, &parts, &mut found)?;
    Ok(found)
}

/// No wildcard matches a slash, so each part of the pattern is for one level.
fn descend(
    source: &dyn FileSource,
    directory: &LayerPath,
    parts: &[&str],
    found: &mut Vec<Vec<u8>>,
) -> Result<(), CopyError> {
    let Some((part, rest)) = parts.split_first() else {
        return Ok(());
    };
    if !source
        .lookup(directory)?
        .is_some_and(|entry| entry.entry.kind.is_directory())
    {
        return Ok(());
    }
    for child in source.children(directory)? {
        let name = text(child.entry.path.name());
        if go_match(part, &name) != Ok(true) {
            continue;
        }
        if rest.is_empty() {
            found.push(child.entry.path.as_bytes().to_vec());
        } else if child.entry.kind.is_directory() {
            descend(source, &child.entry.path, rest, found)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_before_the_first_wildcard() {
        assert_eq!(
            split_wildcards("/a//b/c*/./d"),
            ("a/b".to_owned(), "c*/d".to_owned())
        );
        assert_eq!(
            split_wildcards("./a\\*b"),
            ("a\\*b".to_owned(), String::new())
        );
        assert_eq!(split_wildcards("[[]x"), (String::new(), "[[]x".to_owned()));
    }
}
