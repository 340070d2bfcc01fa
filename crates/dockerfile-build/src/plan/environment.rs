//! The variables that words are expanded with.

use dockerfile_model::expansion::Environment;
use rustc_hash::FxHashMap;

/// Variables in the order in which they were set last (BuildKit's `llb.EnvList`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Variables {
    entries: Vec<Option<(String, String)>>,
    places: FxHashMap<String, usize>,
}

impl Variables {
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        if let Some(old) = self.places.insert(name.to_owned(), self.entries.len())
            && let Some(slot) = self.entries.get_mut(old)
        {
            *slot = None;
        }
        self.entries.push(Some((name.to_owned(), value.to_owned())));
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries
            .iter()
            .flatten()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        let entry = self.entries.get(*self.places.get(name)?)?;
        entry.as_ref().map(|(_, value)| value.as_str())
    }
}

impl Environment for Variables {
    fn get(&self, name: &str) -> Option<&str> {
        self.value(name)
    }
}

/// Splits `NAME=value`; a text without `=` is a name with an empty value.
pub(crate) fn split_variable(text: &str) -> (&str, &str) {
    text.split_once('=').unwrap_or((text, ""))
}

/// Sets a variable in a configuration: in its place when it is there, else at the end.
pub(crate) fn set_in_list(list: &mut Vec<String>, name: &str, value: &str) {
    let text = format!("{name}={value}");
    match list
        .iter_mut()
        .find(|entry| split_variable(entry).0 == name)
    {
        Some(entry) => *entry = text,
        None => list.push(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_is_set_again_moves_to_the_end() {
        let mut variables = Variables::default();
        for (name, value) in [("A", "1"), ("B", "2"), ("A", "3")] {
            variables.set(name, value);
        }
        let all: Vec<_> = variables.iter().collect();
        assert_eq!(all, [("B", "2"), ("A", "3")]);
        assert_eq!(variables.value("A"), Some("3"));
        assert_eq!(variables.value("C"), None);
    }

    #[test]
    fn a_list_keeps_the_place_of_a_variable() {
        let mut list = vec!["A=1".to_owned(), "B=2".to_owned()];
        set_in_list(&mut list, "A", "3");
        set_in_list(&mut list, "C", "4");
        assert_eq!(list, ["A=3", "B=2", "C=4"]);
    }
}
