//! Variables in a word of a shell, as it is written.

/// Returns the names of the variables that a shell expands in a word, but for those with an operator behind the name
/// (`${NAME:-default}`, `${#NAME}`).
pub(crate) fn shell_variables(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    let mut in_double_quotes = false;
    std::iter::from_fn(move || {
        loop {
            let at = rest.find(['$', '\'', '"', '\\'])?;
            let special = rest.as_bytes().get(at).copied()?;
            let behind = rest.get(at + 1..)?;
            match special {
                b'"' => {
                    in_double_quotes = !in_double_quotes;
                    rest = behind;
                }
                b'\'' if in_double_quotes => rest = behind,
                b'\'' => {
                    let end = behind.find('\'')?;
                    rest = behind.get(end + 1..)?;
                }
                b'\\' => {
                    let mut characters = behind.chars();
                    characters.next();
                    rest = characters.as_str();
                }
                _ => {
                    let (name, after) = read_name(behind);
                    rest = after;
                    if let Some(name) = name {
                        return Some(name);
                    }
                }
            }
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
    (Some(name).filter(|_| is_plain && is_name), behind)
}

#[cfg(test)]
mod tests {
    use super::shell_variables;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found: Vec<_> = shell_variables(text).collect();
        assert_eq!(found, expected, "in {text}");
    }

    #[test]
    fn finds_names_outside_of_single_quotes() {
        check("a$X/${Y}\"$Z'$W'\"", &["X", "Y", "Z", "W"]);
        check("'$X'\\$Y$Z", &["Z"]);
    }

    #[test]
    fn operators_and_special_parameters_are_left_out() {
        check("${X:-1}${#Y}$1$$$?${Z%%a}", &[]);
        check("${X:-$Y}", &["Y"]);
        check("$'", &[]);
        check("\\", &[]);
    }
}
