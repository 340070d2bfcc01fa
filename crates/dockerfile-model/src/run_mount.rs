//! `RUN --mount=...`: comma-separated options (BuildKit `instructions/commands_runmount.go`).

use dockerfile_source::TextRange;
use smol_str::SmolStr;

/// The options of one `--mount`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunMount {
    /// Where the whole flag stands.
    pub range: TextRange,
    pub options: Vec<MountOption>,
}

/// `key=value`, or `key` alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountOption {
    /// In lower case, as the builder compares it.
    pub key: SmolStr,
    pub value: Option<SmolStr>,
    /// Where the option stands: exact for an option that is written without quotes and continuations, else the flag.
    pub range: TextRange,
}

impl RunMount {
    /// Returns the value of the first of several keys that is given.
    pub fn option(&self, keys: &[&str]) -> Option<&str> {
        self.options
            .iter()
            .find(|option| keys.contains(&option.key.as_str()))
            .and_then(|option| option.value.as_deref())
    }

    /// Returns `bind`, `cache`, `tmpfs`, `secret` or `ssh`; `bind` when nothing is said.
    pub fn mount_type(&self) -> SmolStr {
        self.option(&["type"])
            .map_or(SmolStr::new_static("bind"), |value| {
                SmolStr::new(value.to_ascii_lowercase())
            })
    }

    pub fn target(&self) -> Option<&str> {
        self.option(&["target", "dst", "destination"])
    }

    pub fn source(&self) -> Option<&str> {
        self.option(&["source", "src"])
    }

    /// Returns the stage or image that `from` names.
    pub fn from(&self) -> Option<&str> {
        self.option(&["from"])
    }
}

/// Splits the value of a mount flag, given without its quotes, at commas outside of CSV quotes.
pub(crate) fn split_options(value: &str) -> Vec<(usize, String)> {
    let mut fields = Vec::new();
    let mut field = String::new();
    let mut start = 0;
    let mut in_quotes = false;
    for (at, character) in value.char_indices() {
        match character {
            '"' => in_quotes = !in_quotes,
            ',' if !in_quotes => {
                fields.push((start, std::mem::take(&mut field)));
                start = at + 1;
            }
            other => field.push(other),
        }
    }
    fields.push((start, field));
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_at_commas_outside_of_quotes() {
        let fields: Vec<_> = split_options(r#"type=bind,"src=a,b",ro"#)
            .into_iter()
            .map(|(_, field)| field)
            .collect();
        assert_eq!(fields, ["type=bind", "src=a,b", "ro"]);
    }
}
