//! The list of cases that are known to differ, with a reason each.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::judge::{Aspect, Difference};

pub(crate) struct Skips {
    entries: BTreeMap<String, Vec<Aspect>>,
}

impl Skips {
    /// Reads lines of `NAME ASPECT[,ASPECT]: REASON`; `#` starts a comment.
    pub(crate) fn read(path: &Path) -> Result<Skips, String> {
        let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        let mut entries = BTreeMap::new();
        for (idx, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, aspects) = parse(line)
                .ok_or_else(|| format!("{}:{}: NAME ASPECTS: REASON", path.display(), idx + 1))?;
            entries.insert(name, aspects);
        }
        Ok(Skips { entries })
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// Takes the differences that the list allows out of `differences`, and returns the allowed aspects that do not differ.
    pub(crate) fn take_out(&self, name: &str, differences: &mut Vec<Difference>) -> Vec<Aspect> {
        let Some(aspects) = self.entries.get(name) else {
            return Vec::new();
        };
        let mut unused = aspects.clone();
        unused.retain(|aspect| !differences.iter().any(|d| d.aspect == *aspect));
        differences.retain(|difference| !aspects.contains(&difference.aspect));
        unused
    }
}

fn parse(line: &str) -> Option<(String, Vec<Aspect>)> {
    let (head, reason) = line.split_once(": ")?;
    let (name, aspects) = head.split_once(' ')?;
    let aspects: Option<Vec<Aspect>> = aspects
        .split(',')
        .map(|word| Aspect::ALL.into_iter().find(|a| a.name() == word.trim()))
        .collect();
    (!reason.trim().is_empty()).then_some((name.to_owned(), aspects?))
}
