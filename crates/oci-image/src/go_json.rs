//! JSON as Go's `encoding/json` writes it, so that our documents have the digests that BuildKit's would have.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

/// Returns the value on one line.
pub(crate) fn compact<T: Serialize>(value: &T) -> Vec<u8> {
    escape(&serde_json::to_vec(value).unwrap_or_default())
}

/// Returns the value indented by two blanks, as `json.MarshalIndent(v, "", "  ")` does.
pub(crate) fn indented<T: Serialize>(value: &T) -> Vec<u8> {
    escape(&serde_json::to_vec_pretty(value).unwrap_or_default())
}

/// Writes what Go escapes for the sake of HTML and JavaScript as it does.
///
/// These characters occur in JSON inside of strings only, so the text can be taken as bytes.
fn escape(json: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(json.len() + json.len() / 16);
    let mut rest = json;
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        match byte {
            b'<' => escaped.extend_from_slice(b"\\u003c"),
            b'>' => escaped.extend_from_slice(b"\\u003e"),
            b'&' => escaped.extend_from_slice(b"\\u0026"),
            0xe2 if behind.starts_with(&[0x80, 0xa8]) => {
                escaped.extend_from_slice(b"\\u2028");
                rest = behind.get(2..).unwrap_or_default();
            }
            0xe2 if behind.starts_with(&[0x80, 0xa9]) => {
                escaped.extend_from_slice(b"\\u2029");
                rest = behind.get(2..).unwrap_or_default();
            }
            _ => escaped.push(byte),
        }
    }
    escaped
}

/// Reads `null` as the empty value, as Go does for every type.
pub(crate) fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A set, which Go writes as `map[string]struct{}`.
pub(crate) mod set {
    use std::collections::BTreeSet;

    use serde::{Serialize, Serializer};

    use super::{BTreeMap, Deserialize, Deserializer};

    #[derive(Serialize)]
    struct Empty {}

    pub(crate) fn serialize<S: Serializer>(
        set: &BTreeSet<String>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(set.iter().map(|key| (key, Empty {})))
    }

    pub(crate) fn deserialize<'de, D>(deserializer: D) -> Result<BTreeSet<String>, D::Error>
    where
        D: Deserializer<'de>,
    {
        let map = Option::<BTreeMap<String, serde_json::Value>>::deserialize(deserializer)?;
        Ok(map.unwrap_or_default().into_keys().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_go_escapes() {
        let text = "a<b>&c\u{2028}\u{2029}\u{2027}\u{0}\u{8}\u{c}\u{7f}\n\"\\/é";
        let expected =
            r#""a\u003cb\u003e\u0026c\u2028\u2029‧\u0000\b\f"#.to_owned() + "\u{7f}\\n\\\"\\\\/é\"";
        assert_eq!(String::from_utf8(compact(&text)).unwrap(), expected);
    }

    #[test]
    fn indents_by_two_blanks() {
        let value = BTreeMap::from([("a", vec![1, 2]), ("b", vec![])]);
        let expected = "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": []\n}";
        assert_eq!(String::from_utf8(indented(&value)).unwrap(), expected);
    }
}
