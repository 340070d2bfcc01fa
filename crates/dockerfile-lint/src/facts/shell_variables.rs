//! Variables in a word of a shell, as it is written.

use std::ops::Range;

/// Returns the names of the variables that a shell expands in a word, and where `$NAME` or `${NAME}` stands in it; those
/// with an operator behind the name (`${NAME:-default}`, `${#NAME}`) are left out.
pub(crate) fn shell_variables(text: &str) -> impl Iterator<Item = (&str, Range<usize>)> {
    let mut position = 0;
    let mut in_double_quotes = false;
    std::iter::from_fn(move || {
        loop {
            let at = position + text.get(position..)?.find(['$', '\'', '"', '\\'])?;
            let behind = text.get(at + 1..)?;
            match text.as_bytes().get(at)? {
                b'"' => in_double_quotes = !in_double_quotes,
                b'\'' if in_double_quotes => {}
                b'\'' => {
                    position = at + 1 + behind.find('\'')? + 1;
                    continue;
                }
                b'\\' => {
                    position = at + 1 + behind.chars().next()?.len_utf8();
                    continue;
                }
                _ => {
                    let (name, after) = read_name(behind);
                    position = text.len() - after.len();
                    if let Some(name) = name {
                        return Some((name, at..position));
                    }
                    continue;
                }
            }
            position = at + 1;
        }
    })
}

/// Reads the name behind `$`, and what follows it.
fn read_name(text: &str) -> (Option<&str>, &str) {
    let (text, is_braced) = match text.strip_prefix('{') {
        Some(inner) => (inner, true),
        None => (text, false),
    };
    let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let end = text.find(|c| !is_letter(c)).unwrap_or(text.len());
    let (name, behind) = text.split_at(end);
    let is_plain = !is_braced || behind.starts_with('}');
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let behind = match behind.strip_prefix('}') {
        Some(behind) if is_braced => behind,
        _ => behind,
    };
    (Some(name).filter(|_| is_plain && is_name), behind)
}

#[cfg(test)]
mod tests {
    use super::shell_variables;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found: Vec<_> = shell_variables(text).map(|(name, _)| name).collect();
        assert_eq!(found, expected, "in {text}");
    }

    #[test]
    fn finds_names_outside_of_single_quotes() {
        check("a$X/${Y}\"$Z'$W'\"", &["X", "Y", "Z", "W"]);
        check("'$X'\\$Y$Z", &["Z"]);
    }

    #[test]
    fn knows_where_they_stand() {
        let found: Vec<_> = shell_variables("a$X-${Y}z")
            .map(|(_, range)| range)
            .collect();
        assert_eq!(found, [1..3, 4..8]);
    }

    #[test]
    fn operators_and_special_parameters_are_left_out() {
        check("${X:-1}${#Y}$1$$$?${Z%%a}", &[]);
        check("${X:-$Y}", &["Y"]);
        check("$'", &[]);
        check("\\", &[]);
    }
}
