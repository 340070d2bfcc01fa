//! What names the result of a step before it is there.
//!
//! As in BuildKit, a key is made of what a step does and of the keys of what it builds on; files of a context or of another stage
//! count by their content (moby/buildkit `solver/llbsolver/ops/{exec,file}.go`, `cache/contenthash`).

use std::fmt;

use serde::{Deserialize, Serialize};

/// The version of what keys are made of: another one shares no results with this one.
const VERSION: &[u8] = b"dfbuild step 1";

/// The name of a result.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Key([u8; 32]);

impl Key {
    pub(crate) fn hex(self) -> String {
        blake3::Hash::from(self.0).to_hex().to_string()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<[u8; 32]> for Key {
    fn from(bytes: [u8; 32]) -> Key {
        Key(bytes)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.hex().get(..12).unwrap_or_default())
    }
}

/// A part of a key that a person can be told about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    /// What it is, such as `the command` or `the variable A`.
    pub(crate) name: String,
    pub(crate) digest: Key,
}

/// Collects what a key is made of.
pub(crate) struct KeyMaker {
    hasher: blake3::Hasher,
    parts: Vec<Part>,
}

impl KeyMaker {
    /// Starts a key; `kind` keeps the keys of different steps apart.
    pub(crate) fn new(kind: &str) -> KeyMaker {
        let mut hasher = blake3::Hasher::new();
        for text in [VERSION, kind.as_bytes()] {
            add(&mut hasher, text);
        }
        KeyMaker {
            hasher,
            parts: Vec::new(),
        }
    }

    /// Adds a value that has no name of its own for people.
    pub(crate) fn add(&mut self, bytes: &[u8]) -> &mut KeyMaker {
        add(&mut self.hasher, bytes);
        self
    }

    /// Adds a value under a name.
    pub(crate) fn part(&mut self, name: impl Into<String>, bytes: &[u8]) -> &mut KeyMaker {
        let name = name.into();
        add(&mut self.hasher, name.as_bytes());
        add(&mut self.hasher, bytes);
        self.parts.push(Part {
            name,
            digest: Key(*blake3::hash(bytes).as_bytes()),
        });
        self
    }

    pub(crate) fn finish(self) -> (Key, Vec<Part>) {
        (Key(*self.hasher.finalize().as_bytes()), self.parts)
    }
}

/// The length comes first, so that no two lists of values look the same.
fn add(hasher: &mut blake3::Hasher, bytes: &[u8]) {
    hasher.update(&(bytes.len() as u64).to_le_bytes());
    hasher.update(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kind: &str, values: &[&str]) -> Key {
        let mut maker = KeyMaker::new(kind);
        for value in values {
            maker.add(value.as_bytes());
        }
        maker.finish().0
    }

    #[test]
    fn where_a_value_ends_makes_a_difference() {
        assert_ne!(key("run", &["ab", "c"]), key("run", &["a", "bc"]));
        assert_ne!(key("run", &["a"]), key("copy", &["a"]));
        assert_eq!(key("run", &["a", "b"]), key("run", &["a", "b"]));
    }
}
