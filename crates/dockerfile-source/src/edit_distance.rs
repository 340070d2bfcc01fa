//! "Did you mean": the closest of a few known words.

/// Returns the number of single-character insertions, deletions, replacements and swaps of neighbours between two words.
pub fn edit_distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let width = right.len() + 1;
    let mut table = vec![0_usize; (left.len() + 1) * width];
    let cell = |table: &[usize], row: usize, column: usize| {
        table.get(row * width + column).copied().unwrap_or(0)
    };
    for row in 0..=left.len() {
        for column in 0..width {
            let value = if row == 0 || column == 0 {
                row + column
            } else {
                let same = left.get(row - 1) == right.get(column - 1);
                let mut best = (cell(&table, row - 1, column) + 1)
                    .min(cell(&table, row, column - 1) + 1)
                    .min(cell(&table, row - 1, column - 1) + usize::from(!same));
                let swapped = row > 1
                    && column > 1
                    && left.get(row - 1) == right.get(column - 2)
                    && left.get(row - 2) == right.get(column - 1);
                if swapped {
                    best = best.min(cell(&table, row - 2, column - 2) + 1);
                }
                best
            };
            if let Some(slot) = table.get_mut(row * width + column) {
                *slot = value;
            }
        }
    }
    cell(&table, left.len(), width - 1)
}

/// Returns the candidate that a typing slip most likely meant, ignoring case, or `None` when none is near.
pub fn closest_match<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    // A word of hostile length is no typing slip, and the table below is quadratic.
    if word.len() > 64 {
        return None;
    }
    let word = word.to_lowercase();
    let letters = word.chars().count();
    let allowed = (letters / 3).clamp(1, 3);
    candidates
        .into_iter()
        // Most candidates are too long or too short to be near. Few letters change their number in lower case.
        .filter(|candidate| !candidate.is_ascii() || candidate.len().abs_diff(letters) <= allowed)
        .map(|candidate| (edit_distance(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_slips() {
        assert_eq!(edit_distance("RUN", "RUN"), 0);
        assert_eq!(edit_distance("RNU", "RUN"), 1);
        assert_eq!(edit_distance("WORKDR", "WORKDIR"), 1);
        assert_eq!(edit_distance("", "abc"), 3);
    }

    #[test]
    fn finds_the_near_word_only() {
        let keywords = ["RUN", "FROM", "ENTRYPOINT"];
        assert_eq!(closest_match("form", keywords), Some("FROM"));
        assert_eq!(closest_match("ENTRYPIONT", keywords), Some("ENTRYPOINT"));
        assert_eq!(closest_match("banana", keywords), None);
        assert_eq!(closest_match(&"x".repeat(100_000), keywords), None);
    }
}
